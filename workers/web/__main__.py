"""The web process: the page and the HTTP API. Start as many as you like, behind one address."""

from __future__ import annotations

import socket
import sys

from roost.errors import SettingMissing
from roost.settings import settings
from roost.version import WrongVersion
from tasks.outages import check_before_start
from workers.connection_limit import TooFewDescriptors, demand_descriptors
from workers.logs import refuse_to_start, set_up
from workers.processes import end_well, why_not_listening
from workers.web.app import create_app
from workers.web.server import BACKLOG, WebServer


def main() -> int:
    """Run until SIGTERM."""
    end_well()
    try:
        set_up(settings())
        for name in ("database_url", "broker_url", "seal_public_key"):
            settings().need(name)
        demand_descriptors(settings().web_max_connections, "ROOST_WEB_MAX_CONNECTIONS")
        check_before_start(settings().need("database_url"))
        listening = socket.create_server(
            (settings().web_host, settings().web_port),
            family=socket.AF_INET6 if ":" in settings().web_host else socket.AF_INET,
            backlog=BACKLOG,
        )
        # Inherited by each connection. Without it the body of an answer waits until the client has confirmed its head, 40 ms later.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (SettingMissing, TooFewDescriptors, WrongVersion) as error:
        refuse_to_start("web", error)
        return 2
    except OSError as error:
        place = f"{settings().web_host}:{settings().web_port}"
        why = why_not_listening(error)
        refuse_to_start("web", f"cannot listen at {place}: {why} (ROOST_WEB_HOST, ROOST_WEB_PORT)")
        return 1
    server = WebServer(create_app(settings()), settings())
    server.run(sockets=[listening])
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
