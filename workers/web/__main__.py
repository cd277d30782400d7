"""The web process: the page and the HTTP API. Start as many as you like, behind one address."""

from __future__ import annotations

import sys
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from roost.errors import SettingMissing
from roost.settings import Settings, settings
from workers.logs import set_up
from workers.web.app import create_app

#: After SIGTERM, requests in hand have so many seconds to end; live pages are closed at once.
DRAIN = 8

log = structlog.get_logger(__name__)


class WebServer(uvicorn.Server):
    """uvicorn, which closes the live pages first: they would hold it up until the end of the drain."""

    def __init__(self, app: FastAPI, config: Settings) -> None:
        self._app = app
        self._settings = config
        super().__init__(
            uvicorn.Config(
                app, host=config.web_host, port=config.web_port, log_config=None, access_log=False, server_header=False,
                proxy_headers=bool(config.web_proxies), forwarded_allow_ips=[str(proxy) for proxy in config.web_proxies],
                timeout_graceful_shutdown=DRAIN, timeout_keep_alive=30, backlog=1024, h11_max_incomplete_event_size=32_768,
            )
        )  # fmt: skip

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]  # sockets are not looked at
        """Start, and say so."""
        await super().startup(sockets)  # type: ignore[arg-type]  # passed on as they come
        if self.started:
            log.info("web_ready", host=self._settings.web_host, port=self._settings.web_port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGTERM or SIGINT."""
        self._app.state.parts.hub.stop()
        super().handle_exit(sig, frame)


def main() -> int:
    """Run until SIGTERM."""
    try:
        set_up(settings())
        for name in ("database_url", "broker_url", "seal_public_key"):
            settings().need(name)
        server = WebServer(create_app(settings()), settings())
    except SettingMissing as error:
        print(f"web: {error}", file=sys.stderr)
        return 2
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
