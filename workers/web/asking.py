"""Sends what people and programs ask for to the workers, dated by the database's clock, and hears the outcome."""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from roost.database import Database
from roost.directory.fields import ExtensionKey
from roost.directory.rules import BadField
from roost.errors import DatabaseUnavailable
from roost.moves.at_most_once import RequestIdReused, check_answered, check_repeat
from roost.moves.bound_ids import set_code_id
from roost.moves.database_clock import DatabaseClock
from roost.moves.outcomes import Outcome
from roost.moves.requests import Answer, Request, Return, SetCode, Virtualize
from roost.people.access import Asker
from roost.seal import seal
from roost.settings import Settings
from tasks.client import Client
from tasks.requests import RETURN, SET_CODE, VIRTUALIZE

R = TypeVar("R", bound=Request)


def request_id(asker: Asker, key: str | None) -> str:
    """The id of a request: the key its asker gave it, in a space of the asker's own; a fresh one without a key.

    Nobody can read another's answer, or take another's id away, by guessing keys.
    """
    return f"{asker.origin}:{asker.id}:{key or uuid.uuid4()}"


class Asking:
    """The way from a front door to the workers."""

    def __init__(
        self, client: Client, database: Database, settings: Settings, clock: DatabaseClock | None = None
    ) -> None:
        self._client = client
        self._database = database
        self._settings = settings
        self._clock = clock or DatabaseClock()
        self._codes_on_their_way: defaultdict[str, list[str | None]] = defaultdict(list)

    async def virtualize(
        self, asker: Asker, key: str | None, extension: ExtensionKey, phone: str, reason: str = ""
    ) -> Answer:
        """Put an extension on a phone, without its code."""
        request = _make(
            Virtualize, request_id=request_id(asker, key), origin=asker.origin, actor=asker.name, made_at=await self.now(),
            reason=reason, organization=extension.organization, number=extension.number, phone=phone,
        )  # fmt: skip
        return await self._once(VIRTUALIZE, request)

    async def return_home(
        self, asker: Asker, key: str | None, extension: ExtensionKey, reason: str = ""
    ) -> Answer:
        """Bring an extension home."""
        request = _make(
            Return, request_id=request_id(asker, key), origin=asker.origin, actor=asker.name, made_at=await self.now(),
            reason=reason, organization=extension.organization, number=extension.number,
        )  # fmt: skip
        return await self._once(RETURN, request)

    async def set_code(
        self, asker: Asker, key: str | None, extension: ExtensionKey, code: str | None
    ) -> Answer:
        """Set or replace a secret code; clear it with None. It is sealed before it leaves this process.

        Raises RequestIdReused also when the same key came with another code.
        """
        named = request_id(asker, key)
        if code is not None:
            named = set_code_id(named, extension.organization, extension.number)
        request = _make(
            SetCode, request_id=named, origin=asker.origin, actor=asker.name, made_at=await self.now(),
            organization=extension.organization, number=extension.number,
            sealed_code=None if code is None else seal(self._settings.need("seal_public_key"), named, code),
        )  # fmt: skip
        with self._one_code(named, code):
            return await self._once(SET_CODE, request)

    async def now(self) -> datetime:
        """The database's time. Raises BrokerUnavailable, DatabaseUnavailable."""
        now = self._clock.good_now() or (await self._hear(self._client.ask_time())).now
        if now is None:
            raise DatabaseUnavailable
        return now

    async def ask(self, task: str, request: Request) -> Answer:
        """Send any request. Raises BrokerUnavailable, RequestIdReused."""
        answer = await self._hear(self._client.submit(task, request))
        if answer.id_reused:
            raise RequestIdReused
        return answer

    async def once(self, request: Request, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """`ask`, unless the request's id was another request's; what came of this one.

        Raises RequestIdReused, BrokerUnavailable, DatabaseUnavailable.
        """
        await run_in_threadpool(check_repeat, self._database, request)
        answer = await ask()
        # What was done is not told as undone; that the answer is another request's is far rarer.
        with suppress(DatabaseUnavailable):
            await run_in_threadpool(check_answered, self._database, request, answer)
        return answer

    @contextmanager
    def _one_code(self, request_id: str, code: str | None) -> Iterator[None]:
        """Raise RequestIdReused while another code is on its way under this id: the client sends one message for both."""
        codes = self._codes_on_their_way[request_id]
        if any(other != code for other in codes):
            raise RequestIdReused
        codes.append(code)
        try:
            yield
        finally:
            codes.remove(code)
            if not codes:
                del self._codes_on_their_way[request_id]

    async def _once(self, task: str, request: Request) -> Answer:
        answer = await self.once(request, partial(self.ask, task, request))
        if answer.outcome is Outcome.UNAVAILABLE:
            raise DatabaseUnavailable
        return answer

    async def _hear(self, future: Future[Answer]) -> Answer:
        answer = await asyncio.wrap_future(future)
        if answer.now is not None:
            self._clock.observe(answer.now, trust=answer.outcome is Outcome.EXPIRED)
        return answer


def _make(model: type[R], **fields: Any) -> R:
    """Make a request. Raises BadField, which names the field and not its value: it may be a secret."""
    try:
        return model(**fields)
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
        raise BadField(f"Not valid: {wrong.replace('_', ' ')}.") from None
