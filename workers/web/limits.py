"""What every request must keep to: how large its body may be, and how long it may take to arrive."""

from __future__ import annotations

import asyncio
import re
import time

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Bytes of a body; an import may have more.
MAX_BODY = 65_536
MAX_IMPORT = 5_000_000
#: The page sends a file's text once more, as a form, in which a browser makes two bytes of each line's end.
MAX_IMPORT_PAGE = 2 * MAX_IMPORT
#: A stream would go on, for an answer that has no body.
_STREAM_PATH = re.compile(r"/live/.*|/api/v1/events")
_IMPORT_PAGE = re.compile(r"/organizations/[^/]+/import")
#: Seconds until a body must be there.
BODY_DEADLINE = 20.0

#: What every answer says, unless it says otherwise itself.
_HEADERS = {
    b"content-security-policy": b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    b"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"x-frame-options": b"DENY",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=()",
    b"cache-control": b"no-store",
}
_ALL = list(_HEADERS.items())


class Limits:
    """ASGI middleware: bounds bodies, sends the headers that every answer has, and measures."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD" and not _STREAM_PATH.fullmatch(scope["path"]):
            scope = {
                **scope,
                "method": "GET",
            }  # the server knows what was asked, and sends the head alone (RFC 9110, 9.3.2)
        limit = _limit_of(scope["path"])
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        # A body in pieces that names a length, too, could be read two ways: what is behind it is not read (RFC 9112, 6.1).
        in_pieces = any(name == b"transfer-encoding" for name, _ in scope["headers"])
        started = time.monotonic()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                metrics = scope["app"].state.parts.metrics
                metrics.served(scope["method"], message["status"], time.monotonic() - started)
                message["headers"] = with_headers(message["headers"])
                if in_pieces:
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        body = _Body(receive, limit, announced)
        await self._app(scope, body.receive, send_with_headers)


def _limit_of(path: str) -> int:
    if path == "/api/v1/import":
        return MAX_IMPORT
    return MAX_IMPORT_PAGE if _IMPORT_PAGE.fullmatch(path) else MAX_BODY


def with_headers(given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """These headers, and those of every answer that are not among them."""
    own = {name.lower() for name, _ in given} & _HEADERS.keys()
    return given + ([pair for pair in _ALL if pair[0] not in own] if own else _ALL)


class _Body:
    """Counts what arrives; raises 413 when it is too much, 408 when it comes too slowly."""

    def __init__(self, receive: Receive, limit: int, announced: bytes) -> None:
        self._receive = receive
        self._left = limit
        self._fits = not announced.isdigit() or int(announced) <= limit
        self._ends = asyncio.get_running_loop().time() + BODY_DEADLINE
        self._complete = False

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        if not self._fits:
            raise HTTPException(413, "The body is too large.")
        try:
            message = await asyncio.wait_for(self._receive(), self._ends - asyncio.get_running_loop().time())
        except TimeoutError:
            raise HTTPException(408, "The body did not arrive in time.") from None
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            self._complete = not message.get("more_body", False)
        if self._left < 0:
            raise HTTPException(413, "The body is too large.")
        return message
