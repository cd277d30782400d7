"""Outcomes go straight to the reply queue of whoever asked.

A message holds an answer, with the request id as correlation id, or a list of answers to one asker.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from roost.moves.requests import Answer
from tasks.app import app
from tasks.broker import BROKER_LOST
from tasks.doors import is_reply_queue, takes_several

log = structlog.get_logger(__name__)


def send_answer(reply_to: str | None, answer: Answer) -> None:
    """Answer. A lost answer harms nobody: the asker sends the same request again, and gets the same answer."""
    send_answers([(reply_to, answer)])


def send_answers(answers: Sequence[tuple[str | None, Answer]]) -> None:
    """Answer several; those of one asker go in one message, if it is of a release that understands that."""
    for_whom: dict[str, list[Answer]] = {}
    for reply_to, answer in answers:
        if reply_to and is_reply_queue(reply_to):
            for_whom.setdefault(reply_to, []).append(answer)
    if not for_whom:
        return
    try:
        with app.producer_or_acquire() as producer:
            for reply_to, some in for_whom.items():
                if len(some) > 1 and takes_several(reply_to):
                    bodies = [f"[{','.join(answer.model_dump_json() for answer in some)}]"]
                else:
                    bodies = [answer.model_dump_json() for answer in some]
                for body, answer in zip(bodies, some, strict=False):
                    producer.publish(
                        body, exchange="", routing_key=reply_to, content_type="application/json",
                        content_encoding="utf-8", correlation_id=answer.request_id, delivery_mode="transient", retry=False,
                    )  # fmt: skip
    except BROKER_LOST as error:
        log.warning(
            "answer_lost",
            request_id=answers[0][1].request_id,
            answers=len(answers),
            error=type(error).__name__,
        )
