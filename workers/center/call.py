"""One call of `*30` in a center: it asks the workers what the dialogue wants to know, and plays what it says."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

import structlog
from pydantic import ValidationError

from roost.errors import BrokerUnavailable
from roost.moves.bound_ids import try_id
from roost.moves.database_clock import DatabaseClock
from roost.moves.dialogue import KEYING_TIME, LAST_KEYING_TIME, AskDial, AskTry, Collect, Dialogue, End
from roost.moves.outcomes import Outcome
from roost.moves.requests import Answer, Dial, Try
from roost.moves.secret_codes import LONGEST, SHORTEST
from roost.pbx import agi
from roost.pbx.agi import Environment, Reply
from roost.seal import seal
from roost.settings import Settings
from tasks.client import Client
from tasks.requests import DIAL, VERIFY
from workers.center.channel import Channel
from workers.center.prompts import NUMBER, ask_prompt, prompts_of, wrong_prompt

log = structlog.get_logger(__name__)


class Call:
    """One call. `run` returns the outcome that was announced."""

    def __init__(self, channel: Channel, client: Client, clock: DatabaseClock, settings: Settings) -> None:
        self._channel = channel
        self._client = client
        self._clock = clock
        self._settings = settings
        self._call = ""
        self._phone = ""
        self._node = ""
        self._number = ""
        self._answered = False

    async def run(self, environment: Environment) -> Outcome:
        """Talk until the outcome is announced. Raises what Channel raises."""
        node, phone, dialled, *_ = (*environment.arguments, "", "", "")
        self._node, self._phone = node, phone
        self._call = f"{node}/{environment['agi_uniqueid']}"
        dialogue = Dialogue(
            feature_code=self._settings.feature_code, dialled=dialled, tries=self._settings.tries_per_call
        )
        action = dialogue.start()
        if action == End(Outcome.FEATURE_CODE_DIFFERS):
            log.error(
                "feature_code_differs", node=node, phone=phone, here=self._settings.feature_code,
                mend="Set ROOST_FEATURE in the node's dialplan and ROOST_FEATURE_CODE of the center to the same.",
            )  # fmt: skip
        while not isinstance(action, End):
            match action:
                case AskDial(number):
                    action = dialogue.answered(await self._ask_dial(number))
                case AskTry(number, digits):
                    action = dialogue.answered(await self._ask_try(number, digits))
                case Collect(again):
                    action = dialogue.keyed(await self._collect(again=again))
        return await self.announce(action.outcome)

    async def announce(self, outcome: Outcome) -> Outcome:
        """Say the outcome, and leave it for the dialplan."""
        await self._answer()
        for prompt in prompts_of(outcome, self._settings.prompt_prefix):
            if prompt != NUMBER:
                await self._play(prompt, agi.stream_file(prompt))
            elif self._number:
                await self._play("digits", agi.say_digits(self._number))
        await self.leave(outcome)
        return outcome

    async def leave(self, outcome: Outcome) -> None:
        """Leave the outcome for the dialplan, which ends the call. Raises what Channel raises."""
        await self._channel.command(agi.set_variable("ROOST_OUTCOME", outcome.value))

    async def _answer(self) -> None:
        """Answer the call, once there is something to say: a phone that keys by itself begins then, and Asterisk forgets what came sooner."""
        if not self._answered:
            await self._channel.command(agi.answer())
            self._answered = True

    async def _play(self, prompt: str, command: bytes) -> Reply | None:
        """What is done is done, whether or not a recording of it can be played."""
        reply = await self._channel.play(command)
        if reply is None:
            log.warning("prompt_failed", prompt=prompt, call=self._call[:80])
        return reply

    async def _collect(self, *, again: bool) -> str:
        """What the caller keys; with no recording to ask for it, it is awaited all the same.

        Asterisk forgets what is keyed while no command runs, and a center may be late with its next one. So one GET DATA takes
        a whole code. A wrong code is told by a recording that no key ends: it swallows what is keyed beyond the longest code,
        which would else be taken for another try.
        """
        await self._answer()
        prefix = self._settings.prompt_prefix
        if again:
            told = wrong_prompt(prefix)
            await self._play(told, agi.stream_file(told))
        for prompt in (ask_prompt(prefix), "beep", ""):
            heard = await self._play(prompt, agi.get_data(prompt, LAST_KEYING_TIME * 1000, LONGEST))
            if heard is not None:
                return await self._hear_out(heard)
        return ""

    async def _hear_out(self, heard: Reply) -> str:
        """The digits of a reply, and those of a caller who pauses before they can be a whole code, for KEYING_TIME at most.

        GET DATA has one time for all its digits. The next one begins amid a silence, where a late center costs nobody a digit.
        """
        digits, silence = heard.result, LAST_KEYING_TIME
        while heard.timed_out and len(digits) < SHORTEST and silence < KEYING_TIME:
            more = await self._play("", agi.get_data("", LAST_KEYING_TIME * 1000, LONGEST - len(digits)))
            if more is None:
                break
            heard, digits = more, digits + more.result
            silence = LAST_KEYING_TIME if more.result else silence + LAST_KEYING_TIME
        return digits

    async def _ask_dial(self, number: str) -> Outcome:
        # The id is the call's: a second center that takes the call over asks the same, and hears the same.
        return await self._ask(
            DIAL, Dial, request_id=f"{self._call}/dial", call=self._call, phone=self._phone, number=number
        )

    async def _ask_try(self, number: str, digits: str) -> Outcome:
        request_id = try_id(self._call, self._phone, number)
        sealed = seal(self._settings.need("seal_public_key"), request_id, digits)
        return await self._ask(
            VERIFY,
            Try,
            request_id=request_id,
            call=self._call,
            phone=self._phone,
            number=number,
            sealed_code=sealed,
        )

    async def _ask(self, task: str, model: type[Dial | Try], **fields: str) -> Outcome:
        try:
            made_at = self._clock.now() or (await self._hear(self._client.ask_time())).now
            if made_at is None:
                return Outcome.UNAVAILABLE
            request = model.model_validate({"made_at": made_at, "actor": self._node, **fields})
            return (await self._hear(self._client.submit(task, request))).outcome
        except ValidationError:
            return Outcome.BAD_REQUEST
        except BrokerUnavailable:
            return Outcome.UNAVAILABLE

    async def _hear(self, future: Future[Answer]) -> Answer:
        answer = await asyncio.wrap_future(future)
        if answer.extension:
            self._number = answer.extension.rpartition("*")[2]
        if answer.now is not None:
            self._clock.observe(answer.now, trust=answer.outcome is Outcome.EXPIRED)
        return answer
