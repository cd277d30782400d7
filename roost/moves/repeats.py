"""A request id names one request: the same id with other contents is refused, not answered."""

from __future__ import annotations

from roost.database import Database, query
from roost.errors import Invalid
from roost.moves.requests import Request, Return, SetCode, Virtualize


class RequestIdReused(Invalid):
    """The request id was used for another request."""

    code = "request_id_reused"


def check_repeat(database: Database, request: Request) -> None:
    """Raise RequestIdReused if the journal has another request under this id."""
    with database.connection() as connection:
        row = connection.execute(query("read_request"), {"request_id": request.request_id}).fetchone()
    if row is not None and not _is_same(request, *row):
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
