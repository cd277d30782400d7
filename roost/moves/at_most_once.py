"""A request takes effect at most once, in time, and is written down once; a repeated one hears what the first came to.

A request is one call of a function in `roost/functions`, so one statement: its transaction begins and ends inside PostgreSQL,
and a worker that stops at any moment holds no lock. The function adds the request's row to the journal, whose primary key is
the request id: a second row under the same id is refused, and undoes whatever the second delivery did.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache

from psycopg import errors as pg

from roost.database import Database, query
from roost.directory.fields import extension_key
from roost.errors import Invalid
from roost.moves.bound_ids import asked_id, bound_ids
from roost.moves.outcomes import Outcome
from roost.moves.requests import Answer, Request, Return, SetCode, Virtualize
from roost.settings import Settings

_ASKED = (
    "ROW(%(request_id)s, %(made_at)s, %(expires_at)s, %(origin)s, %(actor)s, %(operation)s, %(reason)s, "
    "%(asked_from)s)::asked"
)


class RequestIdReused(Invalid):
    """The request id was used for another request."""

    code = "request_id_reused"


class AtMostOnce:
    """Asks PostgreSQL to do a request."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def settle(
        self,
        function: str,
        request: Request,
        operation: str,
        late: dict[str, str | None],
        **parameters: object,
    ) -> Answer:
        """Call the function with the request, and with its other parameters by name; what came of it.

        If another delivery of the same request was faster, the recorded outcome is answered; if it came too late to
        commit, that it is expired is recorded instead, of what `late` names (organization, extension, phone).
        """
        asked = self._asked(request, operation)
        try:
            return self._answer(request, _call(function, tuple(parameters)), asked | parameters)
        except pg.UniqueViolation as error:
            if error.diag.constraint_name != "journal_pkey":
                raise
            return self._recorded(request)
        except pg.CheckViolation as error:
            if error.diag.constraint_name != "in_time":
                raise
        return self.refuse(request, operation, Outcome.EXPIRED, late)

    def refuse(self, request: Request, operation: str, outcome: Outcome, of: dict[str, str | None]) -> Answer:
        """Record a refusal `of` something (organization, extension, phone); or answer what was recorded before."""
        with suppress(pg.UniqueViolation):
            return self._answer(
                request, query("record_refusal"), self._asked(request, operation) | of | {"outcome": outcome}
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

    def _answer(self, request: Request, statement: str, parameters: dict[str, object]) -> Answer:
        outcome, now, organization, number, phone, displaced_number = self._database.statement(
            statement, parameters
        )
        return Answer(
            request_id=request.request_id,
            outcome=Outcome(outcome),
            now=now,
            extension=extension_key(organization, number),
            phone=phone,
            displaced=extension_key(organization, displaced_number),
        )

    def _expires_at(self, request: Request) -> datetime | None:
        """When the request is too old to take effect, by the database's clock; the system's own never are."""
        settings = self._settings
        if request.origin == "system":
            return None
        limit = settings.call_time_limit if request.origin == "call" else settings.request_time_limit
        return request.made_at + timedelta(seconds=limit)


@cache
def _call(function: str, parameters: tuple[str, ...]) -> str:
    """The statement that calls a function of ours with the request and these parameters."""
    named = "".join(f", {name} => %({name})s" for name in parameters)
    return f"SELECT * FROM {function}(request => {_ASKED}{named})"  # noqa: S608 - names from this package alone


def check_repeat(database: Database, request: Request) -> None:
    """Raise RequestIdReused if the journal has another request under this id: a request id names one request."""
    with database.connection() as connection:
        asked = asked_id(request.request_id)
        first, end = bound_ids(asked)
        ids = {"request_id": request.request_id, "asked": asked, "bound_from": first, "bound_to": end}
        rows = connection.execute(query("read_request"), ids).fetchall()
    if not all(_is_same(request, *row) for row in rows):
        raise RequestIdReused


def _is_same(
    request: Request, operation: str, organization: str, number: str, phone: str, outcome: str
) -> bool:
    match request:
        case Virtualize():
            # The homecoming of a phone's own extension is recorded with the phone it left.
            same = operation == "virtualize" and (phone == request.phone or outcome == "returned")
        case Return():
            same = operation == "return"
        case SetCode():
            same = operation == ("clear_code" if request.sealed_code is None else "set_code")
        case _:
            return True
    return same and (organization, number) == (request.organization, request.number)
