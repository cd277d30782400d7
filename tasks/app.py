"""The Celery app. It is nobody's "current app": whoever needs it imports it."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu import Connection


class Roost(Celery):
    """Celery, with heartbeats also on the connections that it publishes over (tasks/heartbeats.py)."""

    def connection_for_write(self, url: str | None = None, **more: Any) -> Connection:
        """A connection to publish over."""
        connection: Connection = super().connection_for_write(
            url, **{"heartbeat": self.conf.broker_heartbeat} | more
        )
        return connection


app = Roost("roost", set_as_current=False, task_cls="tasks.doors:GuardedTask")
app.config_from_object("tasks.config")
