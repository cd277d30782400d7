"""What processes write: JSON is all JSON, and a part that is away is said when it goes and when it is back."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import Any

import pytest
from structlog.testing import capture_logs

from localcluster.postgres import Postgres
from roost.errors import DatabaseUnavailable
from tasks.outages import Outage
from tests.cluster import Cluster, wait_until
from workers.log_repeats import Repeats
from workers.logs import show_controls

KINDS = ("center", "bind", "verify", "push", "beat", "web")


def written(cluster: Cluster, kind: str) -> list[dict[str, Any]]:
    """Every whole line of the log, read as JSON."""
    text = cluster.product.processes[f"{kind}1"].log.read_text()
    return [json.loads(line) for line in text.rpartition("\n")[0].splitlines()]


def is_there(cluster: Cluster) -> bool:
    try:
        return cluster.world.now() is not None
    except DatabaseUnavailable:
        return False


@pytest.mark.timeout(180)
def test_every_line_is_json_whatever_happens_and_an_outage_is_few_of_them(
    web_cluster: Cluster, postgres: Postgres
) -> None:
    web_cluster.reset()
    before = {kind: len(written(web_cluster, kind)) for kind in KINDS}
    postgres.kill()
    try:
        wait_until(lambda: "database_unavailable" in events(web_cluster, "push", before), "it is said", 30)
        # Sweeps, pushes and looks for nodes come to nothing meanwhile.
        assert web_cluster.call("desk001", "*30").outcome == "unavailable"
    finally:
        postgres.start()
    wait_until(lambda: is_there(web_cluster), "the test has its database again")
    # A call that comes too early is refused, and says nothing of what comes after it.
    wait_until(
        lambda: web_cluster.call("desk001", "*30").outcome != "unavailable", "calls are taken again", 30
    )
    for kind in ("bind", "push", "web"):
        wait_until(partial(says_back, web_cluster, kind, before), f"{kind} says that it is back", 30)
        lines = written(web_cluster, kind)[before[kind] :]
        assert len(lines) < 20, lines
        assert all("password" not in json.dumps(line) for line in lines)

    processes = [web_cluster.product.processes[f"{kind}1"] for kind in KINDS]
    with ThreadPoolExecutor(len(KINDS)) as pool:
        list(pool.map(lambda process: process.restart(), processes))
    for kind in KINDS:
        lines = written(web_cluster, kind)
        assert lines
        assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
        assert not any("SecurityWarning" in line["event"] for line in lines), "that is runs_as_root"


def says_back(cluster: Cluster, kind: str, before: dict[str, int]) -> bool:
    return "database_back" in events(cluster, kind, before)


def events(cluster: Cluster, kind: str, before: dict[str, int]) -> list[str]:
    return [line["event"] for line in written(cluster, kind)[before[kind] :]]


def test_what_only_the_pool_noticed_is_over_with_the_next_answer() -> None:
    with capture_logs() as lines:
        outage = Outage("gone", "back")
        outage.noticed()
        outage.back()
        outage.back()
    assert [line["event"] for line in lines] == ["gone", "back"]
    assert lines[1]["failed"] == 0


def test_nothing_in_a_line_steers_the_terminal_that_shows_it() -> None:
    line = show_controls(
        None, "warning", {"event": "fault", "path": "/\x1b[2J\x9b1m\r", "exception": "a\n\tb"}
    )
    assert line == {"event": "fault", "path": r"/\x1b[2J\x9b1m\x0d", "exception": "a\n\tb"}


def record(logger: str, message: object, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord(logger, level, __file__, 1, message, None, None)


def test_what_says_that_a_part_is_away_is_written_now_and_then_with_how_often_it_was_so() -> None:
    repeats, soon = Repeats(), Repeats(every=0.2)
    away = {"event": "database_unavailable", "task": "roost.push", "node": "n1"}
    said = [repeats.filter(record("tasks.push", dict(away))) for _ in range(5)]
    assert said == [True, False, False, False, False]
    assert repeats.filter(record("tasks.push", away | {"node": "n2"}))
    assert soon.filter(record("tasks.push", dict(away)))
    later, tries = record("tasks.push", dict(away)), count()
    wait_until(lambda: soon.filter(later) or next(tries) < 0, "it is written again")
    assert isinstance(later.msg, dict)
    assert later.msg.get("unsaid", 0) == next(tries)
    connected = record("celery.worker.consumer.connection", "Connected to %s", logging.INFO)
    assert [repeats.filter(connected) for _ in range(3)] == [True, False, False]
    library = [repeats.filter(record("celery.worker.consumer", "Cannot connect to %s")) for _ in range(3)]
    assert library == [True, False, False]


def test_what_somebody_did_is_written_each_time() -> None:
    repeats = Repeats()
    for message in (
        {"event": "request_refused"},
        {"event": "feature_code_differs"},
        {"event": "bad_request"},
    ):
        assert all(repeats.filter(record("tasks.requests", dict(message))) for _ in range(3))
    assert all(repeats.filter(record("celery.worker", "ready", logging.INFO)) for _ in range(3))
