"""The asking side stays connected to the broker, whether it is idle or never is."""

from __future__ import annotations

import time

from structlog.testing import capture_logs

from roost.settings import Settings
from tasks.client import Client
from tests.cluster import Cluster

#: Seconds. A side that hears nothing for two of them gives the connection up.
HEARTBEAT = 3


def test_an_idle_and_a_busy_connection_outlive_their_heartbeats(cluster: Cluster) -> None:
    given = cluster.product.settings
    url = f"{given.need('broker_url')}?heartbeat={HEARTBEAT}"
    settings = Settings.model_validate(given.model_dump() | {"broker_url": url})
    with capture_logs() as logs, Client(settings) as idle, Client(settings) as busy:
        idle.ask_time().result()
        ends = time.monotonic() + 3 * HEARTBEAT
        while time.monotonic() < ends:
            busy.ask_time().result()
        lost = [entry for entry in logs if entry["event"] == "broker_lost"]
    assert lost == []
