"""Lists page by cursor: an opaque text that says where the next part begins."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query
from pydantic import BaseModel

from roost.errors import Invalid
from workers.web.api.models import Page

R = TypeVar("R")
M = TypeVar("M", bound=BaseModel)

Limit = Annotated[int, Query(ge=1, le=500, description="How many items at most.")]
Cursor = Annotated[
    str | None, Query(max_length=400, pattern="^[A-Za-z0-9_-]*$", description="`next` of the part before.")
]


class BadCursor(Invalid):
    """The cursor is not one that a list gave."""

    code = "bad_cursor"


def read_cursor(cursor: str | None, parts: int = 1) -> list[str] | None:
    """The texts a cursor holds. Raises BadCursor."""
    if not cursor:
        return None
    try:
        values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        raise BadCursor from None
    if not (
        isinstance(values, list)
        and len(values) == parts
        and all(isinstance(v, str) and v.isprintable() for v in values)
    ):
        raise BadCursor
    return values


def after(cursor: str | None) -> str | None:
    """The one text of a cursor. Raises BadCursor."""
    values = read_cursor(cursor)
    return values[0] if values else None


def write_cursor(values: Sequence[str]) -> str:
    """Make the cursor that holds these texts."""
    return urlsafe_b64encode(json.dumps(list(values)).encode()).rstrip(b"=").decode()


def page(model: type[M], rows: Sequence[R], limit: int, key: Callable[[R], Sequence[str]]) -> Page[M]:
    """Make a part of a list from up to `limit` + 1 rows; `key` says where the part after it begins."""
    shown: list[Any] = [model.model_validate(row) for row in rows[:limit]]
    following = None
    if len(rows) > limit:
        following = write_cursor(key(rows[limit - 1]))
    return Page[model](items=shown, next=following)  # type: ignore[valid-type]  # pydantic's generics are made at run time
