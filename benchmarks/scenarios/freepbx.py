"""What a move and an audit cost at a FreePBX node of 10,000 users with lamps, beside a plain Asterisk with as many."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import cycle
from statistics import median

import psycopg

from benchmarks import world
from benchmarks.effort import Effort
from benchmarks.report import Report
from benchmarks.stage import TOP, Rig
from benchmarks.usage import spent
from localcluster.asterisk import AsteriskNode, node_addresses
from localcluster.freepbx import Device, FreepbxBox, User
from localcluster.product import Product
from roost.database import Database
from roost.nodes.audit import Audited, audit
from roost.nodes.converge import Converged, converge
from roost.nodes.routes import announce, tell
from roost.pbx.ami.codec import unnumbered
from roost.pbx.ami.options import AmiOptions
from roost.pbx.ami.session import AmiSession
from roost.pbx.kinds import connect
from roost.pbx.node import ActsAs, Change, Cursor, Key, PbxNode, Rings
from roost.schema import init_database
from tasks.nodes import NodeConnections

_DATABASE = "bench_freepbx"
_DEADLINE = 60.0
_LONGEST_RETRY = 3.0
_LAMPS = f'#include "{TOP}/asterisk/roost_features.conf.sample"\n'


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """Moves by turns at both, each of 4 rows and the cursor; then audits of the FreePBX, by Roost's own function, without its rests."""
    users = 10_000 if effort.runs > 1 or effort.seconds >= 1 else 500
    moves = 400 if users == 10_000 else 20
    addresses = node_addresses("n1", "f1")
    plain = AsteriskNode("n1", addresses["n1"], rig.folder / "fp-n1", site=_LAMPS)
    box = FreepbxBox(
        "f1", addresses["f1"], rig.folder / "fp-f1",
        users=[User(_number(user), "") for user in range(users)],
        devices=[Device(_phone(user), _number(user)) for user in range(users)],
    )  # fmt: skip
    with (
        plain,
        box,
        _database(rig, [plain, box], users) as (database, connections),
        closing(connect(plain.control, _DEADLINE)) as at_plain,
        closing(connect(box.control, _DEADLINE)) as at_box,
    ):
        for name in ("n1", "f1"):
            assert isinstance(converge(database, name, connections, _LONGEST_RETRY), Converged)
        _watch_everybody(plain, users)
        _move(database, {"f1": at_box, "n1": at_plain}, moves, report)
        took = [_audit(database, connections, box) for _ in range(3 if effort.runs > 1 else 1)]
        walls = [wall for wall, _, _ in took]
        report.ratio("freepbx_audit", median(walls), walls)
        report.figure(
            f"an audit of {users:,} users of a FreePBX, processor time of Asterisk",
            median(asterisk for _, asterisk, _ in took) * 1e3, "ms", median(ours for _, _, ours in took) * 1e3, "of Roost, ms",
        )  # fmt: skip


@contextmanager
def _database(
    rig: Rig, nodes: Sequence[AsteriskNode], users: int
) -> Iterator[tuple[Database, NodeConnections]]:
    """A database of so many extensions with phones, and these nodes, of which no process of Roost knows."""
    url = rig.postgres.create_database(_DATABASE)
    init_database(url)
    product = Product(
        rig.folder / "fp-roost", database_url=url, broker_url=rig.rabbitmq.add_vhost(),
        counts=dict.fromkeys(("bind", "verify", "push", "beat", "center"), 0),
    )  # fmt: skip
    world.populate(url, product.settings, users)
    for node in nodes:
        world.add_node(url, product.settings, node.name, node.control)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE phone SET name = '1' || right(name, 6)")
        connection.execute(
            "UPDATE phone SET node_id = (SELECT id FROM pbx_node WHERE name = %s)", [nodes[-1].name]
        )
        connection.execute("UPDATE pbx_node SET enabled = name <> 'home'")
    with ExitStack() as open_:
        open_.callback(rig.postgres.drop_database, _DATABASE)
        database = open_.enter_context(closing(Database(url, size=2, idle_limit=_DEADLINE)))
        while announce(database).more:
            pass
        yield database, open_.enter_context(closing(NodeConnections(product.settings)))


def _move(database: Database, nodes: dict[str, PbxNode], moves: int, report: Report) -> None:
    """Somebody sits down at the phone of another and comes home, again and again."""
    keys: list[Key] = [("e", _extension(1)), ("p", _phone(1)), ("e", _extension(2)), ("p", _phone(2))]
    cursors = {name: node.cursor() for name, node in nodes.items()}
    with database.connection() as connection:
        home = tell(connection, keys)
    took: dict[str, list[float]] = {name: [] for name in nodes}
    for changes, _ in zip(cycle((_away(home), home)), range(moves), strict=False):
        for name, node in nodes.items():
            took[name].append(_seconds(node, changes, cursors[name]))
    ours, plain = (median(seconds) for seconds in took.values())
    report.ratio("freepbx_move", ours / plain)
    report.figure("a move applied at FreePBX, with lamps", ours * 1e3, "ms", plain * 1e3, "Asterisk ms")


def _away(home: Sequence[Change]) -> list[Change]:
    guest, guests_phone, host, hosts_phone = home
    assert isinstance(guest, Rings)
    assert isinstance(host, Rings)
    assert isinstance(guests_phone, ActsAs)
    assert isinstance(hosts_phone, ActsAs)
    sits = hosts_phone._replace(
        number=guests_phone.number, name=guests_phone.name, mailbox=guests_phone.mailbox
    )
    return [
        guest._replace(phone=hosts_phone.phone), guests_phone, host._replace(node=None, phone=None), sits,
    ]  # fmt: skip


def _seconds(node: PbxNode, changes: Sequence[Change], cursor: Cursor | None) -> float:
    began = time.perf_counter()
    assert node.apply(changes, cursor) == []
    return time.perf_counter() - began


def _audit(database: Database, connections: NodeConnections, box: FreepbxBox) -> tuple[float, float, float]:
    """Seconds that an audit takes, and the processor's seconds of Asterisk and of ours. It finds nothing."""
    before, ours, began = spent({"asterisk": box.pid}), time.process_time(), time.perf_counter()
    assert audit(database, box.name, connections, _LONGEST_RETRY) == Audited(0)
    wall = time.perf_counter() - began
    after = spent({"asterisk": box.pid})
    return wall, after.seconds["asterisk"] - before.seconds["asterisk"], time.process_time() - ours


def _number(user: int) -> str:
    return f"{user:07}"


def _extension(user: int) -> str:
    return f"{world.ORGANIZATION}*{_number(user)}"


def _phone(user: int) -> str:
    return f"1{user:06}"


def _watch_everybody(node: AsteriskNode, users: int) -> None:
    """A hint of its own for everybody, as whoever watches a lamp makes one; a FreePBX has them in its file."""
    session = AmiSession(node.control, AmiOptions(), _DEADLINE)
    with session.deadline():
        session.ask_many(range(users), _hint)
    session.close()


def _hint(user: int) -> bytes:
    fields = {
        "Context": f"roost-lamps-{world.ORGANIZATION}", "Extension": _number(user), "Priority": "hint",
        "Application": f"PJSIP/{_phone(user)}", "Replace": "yes",
    }  # fmt: skip
    return unnumbered("DialplanExtensionAdd", fields)
