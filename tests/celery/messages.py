"""Requests as they travel, for tests that send them by hand."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from roost.moves.requests import Dial, Return, SetCode, Try, Virtualize
from roost.seal import seal
from tests.cluster import Cluster
from tests.world import new_id

Message = dict[str, Any]


def dial(office: Cluster, phone: str, number: str = "", **fields: str) -> Message:
    """`*30<number>` was dialled."""
    return _message(
        Dial(request_id=new_id(), call=new_id(), phone=phone, number=number, made_at=office.world.now()),
        fields,
    )


def virtualize(office: Cluster, phone: str, number: str) -> Message:
    """An administrator puts the extension on the phone."""
    return _message(
        Virtualize(
            request_id=new_id(), origin="api", made_at=office.world.now(), organization="0001", phone=phone,
            number=number,
        )
    )  # fmt: skip


def return_home(office: Cluster, number: str) -> Message:
    """Somebody brings the extension home."""
    return _message(
        Return(
            request_id=new_id(), origin="web", made_at=office.world.now(), organization="0001", number=number
        )
    )


def attempt(office: Cluster, phone: str, number: str, digits: str) -> Message:
    """One try at the code, in a call of its own."""
    request_id = new_id()
    return _message(
        Try(
            request_id=request_id, call=new_id(), phone=phone, number=number, made_at=office.world.now(),
            sealed_code=_sealed(office, request_id, digits),
        )
    )  # fmt: skip


def set_code(office: Cluster, number: str, digits: str) -> Message:
    """The extension gets a code."""
    request_id = new_id()
    return _message(
        SetCode(
            request_id=request_id, origin="web", made_at=office.world.now(), organization="0001", number=number,
            sealed_code=_sealed(office, request_id, digits),
        )
    )  # fmt: skip


def _message(request: BaseModel, fields: dict[str, str] | None = None) -> Message:
    return request.model_dump(mode="json") | (fields or {})


def _sealed(office: Cluster, request_id: str, digits: str) -> str:
    return seal(office.product.settings.need("seal_public_key"), request_id, digits)
