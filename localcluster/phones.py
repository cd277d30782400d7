"""Telephones for tests: real SIP endpoints (baresip), several in one process, used from ordinary threads.

The SIP stack allows one runtime a process, so all phones share one, in a thread of its own that lives as long as the
process; baresip itself takes it down at the end. Every wait here has a deadline, and fails with `PhoneFailed`.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Coroutine, Iterable
from concurrent.futures import Future
from typing import Any, Literal, TypeVar

from baresip import (
    Account,
    BaresipError,
    Call,
    Config,
    Event,
    Runtime,
    StackEvent,
    StaleHandleError,
    UserAgent,
)

from localcluster.sip import name_and_number

_Result = TypeVar("_Result")
_STEP_DEADLINE = 10.0
_HEADERS = ("From", "P-Asserted-Identity")


class PhoneFailed(RuntimeError):
    """A phone did not get what it waited for."""


class _Stack:
    """The one SIP runtime of this process, and the event loop it lives in."""

    _shared: _Stack | None = None
    _lock = threading.Lock()

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="telephones", daemon=True)
        self._thread.start()
        self.runtime: Runtime = self.run(self._start())

    @classmethod
    def shared(cls) -> _Stack:
        with cls._lock:
            if cls._shared is None:
                cls._shared = cls()
            return cls._shared

    def run(self, work: Coroutine[Any, Any, _Result], deadline: float = _STEP_DEADLINE) -> _Result:
        """Run `work` in the loop and wait for its result."""
        result: Future[_Result] = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return result.result(deadline)
        except TimeoutError as error:
            result.cancel()
            raise PhoneFailed(f"not within {deadline:g} s") from error
        except BaresipError as error:
            raise PhoneFailed(str(error) or type(error).__name__) from error

    @staticmethod
    async def _start() -> Runtime:
        runtime = Runtime()
        await runtime.start(
            Config(
                net_interface="127.0.0.1",
                max_concurrent_calls=None,
                expose_headers=_HEADERS,
                native_log_level="error",
            )
        )
        return runtime


class PhoneCall:
    """One call at one phone, either direction. `heard` is what the stack said of it before.

    It keeps its own account: the stack's `Call` misses what happens before its `dial` returns, on a busy machine the answer.
    """

    def __init__(self, stack: _Stack, call: Call, heard: Iterable[StackEvent] = ()) -> None:
        self._stack = stack
        self._call = call
        self._digits: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._was_up = False
        self._up_or_over = threading.Event()
        self._over = threading.Event()
        self._reason = ""
        call.on_dtmf(lambda event: self._digits.put(event.digit))
        call.on(self._hear)
        for event in heard:
            self._hear(event)

    @property
    def caller_number(self) -> str:
        """The number an incoming call presents: the user part of its From header."""
        return self._caller()[1]

    @property
    def caller_name(self) -> str:
        """The name an incoming call presents; empty when it presents none."""
        return self._caller()[0]

    @property
    def is_up(self) -> bool:
        """Whether it is answered and not ended."""
        return self._was_up and not self.is_over

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._over.is_set()

    @property
    def close_reason(self) -> str:
        """Why it ended, as the SIP stack tells it, such as "480 Temporarily Unavailable"; empty before that."""
        return self._reason

    def answer(self) -> None:
        """Answer, and wait until the call is up."""
        self._stack.run(self._call.answer())
        self.wait_up()

    def reject(self) -> None:
        """Decline an incoming call."""
        self._stack.run(self._call.reject())

    def hang_up(self) -> None:
        """End the call; nothing happens when it is over."""
        if not self.is_over:
            self._stack.run(self._hang_up())

    def wait_up(self, deadline: float = _STEP_DEADLINE) -> None:
        """Wait until it is answered; `PhoneFailed` when it ends instead. One that was up and is over was answered."""
        if not self._up_or_over.wait(deadline):
            raise PhoneFailed(f"not answered within {deadline:g} s")
        if not self._was_up:
            raise PhoneFailed(f"the call failed: {self._reason}")

    def wait_over(self, deadline: float = _STEP_DEADLINE) -> None:
        """Wait until it has ended."""
        if not self._over.wait(deadline):
            raise PhoneFailed(f"the call is not over within {deadline:g} s")

    def transfer(self, uri: str) -> None:
        """Send the other party to `uri` (a blind transfer), and wait until it is taken over.

        A PBX may end this call before it says so: that is the same.
        """
        try:
            self._stack.run(self._call.transfer(uri, timeout=_STEP_DEADLINE), _STEP_DEADLINE + 1)
        except PhoneFailed:
            if not self.is_over:
                raise

    def send_dtmf(self, digits: str) -> None:
        """Key in digits, about a quarter of a second each."""
        self._stack.run(self._call.send_dtmf(digits), _STEP_DEADLINE + len(digits))

    def wait_dtmf(self, count: int, deadline: float = _STEP_DEADLINE) -> str:
        """The next `count` digits that the far end keyed."""
        try:
            return "".join(self._digits.get(timeout=deadline) for _ in range(count))
        except queue.Empty as error:
            raise PhoneFailed(f"no digit within {deadline:g} s") from error

    def _caller(self) -> tuple[str, str]:
        try:
            return name_and_number(self._call.headers.get("From", ""))
        except ValueError as error:
            raise PhoneFailed(str(error)) from error

    async def _hang_up(self) -> None:
        with contextlib.suppress(StaleHandleError):  # the far end was quicker
            await self._call.hangup()

    def _hear(self, event: StackEvent) -> None:
        if event.event is Event.CALL_ESTABLISHED:
            self._was_up = True
            self._up_or_over.set()
        if event.event is Event.CALL_CLOSED:
            self._reason = event.text or ""
            self._over.set()
            self._up_or_over.set()


class Phone:
    """One SIP account at one registrar (an address, or address:port)."""

    def __init__(
        self, name: str, secret: str, registrar: str, transport: Literal["udp", "tcp", "tls"] = "udp"
    ) -> None:
        self.name = name
        self.registrar = registrar
        self._stack = _Stack.shared()
        account = Account(user=name, domain=registrar, password=secret, transport=transport)
        self._agent = self._stack.run(UserAgent.create(self._stack.runtime, account, transfer_policy="auto"))
        self._ringing: queue.SimpleQueue[PhoneCall] = queue.SimpleQueue()
        self._calls: list[PhoneCall] = []
        self._agent.on_incoming(self._rang)
        self._agent.on_transfer_call(self._transferred)

    def register(self, deadline: float = _STEP_DEADLINE) -> None:
        """Register, and wait for the registrar's yes. Again: it takes the old registration back first.

        The stack would do so by itself, but without waiting, and the registrar may take the two the wrong way round.
        """
        self.unregister()
        self._stack.run(self._agent.register(timeout=deadline), deadline + 1)

    def unregister(self) -> None:
        """Take the registration back, if there is one."""
        self._stack.run(self._agent.unregister())

    def dial(self, number: str) -> PhoneCall:
        """Dial a number at the registrar; does not wait for an answer."""
        call = self._stack.run(self._dial(f"sip:{number}@{self.registrar}"))
        self._calls.append(call)
        return call

    def wait_ring(self, deadline: float = _STEP_DEADLINE) -> PhoneCall:
        """The next incoming call."""
        try:
            return self._ringing.get(timeout=deadline)
        except queue.Empty as error:
            raise PhoneFailed(f"{self.name} did not ring within {deadline:g} s") from error

    @property
    def has_rung(self) -> bool:
        """Whether a call came in that no `wait_ring` has taken."""
        return not self._ringing.empty()

    def hang_up_all(self) -> None:
        """End every call, and forget the rings that nobody took: between tests."""
        while self._calls:  # one may come meanwhile
            call = self._calls.pop(0)
            call.hang_up()
            call.wait_over()
        while not self._ringing.empty():
            self._ringing.get()

    async def _dial(self, uri: str) -> PhoneCall:
        heard: list[StackEvent] = []
        self._stack.runtime.subscribe(heard.append)
        try:
            call = await self._agent.dial(uri)
        finally:
            self._stack.runtime.unsubscribe(heard.append)
        return PhoneCall(self._stack, call, [event for event in heard if event.call == call.handle])

    def _transferred(self, call: Call) -> None:
        self._calls.append(PhoneCall(self._stack, call))

    def _rang(self, call: Call) -> None:
        incoming = PhoneCall(self._stack, call)
        self._calls.append(incoming)
        self._ringing.put(incoming)
