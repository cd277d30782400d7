"""The jobs that people ask for, by whichever door. Queue `bind`: dial, virtualize, return, clock. Queue `verify`: verify, set_code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from celery import Task
from pydantic import ValidationError

from roost.errors import DatabaseUnavailable
from roost.moves.at_most_once import RequestIdReused
from roost.moves.doors import Door, may_ask
from roost.moves.outcomes import CHANGED, Outcome
from roost.moves.requests import Answer, Dial, Request, Return, SetCode, Try, Virtualize
from roost.moves.secret_codes import BadCode
from roost.seal import SealBroken
from tasks import resources
from tasks.app import app
from tasks.broker import BROKER_LOST
from tasks.doors import door_of
from tasks.messages import publish_job
from tasks.outages import DATABASE
from tasks.replies import send_answer
from tasks.topology import BIND

log = structlog.get_logger(__name__)
R = TypeVar("R", bound=Request)

DIAL = "roost.dial"
VIRTUALIZE = "roost.virtualize"
RETURN = "roost.return"
CLOCK = "roost.clock"
VERIFY = "roost.verify"
SET_CODE = "roost.set_code"

_ANY = frozenset(Door)
#: Moves that wait in a worker are settled in one transaction; the tasks below are what becomes of one that must be taken alone.
_TOGETHER = "tasks.together:strategy"


@app.task(name=DIAL, bind=True, doors=_ANY, asks=Dial, Strategy=_TOGETHER)
def dial(self: Task[Any, Any], message: dict[str, Any]) -> str:
    """A call to the Center came in."""
    return _serve(self, Dial, message, lambda request: resources.binding().dial(request))


@app.task(name=VIRTUALIZE, bind=True, doors=_ANY, asks=Virtualize, Strategy=_TOGETHER)
def virtualize(self: Task[Any, Any], message: dict[str, Any]) -> str:
    """Put an extension on a phone."""
    return _serve(self, Virtualize, message, lambda request: resources.binding().virtualize(request))


@app.task(name=RETURN, bind=True, doors=_ANY, asks=Return, Strategy=_TOGETHER)
def return_home(self: Task[Any, Any], message: dict[str, Any]) -> str:
    """Bring an extension home."""
    return _serve(self, Return, message, lambda request: resources.binding().return_home(request))


@app.task(name=VERIFY, bind=True, doors=_ANY)
def verify(self: Task[Any, Any], message: dict[str, Any]) -> str:
    """One try at the code. A right one goes on to be bound, under the same request id, for the same asker."""

    def work(request: Try) -> Answer | None:
        answer = resources.verifying().verify(request)
        if answer.outcome is not Outcome.CODE_RIGHT:
            return answer
        move = Virtualize(**request.model_dump(exclude={"sealed_code"}))
        try:
            with app.producer_or_acquire() as producer:
                publish_job(
                    producer, VIRTUALIZE, move.model_dump(mode="json"), BIND, reply_to=self.request.reply_to
                )
        except BROKER_LOST as error:  # the asker sends the same try again, which is as right then
            log.warning("answer_lost", request_id=request.request_id, error=type(error).__name__)
        return None

    return _serve(self, Try, message, work)


@app.task(name=SET_CODE, bind=True, doors=_ANY)
def set_code(self: Task[Any, Any], message: dict[str, Any]) -> str:
    """Set, replace or clear a secret code."""
    return _serve(self, SetCode, message, lambda request: resources.verifying().set_code(request))


@app.task(name=CLOCK, bind=True, doors=_ANY)
def clock(self: Task[Any, Any], request_id: str) -> str:
    """What time is it? Front doors date their requests by the answer."""
    try:
        with resources.database().connection() as connection:
            row = connection.execute("SELECT clock_timestamp()").fetchone()
    except DatabaseUnavailable as error:
        DATABASE.gone(task=CLOCK, error=str(error))
        send_answer(self.request.reply_to, Answer(request_id=request_id, outcome=Outcome.UNAVAILABLE))
        return Outcome.UNAVAILABLE
    assert row is not None  # it always has one
    send_answer(self.request.reply_to, Answer(request_id=request_id, outcome=Outcome.NOTED, now=row[0]))
    return Outcome.NOTED


def _serve(
    task: Task[Any, Any], model: type[R], message: dict[str, Any], work: Callable[[R], Answer | None]
) -> str:
    """Parse, do, answer; what changed is announced to the nodes. The outcome."""
    asker = task.request.reply_to
    try:
        request = model.model_validate(message)
        door = door_of(task.request)
        answer = work(request) if door and may_ask(door, request) else _refused(task.name, door, request)
        DATABASE.back()
    except (ValidationError, SealBroken, BadCode, RequestIdReused) as error:
        # A validation error quotes its input: only the fields' names are fit for a log.
        fields = (
            [".".join(map(str, e["loc"])) for e in error.errors()]
            if isinstance(error, ValidationError)
            else []
        )
        log.warning("bad_request", task=task.name, error=type(error).__name__, fields=fields)
        answer = Answer(
            request_id=_request_id(message), outcome=Outcome.BAD_REQUEST, id_reused=isinstance(error, RequestIdReused)
        )  # fmt: skip
    except DatabaseUnavailable as error:
        DATABASE.gone(task=task.name, error=str(error))
        answer = Answer(request_id=_request_id(message), outcome=Outcome.UNAVAILABLE)
    if answer is None:
        return Outcome.CODE_RIGHT
    send_answer(asker, answer)  # first: a person waits for it
    if answer.outcome in CHANGED or answer.outcome is Outcome.CODE_CLEARED:
        resources.announcer().changed()
    return answer.outcome


def _refused(task: str, door: Door | None, request: Request) -> Answer:
    log.error("request_refused", task=task, door=door, origin=request.origin, request_id=request.request_id)
    return Answer(request_id=request.request_id, outcome=Outcome.BAD_REQUEST)


def _request_id(message: object) -> str:
    return str(message.get("request_id", ""))[:200] if isinstance(message, dict) else ""
