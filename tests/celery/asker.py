"""Sends what it likes to our queues, and hears the answers."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from celery import Celery
from kombu import Consumer, Queue

from roost.moves.requests import Answer
from tasks.topology import queue_of


class Asker:
    """A reply queue of its own, and the answers that came, by request id."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._connection = app.connection_for_write()
        self._name = f"reply.{uuid.uuid4().hex}"
        self._producer = self._connection.Producer(auto_declare=False)
        replies = Queue(self._name, durable=False, exclusive=True, auto_delete=True)
        self._consumer = Consumer(
            self._connection.channel(), [replies], callbacks=[self._heard], no_ack=True, accept=["json"]
        )
        self.answers: dict[str, list[Answer]] = {}

    def __enter__(self) -> Self:
        self._consumer.consume()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.release()

    def send(self, task: str, *arguments: Any, queue: Any = None, **keywords: Any) -> None:
        """Send a task as any Celery client would."""
        self._app.send_task(
            task, arguments, keywords, queue=queue or queue_of(task), reply_to=self._name, retry=False,
            ignore_result=True,
        )  # fmt: skip

    def send_raw(
        self, queue: str, body: bytes, *, content_type: str = "application/json", **headers: Any
    ) -> None:
        """Send bytes that need not be a task."""
        self._producer.publish(
            body, exchange="", routing_key=queue, content_type=content_type, content_encoding="utf-8",
            headers=headers, reply_to=self._name, correlation_id=uuid.uuid4().hex, delivery_mode=2,
        )  # fmt: skip

    def hear(self, *request_ids: str, deadline: float = 20) -> list[Answer]:
        """The first answer to each of these requests, waited for."""
        ends = time.monotonic() + deadline
        while missing := [one for one in request_ids if one not in self.answers]:
            left = ends - time.monotonic()
            assert left > 0, f"no answer to {len(missing)} of {len(request_ids)} within {deadline:g} s"
            try:
                self._connection.drain_events(timeout=left)
            except TimeoutError:
                continue
        return [self.answers[one][0] for one in request_ids]

    def heard(self) -> bool:
        """Whether any answer came so far."""
        with suppress(TimeoutError):
            self._connection.drain_events(timeout=0.01)
        return bool(self.answers)

    def ask(self, task: str, message: dict[str, Any]) -> Answer:
        """Send one request, and hear its answer."""
        self.send(task, message)
        return self.hear(message["request_id"])[0]

    def _heard(self, body: object, _: object) -> None:
        answer = Answer.model_validate(json.loads(body) if isinstance(body, str) else body)
        self.answers.setdefault(answer.request_id, []).append(answer)
