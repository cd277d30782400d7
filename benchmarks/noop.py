"""The baseline of every other figure: a task that touches nothing, asked for and answered as a bind is."""

from __future__ import annotations

from typing import Any

from celery import Task

from roost.moves.doors import Door
from roost.moves.outcomes import Outcome
from roost.moves.requests import Answer
from tasks.app import app
from tasks.replies import send_answer

NOOP = "bench.noop"


@app.task(name=NOOP, bind=True, doors=frozenset(Door))
def noop(self: Task[Any, Any], message: dict[str, Any]) -> None:
    """Answer at once."""
    send_answer(self.request.reply_to, Answer(request_id=message["request_id"], outcome=Outcome.NOTED))
