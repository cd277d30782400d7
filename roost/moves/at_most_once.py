"""A request takes effect at most once, in time, and is written down once; a repeated one hears what the first came to.

A request is one call of a function in `roost/functions`, so one statement: its transaction begins and ends inside PostgreSQL,
and a worker that stops at any moment holds no lock. The function adds the request's row to the journal, whose primary key is
the request id: a second row under the same id is refused, and undoes whatever the second delivery did.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple

from psycopg import errors as pg
from psycopg.rows import TupleRow

from roost.database import Conflicting, Database, query
from roost.directory.fields import extension_key
from roost.errors import DatabaseTooSlow, DatabaseUnavailable, Invalid
from roost.moves.bound_ids import asked_id, bound_ids
from roost.moves.outcomes import Outcome
from roost.moves.requests import Answer, Dial, Request, Return, SetCode, Try, Virtualize
from roost.settings import Settings

_ASKED = (
    "ROW(%(request_id)s, %(made_at)s, %(expires_at)s, %(origin)s, %(actor)s, %(operation)s, %(reason)s, "
    "%(asked_from)s)::asked"
)


#: A call's name is good for that call, and for so long: `prune_calls` forgets its tries after the same time.
CALL_NAME_LASTS = timedelta(hours=1)


class RequestIdReused(Invalid):
    """The request id was used for another request."""

    code = "request_id_reused"


@dataclass(frozen=True, slots=True)
class Wish:
    """A request, and how PostgreSQL is asked for it: a function, and its parameters by name.

    `operation` is what the journal calls it; `late` says of what (organization, extension, phone) it is recorded as expired when it
    came too late to commit.
    """

    function: str
    request: Request
    operation: str
    late: Mapping[str, str | None]
    parameters: Mapping[str, object]


class AtMostOnce:
    """Asks PostgreSQL to do a request."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def settle(self, wish: Wish) -> Answer:
        """Do it; what came of it.

        If another delivery of the same request was faster, the recorded outcome is answered; if it came too late to
        commit, that it is expired is recorded instead.
        """
        request, asked = wish.request, self._asked(wish.request, wish.operation)
        try:
            return self._answer(
                request, _call(wish.function, tuple(wish.parameters)), asked | {**wish.parameters}
            )
        except pg.UniqueViolation as error:
            if error.diag.constraint_name != "journal_pkey":
                raise
            return self._recorded(request)
        except pg.CheckViolation as error:
            if error.diag.constraint_name != "in_time":
                raise
        return self.refuse(request, wish.operation, Outcome.EXPIRED, wish.late)

    def settle_together(self, wishes: Sequence[Wish]) -> list[Answer]:
        """Do them in one transaction, in order; an answer each. For `dial`, `virtualize` and `return_home` (settle_together.sql).

        Raises Conflicting when others hold a row for longer than moments (then `settle_free`), DatabaseUnavailable when PostgreSQL is
        away. Anything else that it raises may be the fault of one of them. None was done: `settle` each then.
        """
        rows = self._rows(wishes, skip_held=False)
        return [_answer(wish.request, row) for wish, row in zip(wishes, rows, strict=True)]

    def settle_free(self, wishes: Sequence[Wish]) -> list[Answer | None]:
        """As `settle_together`, but it waits for nobody: None for what needs a row that somebody holds; that was not done."""
        rows = self._rows(wishes, skip_held=True)
        return [
            None if row[0] is None else _answer(wish.request, row)
            for wish, row in zip(wishes, rows, strict=True)
        ]

    def _rows(self, wishes: Sequence[Wish], *, skip_held: bool) -> list[TupleRow]:
        jobs = [
            {
                "function": wish.function,
                "request": self._asked(wish.request, wish.operation),
                **wish.parameters,
            }
            for wish in wishes
        ]
        parameters = {"jobs": json.dumps(jobs, default=datetime.isoformat), "skip_held": skip_held}
        try:
            return self._ask_together(parameters)
        except (Conflicting, DatabaseTooSlow):
            raise
        except DatabaseUnavailable:
            return self._ask_together(
                parameters
            )  # what a lost connection has committed is found in the journal

    def _ask_together(self, parameters: Mapping[str, object]) -> list[TupleRow]:
        with self._database.connection() as connection:
            return connection.execute(query("settle_together"), parameters).fetchall()

    def refuse(
        self, request: Request, operation: str, outcome: Outcome, of: Mapping[str, str | None]
    ) -> Answer:
        """Record a refusal `of` something (organization, extension, phone); or answer what was recorded before."""
        with suppress(pg.UniqueViolation):
            return self._answer(
                request,
                query("record_refusal"),
                self._asked(request, operation) | {**of, "outcome": outcome},
            )
        return self._recorded(request)

    def _asked(self, request: Request, operation: str) -> dict[str, object]:
        return {
            "request_id": request.request_id,
            "made_at": request.made_at,
            "expires_at": self._expires_at(request),
            "origin": request.origin,
            "actor": request.actor,
            "operation": operation,
            "reason": request.reason,
            "asked_from": request.asked_from,
        }

    def _recorded(self, request: Request) -> Answer:
        """What the journal says of a request that is in it."""
        return self._answer(request, query("read_recorded"), {"request_id": request.request_id})

    def _answer(self, request: Request, statement: str, parameters: Mapping[str, object]) -> Answer:
        return _answer(request, self._database.statement(statement, parameters))

    def _expires_at(self, request: Request) -> datetime | None:
        """When the request is too old to take effect, by the database's clock; the system's own never are."""
        settings = self._settings
        if request.origin == "system":
            return None
        limit = settings.call_time_limit if request.origin == "call" else settings.request_time_limit
        return request.made_at + timedelta(seconds=limit)


