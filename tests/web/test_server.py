"""How a web process ends."""

from __future__ import annotations

import signal

from roost.settings import Settings
from workers.web.app import create_app
from workers.web.server import WebServer


def test_it_is_told_to_end_before_it_has_begun() -> None:
    """As when a host goes down while it comes up; a handler that fails would have it go on, or end with a traceback."""
    server = WebServer(create_app(Settings()), Settings())
    server.handle_exit(signal.SIGTERM, None)
    assert server.should_exit
