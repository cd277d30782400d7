"""How uvicorn serves the page: its settings, and how it ends."""

from __future__ import annotations

from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from roost.settings import Settings
from workers import systemd
from workers.web.connection import connection_limit, protocol_of

#: After SIGTERM, requests in hand have so many seconds to end; live pages are closed at once.
DRAIN = 8
#: Connections that the kernel holds until they are taken.
BACKLOG = 1024
#: uvicorn ticks ten times a second.
_TICKS_TO_ALIVE = int(systemd.ALIVE_EVERY * 10)

log = structlog.get_logger(__name__)


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """The settings of the server; the benchmark gives the same to what it compares with."""
    return uvicorn.Config(
        app, http=protocol_of(connection_limit(settings.web_max_connections), settings.web_proxies), log_level="error", host=settings.web_host, port=settings.web_port, log_config=None, access_log=False, server_header=False,
        proxy_headers=bool(settings.web_proxies), forwarded_allow_ips=[str(proxy) for proxy in settings.web_proxies],
        timeout_graceful_shutdown=DRAIN, timeout_keep_alive=30, backlog=BACKLOG, h11_max_incomplete_event_size=32_768,
    )  # fmt: skip


class WebServer(uvicorn.Server):
    """uvicorn, which closes the live pages first: they would hold it up until the end of the drain."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        super().__init__(server_config(app, settings))

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]  # sockets are not looked at
        """Start, and say so."""
        await super().startup(sockets)  # type: ignore[arg-type]  # passed on as they come
        if self.started:
            log.info("web_ready", host=self._settings.web_host, port=self._settings.web_port)
            systemd.ready()

    async def on_tick(self, counter: int) -> bool:
        """Run by uvicorn's own loop, ten times a second."""
        if counter % _TICKS_TO_ALIVE == 0:
            systemd.alive()
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGTERM or SIGINT."""
        systemd.stopping()
        parts = getattr(self._app.state, "parts", None)
        if parts is not None:  # else it is still being started
            parts.seats.stop()
        super().handle_exit(sig, frame)
