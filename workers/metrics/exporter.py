"""The port where Prometheus reads the metrics of this process: `/metrics`, as text, by one thread.

Off unless ROOST_METRICS_PORTS is set. A process takes the first port of that range that is free, and works without one when
none is: whoever serves callers does not fail for want of a number.
"""

from __future__ import annotations

import errno
import platform
import socket
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

import structlog
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, generate_latest
from prometheus_client.registry import Collector

from roost.settings import Ports, Settings
from roost.version import VERSION

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: Whoever connects must have asked within so many seconds, however many bytes come meanwhile: there is one thread for all.
PATIENCE = 2.0

log = structlog.get_logger(__name__)


def _new_registry(kind: str, collectors: Iterable[Collector]) -> CollectorRegistry:
    """What a process of this kind tells: who it is, what it uses of the machine, and what these collect."""
    registry = CollectorRegistry()
    build = Gauge(
        "roost_build_info", "What runs here.", ["kind", "version", "schema", "python"], registry=registry
    )
    build.labels(kind, version("roost"), str(VERSION), platform.python_version()).set(1)
    ProcessCollector(registry=registry)
    for collector in collectors:
        registry.register(collector)
    return registry


def export(kind: str, settings: Settings, collectors: Iterable[Collector]) -> CollectorRegistry:
    """Let Prometheus read, as long as the process runs, where the settings say so; what it reads."""
    registry = _new_registry(kind, collectors)
    if settings.metrics_ports is not None:
        _listen(registry, settings.metrics_host, settings.metrics_ports)
    return registry


def _listen(registry: CollectorRegistry, host: str, ports: Ports) -> None:
    for port in range(ports.first, ports.last + 1):
        try:
            server = _server(host, port, registry)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            mend = "Mend ROOST_METRICS_HOST or ROOST_METRICS_PORTS."
            log.error("no_metrics", host=host, port=port, error=error.strerror, mend=mend)  # noqa: TRY400 - the reason is said
            return
        threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        log.info("metrics_ready", host=host, port=port)
        return
    log.error(
        "no_metrics", error="every port of ROOST_METRICS_PORTS is taken", mend="Widen the range: one port for each process of this machine.",
    )  # fmt: skip


def _server(host: str, port: int, registry: CollectorRegistry) -> HTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE

        def setup(self) -> None:
            """Begin to wait for the question."""
            super().setup()
            self._late = threading.Timer(PATIENCE, self._hear_no_more)
            self._late.daemon = True
            self._late.start()

        def finish(self) -> None:
            """Wait no more."""
            self._late.cancel()
            super().finish()

        def _hear_no_more(self) -> None:
            with suppress(OSError):  # who asked is gone
                self.connection.shutdown(socket.SHUT_RD)

        def do_GET(self) -> None:
            """Answer `/metrics`."""
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(404)
                return
            body = generate_latest(registry)
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: a scrape is no news."""

    class Server(HTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # A port that another process listens at is taken, also where the system would share it.
        allow_reuse_port = False

        def handle_error(self, *_: object) -> None:
            """Whoever asked is gone, as a rule; what else keeps the metrics from being told is logged."""
            error = sys.exception()
            if not isinstance(error, OSError):
                log.error("fault", doing="telling metrics", exc_info=error)

    return Server((host, port), Handler)
