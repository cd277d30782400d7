"""The Celery app. It is nobody's "current app": whoever needs it imports it."""

from __future__ import annotations

from celery import Celery

app = Celery("roost", set_as_current=False, task_cls="tasks.doors:GuardedTask")
app.config_from_object("tasks.config")
