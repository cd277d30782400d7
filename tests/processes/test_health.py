"""`python -m workers.health KIND`: true for what works, false with a reason for what does not."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from localcluster import ports
from tests.cluster import Cluster
from tests.processes.test_metrics import scraped, total
from tests.warm import run_module

KINDS = ["center", "bind", "verify", "push", "beat", "web"]


@pytest.fixture
def cluster(web_cluster: Cluster) -> Cluster:
    """The one with a process of each kind."""
    return web_cluster


def look(cluster: Cluster, kind: str, **changed: str) -> subprocess.CompletedProcess[str]:
    """Ask for the health of a process of the cluster."""
    places = {
        "ROOST_CENTER_PORT": str(cluster.product.center_ports[0]),
        "ROOST_WEB_PORT": str(cluster.product.web_ports[0]),
    }
    environment = {"PYTHONPATH": cluster.product.import_path} | cluster.product.environment | places | changed
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROOST_")}
    return run_module(["workers.health", kind], kept | environment, cluster.product.folder, timeout=40)


def look_at_all(cluster: Cluster) -> dict[str, subprocess.CompletedProcess[str]]:
    """Ask for the health of one process of each kind, all at once."""
    with ThreadPoolExecutor(len(KINDS)) as askers:
        return dict(zip(KINDS, askers.map(lambda kind: look(cluster, kind), KINDS), strict=True))


@contextmanager
def frozen(cluster: Cluster) -> Iterator[None]:
    """All processes hang."""
    for process in cluster.product.processes.values():
        process.pause()
    try:
        yield
    finally:
        for process in cluster.product.processes.values():
            process.resume()


def test_what_works_is_well(cluster: Cluster) -> None:
    for kind, told in look_at_all(cluster).items():
        assert (kind, told.returncode, told.stderr) == (kind, 0, "")


def test_a_health_check_is_no_call(cluster: Cluster) -> None:
    before = total(scraped(cluster)["center"], "roost_calls_total")
    assert look(cluster, "center").returncode == 0
    assert total(scraped(cluster)["center"], "roost_calls_total") == before
    logs = [process.log.read_text() for process in cluster.product.of_kind("center")]
    assert not [log for log in logs if "(health check)" in log]


def test_what_hangs_is_not_well_and_the_reason_is_told(cluster: Cluster) -> None:
    with frozen(cluster):
        found = look_at_all(cluster)
    for kind, told in found.items():
        assert told.returncode == 1, kind
        assert told.stderr.startswith(f"{kind}: It cannot do its work now."), kind
        assert "Traceback" not in told.stderr, kind


@pytest.mark.parametrize("kind", ["center", "beat"])
def test_without_rabbitmq_nothing_is_well(cluster: Cluster, kind: str) -> None:
    secret = "not-to-be-told"
    nobody = f"amqp://roost:{secret}@{ports.LOOPBACK}:{ports.free_port()}/"
    told = look(cluster, kind, ROOST_BROKER_URL=nobody)
    assert told.returncode == 1
    assert "RabbitMQ" in told.stderr
    assert secret not in told.stderr


def test_without_postgresql_no_worker_is_well(cluster: Cluster) -> None:
    secret = "not-to-be-told"
    nobody = f"postgresql://roost:{secret}@{ports.LOOPBACK}:{ports.free_port()}/roost"
    told = look(cluster, "bind", ROOST_DATABASE_URL=nobody)
    assert told.returncode == 1
    assert "PostgreSQL" in told.stderr
    assert secret not in told.stderr


def test_a_center_that_is_gone_is_told_from_one_that_hangs(cluster: Cluster) -> None:
    told = look(cluster, "center", ROOST_CENTER_PORT=str(ports.free_port()))
    assert told.returncode == 1
    assert "ConnectionRefusedError" in told.stderr
