"""The listening side of the Center: who may connect, how many at once, and what becomes of each call."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from ipaddress import ip_address

import structlog

from roost.errors import BrokerUnavailable
from roost.moves.database_clock import DatabaseClock
from roost.moves.outcomes import Outcome
from roost.pbx.agi import HEALTH_CHECK, ProtocolError
from roost.settings import Settings
from tasks.client import Client
from workers import systemd
from workers.center import measures
from workers.center.call import Call
from workers.center.channel import CallEnded, Channel
from workers.connection_limit import SAID_EVERY, ConnectionLimit

#: The longest a call may take, whatever happens in it.
CALL_DEADLINE = 180.0
#: The database's time is asked for this often, so that the first caller after a quiet hour need not wait for it.
CLOCK_EVERY = 30.0

#: Calls at once from one phone. A person makes one; whoever took a phone over keeps the center from nobody else.
CALLS_OF_ONE_PHONE = 20

#: Of those who are not let in, so many are listened to at a time, and for so many seconds, to tell calls from probes.
STRANGERS, STRANGERS_WAIT = 16, 1.0

log = structlog.get_logger(__name__)


def connections_of(calls: int) -> int:
    """How many connections a center takes that leads so many calls: some hear that it has no room, and some have said nothing yet."""
    return calls + max(100, calls // 2)


class Center:
    """A FastAGI server. `serve` runs until `stop`; then calls in progress may end within `drain` seconds."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._clock = DatabaseClock()
        self._calls: set[asyncio.Task[None]] = set()
        self._limit: ConnectionLimit[asyncio.Task[None]] = ConnectionLimit(
            connections_of(settings.center_max_calls), lambda task: task.cancel()
        )
        #: When what a storm brings about was last said.
        self._said_at: dict[str, float] = {}
        self._of_phone: Counter[str] = Counter()
        self._strangers = 0
        self._stopping = asyncio.Event()
        self.port = 0

    @property
    def calls_in_progress(self) -> int:
        """Calls that are led now."""
        return self._limit.served

    def stop(self) -> None:
        """Take no further calls, and end `serve`."""
        self._stopping.set()

    async def serve(self, drain: float) -> None:
        """Listen until `stop`."""
        server = await asyncio.start_server(
            self._accept, self._settings.center_host, self._settings.center_port, backlog=1024
        )
        self.port = server.sockets[0].getsockname()[1]
        log.info("center_ready", host=self._settings.center_host, port=self.port)
        systemd.ready()
        beside = [asyncio.create_task(self._keep_time()), asyncio.create_task(systemd.keep_telling())]
        await self._stopping.wait()
        systemd.stopping()
        for task in beside:
            task.cancel()
        server.close()
        if self._calls:
            await asyncio.wait(self._calls, timeout=drain)
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # asyncio runs this callback in a task
        self._calls.add(task)
        try:
            peer = ip_address(writer.get_extra_info("peername")[0])
            if not any(peer in network for network in self._settings.center_allow):
                await self._turn_away(reader, str(peer))
            elif self._limit.came(task):
                await self._serve_call(reader, writer)
            else:
                measures.CALLS.labels(measures.NO_ROOM).inc()
        finally:
            self._calls.discard(task)
            self._limit.left(task)
            writer.close()

    async def _turn_away(self, reader: asyncio.StreamReader, peer: str) -> None:
        """Who is not let in. A PBX speaks at once; whoever only sees whether somebody listens here, as a probe does, is not told of."""
        if self._strangers < STRANGERS:
            self._strangers += 1
            try:
                if not await asyncio.wait_for(reader.read(1), STRANGERS_WAIT):
                    return
            except (TimeoutError, ConnectionError):
                return
            finally:
                self._strangers -= 1
        self._say_seldom("call_refused", peer=peer, reason="not in ROOST_CENTER_ALLOW")
        measures.CALLS.labels(measures.NOT_LET_IN).inc()

    def _say_seldom(self, event: str, **about: str) -> None:
        """Say it, but not for every connection of a storm."""
        if time.monotonic() >= self._said_at.get(event, -SAID_EVERY) + SAID_EVERY:
            self._said_at[event] = time.monotonic()
            log.warning(event, **about)

    async def _serve_call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        channel = Channel(reader, writer)
        whole = asyncio.current_task()
        assert whole is not None  # see _accept
        talk = asyncio.create_task(self._talk(channel, whole))
        read = asyncio.create_task(channel.read())
        try:
            done, _ = await asyncio.wait(
                {talk, read}, timeout=CALL_DEADLINE, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
            if talk not in done:
                log.info("call_ended", by="caller" if read in done else "deadline")
                measures.CALLS.labels(measures.HUNG_UP if read in done else measures.TOO_LONG).inc()
        except (ProtocolError, CallEnded, TimeoutError, ConnectionError) as error:
            ended = isinstance(error, CallEnded | ConnectionError)
            measures.CALLS.labels(measures.HUNG_UP if ended else measures.NO_CALL).inc()
            log.info("call_ended", by=type(error).__name__, detail=str(error))
        finally:
            for task in (talk, read):
                task.cancel()
            await asyncio.gather(talk, read, return_exceptions=True)

    async def _talk(self, channel: Channel, connection: asyncio.Task[None]) -> None:
        environment = await channel.environment()
        self._limit.asked(connection)
        node, phone, *_ = (*environment.arguments, "", "")
        call = Call(channel, self._client, self._clock, self._settings)
        if self._of_phone[phone] >= CALLS_OF_ONE_PHONE:
            self._say_seldom("phone_has_too_many_calls", phone=phone[:80])
            measures.CALLS.labels(measures.TOO_MANY).inc()
            await call.leave(Outcome.UNAVAILABLE)
            return
        self._of_phone[phone] += 1
        try:
            if self._limit.served > self._settings.center_max_calls:
                outcome = await call.announce(Outcome.UNAVAILABLE)
            else:
                outcome = await call.run(environment)
        finally:
            self._of_phone -= Counter((phone,))  # forgets a phone that has none
        if node == HEALTH_CHECK:
            return
        measures.CALLS.labels(outcome.value).inc()
        log.info("call_done", outcome=outcome.value, call=environment["agi_uniqueid"][:80])

    async def _keep_time(self) -> None:
        while True:
            try:
                answer = await asyncio.wrap_future(self._client.ask_time())
                if answer.now is not None:
                    self._clock.observe(answer.now)
            except BrokerUnavailable as error:
                log.warning("no_time", error=error.code)
            await asyncio.sleep(CLOCK_EVERY if self._clock.now() is not None else 1)
