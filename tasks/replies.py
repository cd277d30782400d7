"""Outcomes go straight to the reply queue of whoever asked, with the request id as correlation id."""

from __future__ import annotations

import structlog

from roost.moves.requests import Answer
from tasks.app import app
from tasks.broker import BROKER_LOST
from tasks.doors import is_reply_queue

log = structlog.get_logger(__name__)


def send_answer(reply_to: str | None, answer: Answer) -> None:
    """Answer; a lost answer harms nobody, for the same request id is asked again and answered the same."""
    if not reply_to or not is_reply_queue(reply_to):
        return
    try:
        with app.producer_or_acquire() as producer:
            producer.publish(
                answer.model_dump_json(), exchange="", routing_key=reply_to, content_type="application/json",
                content_encoding="utf-8", correlation_id=answer.request_id, delivery_mode="transient", retry=False,
            )  # fmt: skip
    except BROKER_LOST as error:
        log.warning("answer_lost", request_id=answer.request_id, error=type(error).__name__)
