"""The asking side stays connected to the brokers, finds one that lives, and knows when there is none."""

from __future__ import annotations

import time

import pytest
from structlog.testing import capture_logs

from localcluster import ports
from roost.errors import BrokerUnavailable
from roost.settings import Settings
from tasks.client import Client
from tests.cluster import Cluster

#: Seconds. A side that hears nothing for two of them gives the connection up.
HEARTBEAT = 3


def test_an_idle_and_a_busy_connection_outlive_their_heartbeats(cluster: Cluster) -> None:
    settings = _settings(cluster, f"{cluster.product.settings.need('broker_url')}?heartbeat={HEARTBEAT}")
    with capture_logs() as logs, Client(settings) as idle, Client(settings) as busy:
        idle.ask_time().result()
        ends = time.monotonic() + 3 * HEARTBEAT
        while time.monotonic() < ends:
            busy.ask_time().result()
        lost = [entry for entry in logs if entry["event"] == "broker_lost"]
    assert lost == []


def test_while_no_broker_is_there_who_asks_hears_so_soon(cluster: Cluster) -> None:
    with Client(_settings(cluster, _nowhere())) as client:
        with pytest.raises(BrokerUnavailable):
            client.ask_time().result()
        started = time.monotonic()
        with pytest.raises(BrokerUnavailable):
            client.ask_time().result()
        assert time.monotonic() - started < 2


def test_any_broker_of_the_list_will_do(cluster: Cluster) -> None:
    urls = [_nowhere(), _nowhere(), _nowhere(), cluster.product.settings.need("broker_url")]
    with Client(_settings(cluster, ";".join(urls))) as client:
        assert client.ask_time().result().now is not None


def _nowhere() -> str:
    return f"amqp://nobody@127.0.0.1:{ports.free_port()}//"


def _settings(cluster: Cluster, broker_url: str) -> Settings:
    return Settings.model_validate(cluster.product.settings.model_dump() | {"broker_url": broker_url})
