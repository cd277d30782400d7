"""Asking from outside the workers: front doors send requests as tasks, and hear the outcomes.

One thread sends, one listens on one exclusive queue, and one, which never touches the network, keeps the deadlines.
On silence the same request, with the same id, is sent again; a wait never outlives its deadline, whatever the
broker does.
"""

from __future__ import annotations

import heapq
import queue
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

import structlog
from kombu import Connection, Consumer, Queue
from pydantic import BaseModel, TypeAdapter, ValidationError

from roost.errors import BrokerUnavailable
from roost.moves.doors import Door
from roost.moves.requests import Answer
from roost.settings import Settings
from tasks.broker import BROKER_LOST, BROKER_REFUSED, connect, why_broker_lost
from tasks.doors import exchange_of
from tasks.measures import ANSWERED, RESENT, UNANSWERED
from tasks.messages import publish_job
from tasks.topology import prepare, queue_of

#: Requests on their way at once; a further one hears "unavailable" at once.
MAX_PENDING = 20_000
#: Between tries to reach the broker.
RECONNECT_AFTER = 0.5
#: While the broker is known to be away, a request waits no longer than this for its return.
PATIENCE = 1.0

log = structlog.get_logger(__name__)

_SEVERAL = TypeAdapter(list[Answer])


@dataclass(slots=True)
class _Pending:
    task: str
    request_id: str
    message: Any
    asked_at: float
    deadline: float
    sent_over: Connection | None = None
    futures: list[Future[Answer]] = field(default_factory=list)


