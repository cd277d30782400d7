"""Kamailio: a full send beside a raw loop of the same bodies, calls that are routed meanwhile, moves, and a table that was lost."""

from __future__ import annotations

import time
from contextlib import nullcontext
from statistics import median

from benchmarks.effort import Effort
from benchmarks.load import at_quantile
from benchmarks.paced import paced_binds
from benchmarks.raw_kamailio import RawKamailio, writing
from benchmarks.raw_sip import RawCaller
from benchmarks.report import Report
from benchmarks.stage import Rig, Stage, wait_until
from benchmarks.watch import Watcher
from benchmarks.world import mover
from localcluster.kamailio import PEER_PORT
from roost.database import Database, query
from roost.nodes.converge import Converged, converge
from roost.nodes.routes import everything
from roost.pbx.kamailio.adapter import MAX_BODY
from roost.pbx.node import Gone, key_of
from roost.pbx.row_text import key, value
from tasks.client import Client
from tasks.nodes import NodeConnections

#: Extensions of a cluster whose node lost its table.
_LOST = 10_000
#: Calls routed to see how long one takes.
_CALLS = 1_000
_PACE = 10


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """On a stage without workers, then on a whole Roost."""
    _full_send(rig, effort, report)
    _moves_and_loss(rig, effort, report)


def _full_send(rig: Rig, effort: Effort, report: Report) -> None:
    """The push job as it is, but called here, beside the raw loop; and calls while rows are written, beside calls while none are."""
    counts = {"push": 0, "verify": 0, "center": 0, "beat": 0}
    with Stage(
        rig, "k_send", extensions=effort.resync_extensions, kamailio=1, bind=0, counts=counts
    ) as stage:
        (node,) = stage.kamailio
        database = Database(stage.url, idle_limit=30, one_plan=True, bookkeeping=True)
        with database.connection() as connection:
            connection.execute("UPDATE pbx_node SET enabled = true WHERE name = %s", (node.name,))
            rows = [
                f"={key(key_of(c))}\t{value(c)}\n".encode()
                for c in everything(connection)
                if not isinstance(c, Gone)
            ]
        bodies = _bodies(rows)
        raw, ours = [], []
        # A Kamailio alone takes 7.5 to 13 µs a row, from one second to the next.
        for _ in range(2 * effort.runs + 1):
            node.rpc("htable.flush", "roost")
            bare = RawKamailio(node.control)
            began = time.perf_counter()
            assert bare.post_all(bodies) == len(rows), "every raw row was taken"
            raw.append(time.perf_counter() - began)
            bare.close()
            node.rpc("htable.flush", "roost")
            nodes = NodeConnections(stage.settings)
            began = time.perf_counter()
            result = converge(database, node.name, nodes, 1)
            ours.append(time.perf_counter() - began)
            nodes.close()
            assert isinstance(result, Converged), result
            assert result.sent == len(rows), "every row was sent"
        database.close()
        ratios = [bare_seconds / seconds for bare_seconds, seconds in zip(raw, ours, strict=True)]
        report.ratio("kamailio_send_vs_raw", median(ratios), ratios)
        report.ratio("kamailio_send", len(rows) / median(ours))
        report.figure(f"full send of {len(rows):,} rows", median(ours), "s", median(raw), "raw loop s")
        _calls_meanwhile(stage, bodies, effort, report)


def _calls_meanwhile(stage: Stage, bodies: list[bytes], effort: Effort, report: Report) -> None:
    (node,) = stage.kamailio
    callee = f"0001*{mover(1)[0]}"
    calls = _CALLS if effort.seconds >= 1 else 20
    took: dict[str, list[float]] = {"quiet": [], "written": []}
    with RawCaller(node.address, PEER_PORT) as caller:
        for _ in range(max(2, effort.runs)):
            for when, found in took.items():
                with writing(node.control, bodies[:200]) if when == "written" else nullcontext():
                    for _ in range(calls // max(2, effort.runs)):
                        seconds, status = caller.seconds(callee)
                        assert status == 480, status  # nobody is registered there
                        found.append(seconds)
    quiet, written_ = (at_quantile(sorted(found), 0.99) for found in took.values())
    report.ratio("kamailio_calls_meanwhile", written_ / quiet)
    report.figure(
        "a call is routed while a table is written, p99", written_ * 1e3, "ms", quiet * 1e3, "quiet ms"
    )


def _moves_and_loss(rig: Rig, effort: Effort, report: Report) -> None:
    extensions = _LOST if effort.seconds >= 1 else 600
    with Stage(rig, "k_moves", extensions=extensions, kamailio=2, asterisk=2) as stage:
        with Client(stage.settings) as client:
            applied: dict[str, list[float]] = {"a": [], "k": []}
            for _ in range(effort.runs):
                for kind, found in applied.items():
                    names = [f"{kind}1", f"{kind}2"]
                    stage.use(names)
                    with Watcher({name: stage.nodes[name] for name in names}) as watcher:
                        moves = paced_binds(
                            client, stage.settings, watcher, movers=stage.own_movers, per_second=_PACE,
                            seconds=effort.seconds,
                        )  # fmt: skip
                    found.extend(moves.applied)
        asterisk, kamailio = (median(found) for found in applied.values())
        report.ratio("kamailio_move", kamailio / asterisk)
        report.figure("a move applied at two Kamailios, p50", kamailio, "ms", asterisk, "two Asterisks ms")
        lost = [_seconds_until_back(stage) for _ in range(1 + 2 * effort.runs)]
        report.ratio("kamailio_back", max(lost))
        report.figure(f"a table of {extensions:,} extensions that was emptied is back", median(lost), "s")


def _seconds_until_back(stage: Stage) -> float:
    """From the loss of a whole table until the node has its cursor again, which is written last."""
    stage.use(["k1"])
    node = next(node for node in stage.kamailio if node.name == "k1")
    row = stage.sql.execute(query("read_head")).fetchone()
    assert row is not None  # the current database is always in pg_database
    watcher = RawKamailio(node.control)
    node.rpc("htable.flush", "roost")
    began = time.perf_counter()
    wait_until(lambda: watcher.cursor() == f"{row[0]}:{row[1]}", "the table is back", 60)
    took = time.perf_counter() - began
    watcher.close()
    return took


def _bodies(rows: list[bytes]) -> list[bytes]:
    """The rows in bodies of the adapter's size."""
    bodies, body = [], b""
    for row in rows:
        if len(body) + len(row) > MAX_BODY:
            bodies.append(body)
            body = b""
        body += row
    return [*bodies, body]
