"""What Prometheus reads from every process, and that each alert fires for what it is there for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from localcluster import ports
from localcluster.prometheus import Prometheus, promtool
from roost.nodes.status import request_audit
from roost.pbx.kinds import connect
from roost.pbx.node import Rings
from tasks.broker import connect as connect_broker
from tasks.topology import DEAD
from tests.cluster import Cluster, wait_until

#: What a label may be called, and what its values are: all have a bound.
LABELS = {"kind", "version", "schema", "python", "task", "outcome", "why", "node", "result", "queue", "le"}
#: What a web process tells besides; this cluster has none.
OF_THE_PAGE = {"roost_http_request_duration_seconds", "roost_viewers", "roost_change_applied_seconds"}
#: An alert waits for a minute before it fires; here for a moment.
PATIENCE = 30.0


@pytest.fixture
def office(cluster: Cluster) -> Cluster:
    return cluster.office("001", "002")


def read(port: int) -> str:
    with urlopen(f"http://{ports.LOOPBACK}:{port}/metrics", timeout=20) as answer:
        return str(answer.read().decode())


def scraped(cluster: Cluster) -> dict[str, list[dict[str, Metric]]]:
    """What each process tells, by its kind."""
    told: dict[str, list[dict[str, Metric]]] = {}
    for port in cluster.product.metrics_ports:
        families = {family.name: family for family in text_string_to_metric_families(read(port))}
        told.setdefault(families["roost_build_info"].samples[0].labels["kind"], []).append(families)
    return told


def documented() -> set[str]:
    """The metrics that the page names, in the first column of its table."""
    page = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text()
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `roost_")]
    return set(re.findall(r"roost_[a-z_]+", " ".join(rows)))


def total(processes: list[dict[str, Metric]], sample: str, **labels: str) -> float:
    """The sum of a sample over processes."""
    return sum(
        each.value
        for families in processes
        for family in families.values()
        for each in family.samples
        if each.name == sample and labels.items() <= each.labels.items()
    )


def test_every_process_tells_at_a_port_of_its_own_what_prometheus_takes(office: Cluster) -> None:
    told = scraped(office)
    assert {kind: len(some) for kind, some in told.items()} == {
        "center": 2,
        "bind": 2,
        "verify": 1,
        "push": 1,
        "beat": 2,
    }
    samples = [
        each
        for some in told.values()
        for families in some
        for family in families.values()
        for each in family.samples
    ]
    assert {label for each in samples for label in each.labels} <= LABELS
    assert not [each.name for each in samples if each.name.endswith("_created")]
    named = {
        f"{name}_total" if family.type == "counter" else name
        for some in told.values()
        for families in some
        for name, family in families.items()
        if name.startswith("roost_")
    }
    assert documented() == named | OF_THE_PAGE
    for port in office.product.metrics_ports:
        checked = promtool("check", "metrics", given=read(port).encode())
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_a_move_is_counted_where_it_happens_and_so_is_the_way_there(office: Cluster) -> None:
    before = scraped(office)
    assert office.call("desk002", "*30001", office.world.codes["0001", "001"]).outcome == "virtualized"
    office.settled()

    def grew(kind: str, sample: str, **labels: str) -> float:
        return total(scraped(office)[kind], sample, **labels) - total(before[kind], sample, **labels)

    wait_until(lambda: grew("center", "roost_calls_total", outcome="virtualized") == 1, "the call is counted")
    assert grew("center", "roost_answer_duration_seconds_count", task="roost.verify") == 1
    assert grew("verify", "roost_tasks_total", task="roost.verify", outcome="code_right") == 1
    assert grew("bind", "roost_tasks_total", task="roost.virtualize", outcome="virtualized") == 1
    assert grew("bind", "roost_task_duration_seconds_count", task="roost.virtualize") == 1
    assert grew("bind", "roost_task_wait_seconds_count", task="roost.virtualize") == 1
    assert 0 < grew("bind", "roost_task_wait_seconds_sum", task="roost.virtualize") < 5
    for node in ("n1", "n2", "n3"):
        assert grew("push", "roost_pushes_total", node=node, result="done") >= 1
        assert grew("push", "roost_pushed_changes_total", node=node) >= 1
    assert total(scraped(office)["bind"], "roost_threads") == 32
    told = scraped(office)
    for processes in (told["bind"], told["verify"], told["push"]):
        failed = [
            each.labels["task"]
            for families in processes
            for each in families["roost_tasks"].samples
            if each.labels["outcome"] == "failed"
        ]
        assert {"roost.dial", "roost.verify", "roost.push"} <= set(failed), (
            "they are there before they happen"
        )
    assert (
        total(scraped(office)["center"], "roost_calls_limit") == 2 * office.product.settings.center_max_calls
    )


def test_a_move_that_nobody_makes_is_counted_where_the_caller_waits(office: Cluster) -> None:
    """The journal knows nothing of it."""
    bind = list(office.product.of_kind("bind"))
    before = scraped(office)["center"]
    for worker in bind:
        worker.pause()
    try:
        assert office.call("desk002", "*30").outcome == "unavailable"
    finally:
        for worker in bind:
            worker.resume()
    after = scraped(office)["center"]
    for sample, labels in (
        ("roost_calls_total", {"outcome": "unavailable"}),
        ("roost_questions_unanswered_total", {"task": "roost.dial"}),
    ):
        assert total(after, sample, **labels) == total(before, sample, **labels) + 1
    resent = {"task": "roost.dial"}
    assert total(after, "roost_questions_resent_total", **resent) > total(
        before, "roost_questions_resent_total", **resent
    )


@pytest.fixture
def prometheus(office: Cluster, repository: Path, tmp_path: Path) -> Iterator[Prometheus]:
    """Evaluates the alerts as they are, but for how long they wait."""
    rules = yaml.safe_load((repository / "monitoring" / "alerts.yml").read_text())
    for rule in rules["groups"][0]["rules"]:
        rule["for"] = "1s"
    targets = [f"{ports.LOOPBACK}:{port}" for port in office.product.metrics_ports]
    with Prometheus(tmp_path / "prometheus", targets=targets, rules=yaml.safe_dump(rules)) as server:
        yield server


@pytest.mark.timeout(240)
def test_each_alert_fires_for_what_it_is_there_for(office: Cluster, prometheus: Prometheus) -> None:
    world = office.world

    def fires(*names: str) -> None:
        try:
            wait_until(lambda: set(names) <= prometheus.firing(), "they fire", PATIENCE)
        except AssertionError:
            assert prometheus.firing() >= set(names)
            raise

    wait_until(lambda: prometheus.value("count(roost_build_info)") == 8, "all are scraped", PATIENCE)
    office.settled()
    world.node("away", port=ports.free_port())
    stranger = connect(office.product.nodes["n1"], 5)
    cursor = stranger.cursor()
    assert cursor is not None
    stranger.apply([Rings("0001*099", "n1", "nowhere")], cursor)
    stranger.close()
    request_audit(office.database)
    with connect_broker(office.product.broker_url) as broker:
        broker.Producer().publish("died", routing_key=DEAD)
    assert office.call("desk002", "31001").outcome == "feature_code_differs"
    fires("RoostNodeDown", "RoostNodeDrifted", "RoostDeadLetters", "RoostFeatureCodeDiffers")

    stopped = [process for kind in ("bind", "beat") for process in office.product.of_kind(kind)]
    for process in stopped:
        process.kill()
    try:
        assert office.call("desk002", "*30").outcome == "unavailable"
        fires("RoostCallersHearSorry", "RoostQueueNotServed", "RoostBeatGone", "RoostProcessGone")
    finally:
        for process in stopped:
            process.start()

    world.sql("INSERT INTO roost_version (version) VALUES (99)")
    try:
        fires("RoostSchemaDiffers")
    finally:
        world.sql("DELETE FROM roost_version WHERE version = 99")

    office.reset()
    request_audit(office.database)
    lasting = {
        "RoostCallersHearSorry",
        "RoostFeatureCodeDiffers",
        "RoostNodeDrifted",
    }  # they look back over some minutes
    wait_until(lambda: prometheus.firing() <= lasting, "all is well again", PATIENCE)
