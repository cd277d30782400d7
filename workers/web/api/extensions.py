"""Extensions over HTTP: listed, changed, moved, brought home; their secret codes set and cleared."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse

from roost.moves.requests import Answer as CoreAnswer
from roost.people.access import Action
from roost.views.whereabouts import where_is_extension
from workers.web.api import paging
from workers.web.api.access import IdempotencyKey, TheAsker, TheParts, by, demand_extension, scope_of
from workers.web.api.models import (
    Answer,
    Extension,
    ExtensionChange,
    Move,
    NewCode,
    NewExtension,
    Page,
    WhereExtension,
    Why,
)
from workers.web.api.values import Code, Key, Search
from workers.web.problems import refusal, respond

router = APIRouter(tags=["extensions"])
InPath = Annotated[Key, Path(description="The extension: organization, star, short number.")]


@router.get("/extensions")
def list_extensions(
    parts: TheParts,
    asker: TheAsker,
    organization: Annotated[Code | None, Query()] = None,
    search: Annotated[Search | None, Query(description="How a number begins, or a part of a name.")] = None,
    limit: paging.Limit = 100,
    cursor: paging.Cursor = None,
) -> Page[Extension]:
    """List extensions in order of key."""
    organization = scope_of(asker, Action.SEE_ORGANIZATION, organization)
    rows = parts.directory.extensions(
        organization=organization, search=search, after=paging.after(cursor), limit=limit + 1
    )
    return paging.page(Extension, rows, limit, lambda row: [row.key])


@router.post("/extensions", status_code=201)
def add_extension(parts: TheParts, asker: TheAsker, new: NewExtension) -> Extension:
    """Add an extension; it has no secret code."""
    demand_extension(asker, Action.CHANGE_EXTENSIONS, new.extension)
    given = new.given()
    parts.directory.add_extension(given.pop("extension"), **given)
    return Extension.model_validate(parts.directory.extension(new.extension))


@router.get("/extensions/{key}")
def read_extension(parts: TheParts, asker: TheAsker, key: InPath) -> Extension:
    """Read one extension."""
    demand_extension(asker, Action.SEE_EXTENSION, key)
    return Extension.model_validate(parts.directory.extension(key))


@router.patch("/extensions/{key}")
def change_extension(parts: TheParts, asker: TheAsker, key: InPath, change: ExtensionChange) -> Extension:
    """Change what is given. Guests go home from a phone whose extension stops allowing virtualization."""
    given = change.given()
    alone = given.keys() == {"allows_virtualization"}
    demand_extension(asker, Action.ALLOW_VIRTUALIZATION if alone else Action.CHANGE_EXTENSIONS, key)
    parts.directory.change_extension(key, **given)
    return Extension.model_validate(parts.directory.extension(key))


@router.delete("/extensions/{key}", status_code=204)
def remove_extension(parts: TheParts, asker: TheAsker, key: InPath) -> None:
    """Remove an extension; it goes home first."""
    demand_extension(asker, Action.CHANGE_EXTENSIONS, key)
    parts.directory.remove_extension(key)


@router.get("/extensions/{key}/whereabouts")
def find_extension(parts: TheParts, asker: TheAsker, key: InPath) -> WhereExtension:
    """Say where an extension rings, and why."""
    demand_extension(asker, Action.SEE_EXTENSION, key)
    return WhereExtension.model_validate(where_is_extension(parts.database, key))


@router.post("/extensions/{key}/unlock", status_code=204)
def unlock_extension(parts: TheParts, asker: TheAsker, key: InPath) -> None:
    """Forget the wrong codes so far, and the locks they led to."""
    demand_extension(asker, Action.CHANGE_EXTENSIONS, key)
    parts.directory.unlock_extension(key, by(asker))


@router.post("/extensions/{key}/virtualize", response_model=Answer)
async def virtualize(
    parts: TheParts, asker: TheAsker, key: InPath, move: Move, idempotency_key: IdempotencyKey = None
) -> Answer | JSONResponse:
    """Put an extension on a phone, without its code."""
    extension = demand_extension(asker, Action.VIRTUALIZE, key)
    return tell(await parts.asking.virtualize(asker, idempotency_key, extension, move.phone, move.reason))


@router.post("/extensions/{key}/return", response_model=Answer)
async def return_home(
    parts: TheParts,
    asker: TheAsker,
    key: InPath,
    why: Why | None = None,
    idempotency_key: IdempotencyKey = None,
) -> Answer | JSONResponse:
    """Bring an extension home."""
    extension = demand_extension(asker, Action.RETURN, key)
    return tell(await parts.asking.return_home(asker, idempotency_key, extension, why.reason if why else ""))


@router.put("/extensions/{key}/code", response_model=Answer)
async def set_code(
    parts: TheParts, asker: TheAsker, key: InPath, new: NewCode, idempotency_key: IdempotencyKey = None
) -> Answer | JSONResponse:
    """Set or replace the secret code."""
    extension = demand_extension(asker, Action.SET_CODE, key)
    return tell(await parts.asking.set_code(asker, idempotency_key, extension, new.code))


@router.delete("/extensions/{key}/code", response_model=Answer)
async def clear_code(
    parts: TheParts, asker: TheAsker, key: InPath, idempotency_key: IdempotencyKey = None
) -> Answer | JSONResponse:
    """Clear the secret code; the extension comes home."""
    extension = demand_extension(asker, Action.SET_CODE, key)
    return tell(await parts.asking.set_code(asker, idempotency_key, extension, None))


def tell(answer: CoreAnswer) -> Answer | JSONResponse:
    """Answer what a request came to; a refusal is a problem."""
    refused = refusal(answer.outcome)
    return Answer.model_validate(answer) if refused is None else respond(refused)
