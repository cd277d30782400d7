"""One HTTP connection: uvicorn's, one of a limited number, with deadlines for what a client sends and takes."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from roost.people.networks import network_of
from roost.settings import Networks
from workers.connection_limit import ConnectionLimit

#: Seconds until the headers of a request must be there; a body has its own (limits.py).
HEADERS_WITHIN = 10.0
#: Seconds within which a client must take what is sent to it.
TAKEN_WITHIN = 30.0
#: One address may have a half of all connections.
ADDRESS_SHARE = 2

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\nretry-after: 5\r\n"
    b"content-length: 59\r\nconnection: close\r\n\r\nToo many connections are open here; try again in a moment.\n"
)


def connection_limit(most: int) -> ConnectionLimit[Connection]:
    """The limit for the HTTP connections of one process."""
    return ConnectionLimit(most, lambda connection: connection.transport.abort(), most // ADDRESS_SHARE)


def protocol_of(limit: ConnectionLimit[Connection], proxies: Networks = ()) -> type[asyncio.Protocol]:
    """What uvicorn makes for each connection. Through one of the `proxies` many come from one address."""
    made = type("LimitedConnection", (Connection,), {"limit": limit, "proxies": proxies})
    return cast("type[asyncio.Protocol]", made)


class Connection(H11Protocol):
    """One of a limited number of connections."""

    limit: ConnectionLimit[Connection]
    proxies: Networks
    _deadline: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Let it in, if there is room."""
        super().connection_made(transport)
        if not self.limit.came(self, self._counts_for()):
            transport.write(_FULL)
            transport.close()
            return
        self._await_headers()

    def _counts_for(self) -> str:
        """Whose share of the connections this one is of."""
        if self.client is None:
            return ""
        host = self.client[0]
        through_proxy = any(ip_address(host) in network for network in self.proxies)
        return "" if through_proxy else network_of(host)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self.limit.left(self)
        self._forget_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Headers that have begun must end in time; the request is served when its body is there too (limits.py has the deadline)."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._await_headers()
        else:
            self._headers_are_there()

    def on_response_complete(self) -> None:
        """It was answered."""
        super().on_response_complete()
        self.limit.answered(self)
        self._look_for_the_end()  # the next request may have been there already

    def pause_writing(self) -> None:
        """The client does not take what was sent."""
        super().pause_writing()
        self._stuck = self.loop.call_later(TAKEN_WITHIN, self.transport.abort)

    def resume_writing(self) -> None:
        """It takes it again."""
        super().resume_writing()
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _await_headers(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEADERS_WITHIN, self.transport.abort)

    def _headers_are_there(self) -> None:
        self._look_for_the_end()
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _look_for_the_end(self) -> None:
        """Who is still sending a body only waits, however slowly it comes."""
        if self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}:
            self.limit.asked(self)

    def _forget_timers(self) -> None:
        for timer in (self._deadline, self._stuck):
            if timer is not None:
                timer.cancel()
        self._deadline = self._stuck = None