def _answer(request: Request, row: TupleRow) -> Answer:
    outcome, now, organization, number, phone, displaced_number = row
    return Answer(
        request_id=request.request_id,
        outcome=Outcome(outcome),
        now=now,
        extension=extension_key(organization, number),
        phone=phone,
        displaced=extension_key(organization, displaced_number),
    )


@cache
def _call(function: str, parameters: tuple[str, ...]) -> str:
    """The statement that calls a function of ours with the request and these parameters."""
    named = "".join(f", {name} => %({name})s" for name in parameters)
    return f"SELECT * FROM {function}(request => {_ASKED}{named})"  # noqa: S608 - names from this package alone


class _Recorded(NamedTuple):
    """What the journal says of a request."""

    operation: str
    organization: str | None
    number: str | None
    phone: str | None
    asked_from: str | None
    outcome: str
    age: timedelta


def check_repeat(database: Database, request: Request) -> None:
    """Raise RequestIdReused if the journal has another request under this id: a request id names one request."""
    asked = asked_id(request.request_id)
    _check_recorded(database, request, asked, bound_ids(asked))


def check_answered(database: Database, request: Request, answer: Answer) -> None:
    """Raise RequestIdReused if what was answered is what another request under this id came to: they were made at one time."""
    if answer.outcome is Outcome.CODE_NEEDED:  # no row says whose it is, but the answer does
        if isinstance(request, Dial) and not _is_of(request, answer):
            raise RequestIdReused
    elif answer.outcome is not Outcome.UNAVAILABLE:
        _check_recorded(database, request, request.request_id, ("", ""))


def _check_recorded(database: Database, request: Request, asked: str, bound: tuple[str, str]) -> None:
    ids = {"request_id": request.request_id, "asked": asked, "bound_from": bound[0], "bound_to": bound[1]}
    with database.connection() as connection:
        rows = connection.execute(query("read_request"), ids).fetchall()
    if not all(_is_same(request, _Recorded(*row)) for row in rows):
        raise RequestIdReused


def _is_same(request: Request, found: _Recorded) -> bool:
    match request:
        case Dial() | Try():
            return _is_same_step(request, found)
        case Virtualize():
            # The homecoming of a phone's own extension is recorded with the phone it left.
            same = found.operation == "virtualize" and (
                found.phone == request.phone or found.outcome == "returned"
            )
        case Return():
            same = found.operation == "return"
        case SetCode():
            same = found.operation == ("clear_code" if request.sealed_code is None else "set_code")
        case _:
            return True
    return same and (found.organization, found.number) == (request.organization, request.number)


def _is_same_step(request: Dial | Try, found: _Recorded) -> bool:
    """Whether it is the same step of the same call. Some PBXes count their calls, and begin anew."""
    return (
        found.age < CALL_NAME_LASTS
        and found.operation == ("virtualize" if request.number else "return")
        and found.asked_from in (request.phone, None)  # 0.1.0 recorded none
        and (not request.number or found.number == request.number)
    )


def _is_of(request: Dial, answer: Answer) -> bool:
    number = (answer.extension or "").rpartition("*")[2]
    return (answer.phone, number) == (request.phone, request.number)
