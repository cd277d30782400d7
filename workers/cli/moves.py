"""`roost virtualize` and `roost return`: what an administrator may do without the secret code."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import ValidationError

from roost.directory.fields import PHONE_NAME, ExtensionKey
from roost.errors import Invalid
from roost.moves.requests import Return, Virtualize
from tasks.requests import RETURN, VIRTUALIZE
from workers.cli.answers import show_answer
from workers.cli.options import Key
from workers.cli.output import AsJson
from workers.cli.session import actor, database_time, new_request_id, open_client

Reason = Annotated[str, typer.Option(help="Written to the journal.")]


def virtualize(
    key: Key, phone: Annotated[str, typer.Argument(metavar="PHONE", help="Where it shall ring.")], *,
    reason: Reason = "", as_json: AsJson = False,
) -> None:  # fmt: skip
    """Move an extension to a phone, as an administrator: without its secret code."""
    named = ExtensionKey.parse(key)
    PHONE_NAME.check(phone)
    with open_client() as client:
        try:
            request = Virtualize(
                request_id=new_request_id(), origin="cli", actor=actor(), made_at=database_time(client),
                organization=named.organization, number=named.number, phone=phone, reason=reason,
            )  # fmt: skip
        except ValidationError:
            raise Invalid(_BAD_REASON) from None
        show_answer(client.call(VIRTUALIZE, request), subject=str(named), as_json=as_json)


def return_home(key: Key, *, reason: Reason = "", as_json: AsJson = False) -> None:
    """Bring an extension home, as an administrator."""
    named = ExtensionKey.parse(key)
    with open_client() as client:
        try:
            request = Return(
                request_id=new_request_id(), origin="cli", actor=actor(), made_at=database_time(client),
                organization=named.organization, number=named.number, reason=reason,
            )  # fmt: skip
        except ValidationError:
            raise Invalid(_BAD_REASON) from None
        show_answer(client.call(RETURN, request), subject=str(named), as_json=as_json)


#: The rest of the request was checked before.
_BAD_REASON = "A reason has at most 200 characters and no control characters."
