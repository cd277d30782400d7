"""The `*30` dialogue step by step, for a PBX without FastAGI: the same state machine as the Center's.

The state travels with the caller, as an opaque text: any process can take the next step. Nothing in it is trusted.
The tries of a call are counted in the database under the call's id, and every check is made again at each try, so
who forges a state gains nothing.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from roost.errors import Invalid, NotFound
from roost.moves.binding import Binding
from roost.moves.bound_ids import try_id
from roost.moves.dialogue import KEYING_TIME, LAST_KEYING_TIME, AskDial, AskTry, Collect, Dialogue, End
from roost.moves.outcomes import Outcome
from roost.moves.requests import Answer, Dial, Try
from roost.moves.secret_codes import LONGEST, SHORTEST
from roost.people.access import Action, Asker, demand, may
from roost.seal import seal
from tasks.requests import DIAL, VERIFY
from workers.web.api.access import IdempotencyKey, TheAsker, TheParts
from workers.web.api.models import Given, Shown
from workers.web.api.values import PhoneName
from workers.web.parts import Parts

router = APIRouter(tags=["calls"])

CallName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9._:-]{1,40}$", description="The PBX's own name of the call.")
]


class BadState(Invalid):
    """The state is not one that the last step gave."""

    code = "bad_state"


class NewCall(Given):
    """A call came in."""

    phone: Annotated[PhoneName, Field(description="The device that calls.")]
    dialled: Annotated[str, Field(pattern=r"^[0-9*#]{1,32}$", examples=["*30001", "*30"])]


class Keyed(Given):
    """What the person keyed; empty when nothing came in time."""

    state: Annotated[
        str, Field(max_length=400, pattern="^[A-Za-z0-9_-]+$", description="As the last step gave it.")
    ]
    digits: Annotated[str, Field(pattern=r"^[0-9*#]{0,32}$")] = ""


class Step(Shown):
    """What the PBX does next: `collect` digits and send them to `/calls/{call}/keyed`, or `end` the call.

    `play` is what to say first: `code`, `code_again`, or the outcome's code.
    """

    call: str
    do: Literal["collect", "end"]
    play: str = Field(examples=["code", "code_again", "virtualized"])
    outcome: Outcome | None = Field(default=None, description="With `end`: what the call came to.")
    state: str | None = Field(default=None, description="With `collect`: send it back with the digits.")
    min_digits: int | None = None
    max_digits: int | None = Field(default=None, description="With so many, or `#`, it ends at once.")
    timeout: int | None = Field(
        default=None, description="Seconds for each digit, until there are `min_digits`."
    )
    last_timeout: int | None = Field(
        default=None, description="Seconds without a digit until what was keyed counts, from then on."
    )


@router.post("/calls/{call}")
async def begin_call(
    parts: TheParts, asker: TheAsker, call: Annotated[CallName, Path()], new: NewCall
) -> Step:
    """Begin: a device dialled the feature code. Sent again within an hour, it hears the same; a name that another call had is refused."""
    knows = await _may_speak_for(parts, asker, new.phone)
    return await _Leading(parts, asker, call, new.phone, new.dialled, knows=knows).begin()


@router.post("/calls/{call}/keyed")
async def go_on(
    parts: TheParts,
    asker: TheAsker,
    call: Annotated[CallName, Path()],
    keyed: Keyed,
    idempotency_key: IdempotencyKey = None,
) -> Step:
    """Go on with the digits that were keyed. With an Idempotency-Key, a repeat is not another try."""
    phone, dialled, tries = _read_state(keyed.state)
    knows = await _may_speak_for(parts, asker, phone)
    leading = _Leading(parts, asker, call, phone, dialled, tries, knows=knows)
    return await leading.go_on(keyed.digits, idempotency_key)


async def _may_speak_for(parts: Parts, asker: Asker, phone: str) -> bool:
    """Whether the phone is one of the asker's, or of nobody's. Raises NotPermitted for who may not call at all."""
    demand(asker, Action.CALL, asker.organization)
    if asker.organization is None:
        return True
    try:
        record = await run_in_threadpool(parts.directory.phone, phone)
    except NotFound:
        return True  # the workers say so, and the journal keeps it
    return may(asker, Action.CALL, record.organization)


class _Leading:
    """Leads one dialogue up to the next step that is the PBX's. `knows` False: the phone is none of the asker's."""

    def __init__(
        self, parts: Parts, asker: Asker, call: str, phone: str, dialled: str, tries: int | None = None, *, knows: bool,
    ) -> None:  # fmt: skip
        self._parts = parts
        self._asker = asker
        self._name = call
        self._call = f"api:{asker.id}:{call}"
        self._phone = phone
        self._knows = knows
        self._dialled = dialled
        self._tries = (
            parts.settings.tries_per_call if tries is None else min(tries, parts.settings.tries_per_call)
        )
        self._dialogue = Dialogue(
            feature_code=parts.settings.feature_code, dialled=dialled, tries=self._tries
        )

    async def begin(self) -> Step:
        action = self._dialogue.start()
        if isinstance(action, AskDial):
            outcome = await self._ask(
                DIAL, Dial, request_id=f"{self._call}/dial", call=self._call, number=action.number
            )
            action = self._dialogue.answered(outcome)
        assert isinstance(action, Collect | End)
        return self._step(action)

    async def go_on(self, digits: str, key: str | None) -> Step:
        if not isinstance(self._dialogue.start(), AskDial):
            raise BadState
        action = self._dialogue.keyed(digits)
        self._tries -= 1
        if not isinstance(action, AskTry) or not action.number:
            raise BadState
        request_id = try_id(self._call, self._phone, action.number, key)
        sealed = seal(self._parts.settings.need("seal_public_key"), request_id, digits)
        outcome = await self._ask(
            VERIFY, Try, is_new=key is None, request_id=request_id, call=self._call, number=action.number,
            sealed_code=sealed,
        )  # fmt: skip
        following = self._dialogue.answered(outcome)
        assert isinstance(following, Collect | End)
        return self._step(following)

    async def _ask(
        self, task: str, model: type[Dial | Try], *, is_new: bool = False, **fields: Any
    ) -> Outcome:
        """What came of a request; `is_new`: nobody else can have its id."""
        asking = self._parts.asking
        made_at = await asking.now()
        request = model(made_at=made_at, actor=self._asker.name, phone=self._phone, **fields)
        ask = partial(asking.ask, task, request)
        if not self._knows:
            ask = partial(run_in_threadpool, self._refuse, request)
        return (await (ask() if is_new else asking.once(request, ask))).outcome

    def _refuse(self, request: Dial | Try) -> Answer:
        binding = Binding(self._parts.database, self._parts.settings)
        return binding.refuse_call(request, Outcome.UNKNOWN_PHONE, self._asker.organization or "")

    def _step(self, action: Collect | End) -> Step:
        if isinstance(action, End):
            return Step(call=self._name, do="end", play=action.outcome.value, outcome=action.outcome)
        return Step(
            call=self._name, do="collect", play="code_again" if action.again else "code", min_digits=SHORTEST,
            max_digits=LONGEST, timeout=KEYING_TIME, last_timeout=LAST_KEYING_TIME,
            state=_write_state(self._phone, self._dialled, self._tries),
        )  # fmt: skip


def _write_state(phone: str, dialled: str, tries: int) -> str:
    return urlsafe_b64encode(json.dumps([phone, dialled, tries]).encode()).rstrip(b"=").decode()


def _read_state(state: str) -> tuple[str, str, int]:
    try:
        phone, dialled, tries = json.loads(urlsafe_b64decode(state + "=" * (-len(state) % 4)))
        call = NewCall(phone=phone, dialled=dialled)
    except (ValueError, TypeError):
        raise BadState from None
    if not (isinstance(tries, int) and tries > 0):
        raise BadState
    return call.phone, call.dialled, tries
