"""The heartbeats of the connections over which a worker answers and the beat asks, which lie in the app's pool.

Celery keeps a heartbeat for the connection that a worker consumes over alone. A broker that stands still, or a proxy before it, still takes
bytes: without heartbeats answers and requests for a sweep would vanish there for as long as that lasts, though another broker serves.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import structlog
from kombu import Connection
from kombu.exceptions import LimitExceeded

from tasks.app import app
from tasks.broker import BROKER_LOST, NO_BROKER, why_broker_lost

#: Seconds from one look to the next; the client wants about one (`heartbeat_check`).
LOOK_EVERY = 1.0

log = structlog.get_logger(__name__)


def keep_heartbeats() -> None:
    """Keep up the heartbeats in a thread, as long as this process runs."""
    threading.Thread(target=_run, name="heartbeats", daemon=True).start()


def _run() -> None:
    while True:
        try:
            _look_at_all()
        except Exception:
            # Whatever it is: without this thread RabbitMQ would end each connection that it hears nothing from.
            log.exception("fault", doing="keeping heartbeats")
        time.sleep(LOOK_EVERY)


def _look_at_all() -> None:
    """Look at each connection that nobody uses just now.

    Who wants one meanwhile waits: for less than milliseconds, and where a broker takes no more bytes for the deadline of sending.
    """
    idle = list[Connection]()
    try:
        with suppress(LimitExceeded):
            while True:
                idle.append(app.pool.acquire(block=False))
        for connection in idle:
            if connection.connected:
                _look_at(connection)
    finally:
        for connection in reversed(idle):  # so the one that was used last is used next, as before
            connection.release()


def _look_at(connection: Connection) -> None:
    try:
        with suppress(TimeoutError):
            while True:
                connection.drain_events(timeout=0)
        connection.heartbeat_check()
    except (*BROKER_LOST, *NO_BROKER) as error:
        connection.collect()  # no goodbye: the broker may be frozen; who needs it connects it again, to the next broker
        log.info("broker_lost", doing="keeping heartbeats", why=why_broker_lost(error))