class Client:
    """Asks by one door. Thread-safe. Use as a context manager, or call `close`."""

    def __init__(self, settings: Settings, door: Door = Door.DESK) -> None:
        self._settings = settings
        self._door = door
        self._exchange = exchange_of(door)
        self._url = settings.need("broker_url")
        self._pending: dict[str, _Pending] = {}
        self._deadlines: list[tuple[float, str]] = []
        self._lock = threading.Lock()
        self._new_deadline = threading.Condition(self._lock)
        self._to_send: queue.Queue[str] = queue.Queue(MAX_PENDING)
        self._reply_to: str | None = None
        self._lost: dict[str, str] = {}  # which thread has no connection, and why
        self._unanswered = False  # whether the last request that ended was answered by nobody
        self._listening = threading.Event()
        self._closing = threading.Event()
        self._threads = [
            threading.Thread(target=self._listen, name="client-listen", daemon=True),
            threading.Thread(target=self._send, name="client-send", daemon=True),
            threading.Thread(target=self._keep_deadlines, name="client-deadlines", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End both threads; whoever still waits hears BrokerUnavailable."""
        self._closing.set()
        with self._new_deadline:
            self._new_deadline.notify()
            left = list(self._pending)
        for request_id in left:
            self._fail(request_id)
        for thread in self._threads:
            thread.join(timeout=10)

    def submit(self, task: str, request: BaseModel, *, deadline: float | None = None) -> Future[Answer]:
        """Send a request (a model of roost.moves.requests) to a task. The future fails with BrokerUnavailable.

        The same id may be submitted again while it is on its way: both hear the one answer.
        """
        message = request.model_dump(mode="json")
        return self._submit(task, message["request_id"], message, deadline)

    def call(self, task: str, request: BaseModel, *, deadline: float | None = None) -> Answer:
        """`submit`, and wait. Raises BrokerUnavailable."""
        return self.submit(task, request, deadline=deadline).result()

    @property
    def is_connected(self) -> bool:
        """Whether RabbitMQ was there when it was last needed."""
        return not self._lost

    def ask_time(self, *, deadline: float | None = None) -> Future[Answer]:
        """Ask for the database's time; its answer's `now` is it."""
        request_id = f"clock:{uuid.uuid4().hex}"
        return self._submit("roost.clock", request_id, request_id, deadline)

    def _submit(self, task: str, request_id: str, message: Any, deadline: float | None) -> Future[Answer]:
        future: Future[Answer] = Future()
        patience = deadline or self._settings.answer_deadline
        now = time.monotonic()
        ends = now + (min(patience, PATIENCE) if self._lost else patience)
        with self._lock:
            pending = self._pending.get(request_id)
            if pending is not None:  # a second message could be settled long after the first one's answer
                pending.futures.append(future)
                return future
            self._pending[request_id] = _Pending(task, request_id, message, now, ends, futures=[future])
            heapq.heappush(self._deadlines, (ends, request_id))
            self._new_deadline.notify()
        try:
            self._to_send.put_nowait(request_id)
        except queue.Full:
            self._fail(request_id)
        return future

    # --- sending ---

    def _send(self) -> None:
        while not self._closing.is_set():
            with self._survive("send"), self._connect("send") as connection:
                self._send_over(connection)

    def _send_over(self, connection: Connection) -> None:
        """Send what is new, and again what is unanswered; raises when the connection fails."""
        prepare(connection, self._door)
        producer = connection.Producer(auto_declare=False)
        with self._lock:  # what an earlier connection sent may be lost with it
            again = [(0.0, request_id) for request_id in self._pending]
        heartbeat = time.monotonic()
        while not self._closing.is_set():
            wait = min(0.2, max(0.0, again[0][0] - time.monotonic())) if again else 0.2
            if not again or self._listening.wait(0.2):  # without a queue for answers nothing can be sent
                with suppress(queue.Empty):
                    heapq.heappush(again, (0.0, self._to_send.get(timeout=wait)))
            while again and again[0][0] <= time.monotonic() and self._listening.is_set():
                due, request_id = heapq.heappop(again)
                pending = self._pending.get(request_id)
                if pending is None or (not due and pending.sent_over is connection):
                    continue  # it was new when the connection was, and is in both
                heapq.heappush(again, (time.monotonic() + self._settings.answer_resend_after, request_id))
                self._publish(producer, pending)
                pending.sent_over = connection
            if time.monotonic() - heartbeat > 1:
                heartbeat = time.monotonic()
                with suppress(TimeoutError):
                    connection.drain_events(timeout=0.001)  # or the broker's own heartbeats count as missed
                connection.heartbeat_check()

    def _publish(self, producer: Any, pending: _Pending) -> None:
        if pending.sent_over is not None:
            RESENT.labels(pending.task).inc()
        publish_job(
            producer, pending.task, pending.message, queue_of(pending.task),
            exchange=self._exchange, reply_to=self._reply_to, correlation_id=pending.request_id,
        )  # fmt: skip

    # --- deadlines ---

    def _keep_deadlines(self) -> None:
        while not self._closing.is_set():
            late = []
            with self._new_deadline:
                next_one = self._deadlines[0][0] - time.monotonic() if self._deadlines else None
                self._new_deadline.wait(next_one)
                while self._deadlines and self._deadlines[0][0] <= time.monotonic():
                    late.append(heapq.heappop(self._deadlines))
                late = [(ends, name) for ends, name in late if self._is_late(name, ends)]
            for _, request_id in late:
                self._unanswered = True
                self._fail(request_id)

    def _is_late(self, request_id: str, ends: float) -> bool:
        """Whether it still waits, and is not a later request of the same id."""
        pending = self._pending.get(request_id)
        return pending is not None and pending.deadline <= ends

    # --- listening ---

    def _listen(self) -> None:
        while not self._closing.is_set():
            with self._survive("listen"), self._connect("listen") as connection:
                self._listen_on(connection)
            self._listening.clear()

    def _listen_on(self, connection: Connection) -> None:
        # A fresh name each time: the broker may not have noticed yet that the last owner is gone.
        name = f"reply.{self._door}.{uuid.uuid4().hex}"
        replies = Queue(name, durable=False, exclusive=True, auto_delete=True)
        consumer = Consumer(
            connection.channel(), [replies], callbacks=[self._heard], no_ack=True, accept=["json"],
            on_decode_error=_unreadable,
        )  # fmt: skip
        with consumer:
            self._reply_to = name
            self._listening.set()
            heartbeat = time.monotonic()
            while not self._closing.is_set():
                with suppress(TimeoutError):
                    connection.drain_events(timeout=0.2)
                if (
                    time.monotonic() - heartbeat > 1
                ):  # also while answers never cease: we say nothing else here
                    heartbeat = time.monotonic()
                    connection.heartbeat_check()

    def _heard(self, body: object, message: Any) -> None:
        try:
            answers = _read_answers(body)
        except ValidationError as error:
            _unreadable(message, error)
            return
        for answer in answers:
            self._answered(answer)

    def _answered(self, answer: Answer) -> None:
        with self._lock:
            pending = self._pending.pop(answer.request_id, None)
            self._unanswered = False
        if pending is not None:
            ANSWERED.labels(pending.task).observe(time.monotonic() - pending.asked_at)
        for future in pending.futures if pending else ():
            if future.set_running_or_notify_cancel():  # who hung up does not wait any more
                future.set_result(answer)

    # --- both ---

    def _fail(self, request_id: str) -> None:
        with self._lock:
            pending = self._pending.pop(request_id, None)
        if pending is not None:
            UNANSWERED.labels(pending.task).inc()
        for future in pending.futures if pending else ():
            if future.set_running_or_notify_cancel():
                future.set_exception(BrokerUnavailable(next(iter(self._lost.values()), "")))

    @contextmanager
    def _connect(self, doing: str) -> Iterator[Connection]:
        """A connection. After a request that nobody answered it ends with no goodbye: the broker might not answer that either."""
        connection = connect(self._url, heartbeat=10)
        if self._lost.pop(doing, None) is not None:
            log.warning("broker_back", doing=doing)
        try:
            yield connection
        finally:
            if self._unanswered:
                connection.collect()
            else:
                connection.release()

    @contextmanager
    def _survive(self, doing: str) -> Iterator[None]:
        """A lost connection is logged, once for each reason, and tried again after a pause. A login that is refused ends every wait at once."""
        try:
            yield
        except BROKER_LOST as error:
            if self._closing.is_set():
                return
            why = why_broker_lost(error)
            if self._lost.get(doing) != why:
                log.warning("broker_lost", doing=doing, error=type(error).__name__, why=why)
            self._lost[doing] = why
            if isinstance(error, BROKER_REFUSED):
                with self._lock:
                    waiting = list(self._pending)
                for request_id in waiting:
                    self._fail(request_id)
            self._closing.wait(RECONNECT_AFTER)
        except Exception:
            # Whatever it is: without this thread nobody would be answered until the process is started anew.
            log.exception("fault", doing=doing)
            self._closing.wait(RECONNECT_AFTER)


def _unreadable(message: Any, _error: Exception) -> None:
    log.warning("answer_unreadable", correlation_id=message.properties.get("correlation_id"))


def _read_answers(body: object) -> list[Answer]:
    """The answers in a message: one, or a list of them. Raises ValidationError."""
    if isinstance(body, str) and not body.startswith("["):
        return [Answer.model_validate_json(body)]
    if isinstance(body, str):
        return _SEVERAL.validate_json(body)
    return _SEVERAL.validate_python(body if isinstance(body, list) else [body])
