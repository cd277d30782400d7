"""A RabbitMQ that answers nonsense at first, as seconds after its boot on a busy machine: workers outlive it, however fast it fails."""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from localcluster import ports
from localcluster.process import SupervisedProcess
from localcluster.rabbitmq import RabbitCluster
from roost.settings import Settings
from tasks.broker import connect
from tests.cluster import wait_until

#: AMQP 0-9-1, section 2.3.5: a method frame of channel 1, whose method is queue.declare.
DECLARE = b"\x00\x32\x00\x0a"
FRAME_END = b"\xce"


def internal_error() -> bytes:
    """What RabbitMQ sends when a queue's process crashes under it: connection.close, 541 INTERNAL_ERROR."""
    reason = b"INTERNAL_ERROR"
    arguments = struct.pack(">HHHB", 10, 50, 541, len(reason)) + reason + struct.pack(">HH", 50, 10)
    return struct.pack(">BHI", 1, 0, len(arguments)) + arguments + FRAME_END


class BrokerAtFirst:
    """A door to a RabbitMQ: its first connections go wrong in every way, and the others are passed on.

    More than Celery takes within a second (5), and each fails at once.
    """

    AT_ONCE = (b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00" * 4096, os.urandom(256))
    AT_DECLARE = 7

    def __init__(self, host: str, port: int) -> None:
        self._broker = (host, port)
        self.failed = 0
        self._server = socket.create_server((ports.LOOPBACK, 0))
        self.port = int(self._server.getsockname()[1])
        self._open: list[socket.socket] = [self._server]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed by the end of the test
            while True:
                client = self._server.accept()[0]
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    @property
    def well(self) -> bool:
        """Whether all that goes wrong has gone wrong."""
        return self.failed >= len(self.AT_ONCE) + self.AT_DECLARE

    def _serve(self, client: socket.socket) -> None:
        if self.failed < len(self.AT_ONCE):
            with client, suppress(OSError):
                client.sendall(self.AT_ONCE[self.failed])
            self.failed += 1
            return
        broker = socket.create_connection(self._broker)
        self._open.append(broker)
        stop_at = None if self.well else DECLARE
        threading.Thread(target=self._pass, args=(broker, client), daemon=True).start()
        self._pass(client, broker, stop_at=stop_at)

    def _pass(self, source: socket.socket, sink: socket.socket, stop_at: bytes | None = None) -> None:
        with suppress(OSError):  # either side is gone
            while data := source.recv(65_536):
                if stop_at is not None and stop_at in data:
                    source.sendall(internal_error())
                    self.failed += 1
                    break
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for each in self._open:
            each.close()


@pytest.fixture
def broker_at_first(rabbitmq: RabbitCluster) -> Iterator[tuple[BrokerAtFirst, str]]:
    """The door, and a URL through it."""
    url = urlsplit(rabbitmq.add_vhost())
    assert url.hostname is not None
    assert url.port is not None
    door = BrokerAtFirst(url.hostname, url.port)
    yield door, url._replace(netloc=f"{url.username}:{url.password}@{ports.LOOPBACK}:{door.port}").geturl()
    door.close()


def test_a_worker_outlives_a_broker_that_answers_nonsense_at_first_and_somebody_elses_queue_there(
    broker_at_first: tuple[BrokerAtFirst, str],
    rabbitmq: RabbitCluster,
    settings: Settings,
    tmp_path: Path,
    repository: Path,
) -> None:
    door, url = broker_at_first
    direct = url.replace(f":{door.port}/", f":{rabbitmq.nodes[0].port}/")
    with connect(direct) as somebody:
        somebody.default_channel.queue_declare("push", durable=True, auto_delete=False)
    worker = SupervisedProcess(
        "push",
        [sys.executable, "-m", "workers.push"],
        log=tmp_path / "push.log",
        folder=tmp_path,
        environment={
            "PATH": os.defpath,
            "PYTHONPATH": str(repository),
            "ROOST_DATABASE_URL": settings.need("database_url"),
            "ROOST_BROKER_URL": url,
            "ROOST_SEAL_PRIVATE_KEY": settings.need("seal_private_key"),
        },
        start_deadline=60,
        stop_signal=signal.SIGINT,
        stop_deadline=60,
    )
    worker.ready = lambda: worker.wrote(" ready.")

    def log() -> str:
        return worker.log.read_text()

    worker.launch()
    try:
        wait_until(
            lambda: "A queue there is not as Roost makes it (inequivalent arg" in log(), "it is named", 60
        )
        assert door.well
        assert "broker_back" not in log(), "it is let in, and its queues are not"
        with connect(direct) as somebody:
            somebody.default_channel.queue_delete("push")
        worker.await_ready()
        wait_until(lambda: "broker_back" in log(), "it is said when its queues are", 10)
        assert worker.stop() == 0, "Ctrl-C is an end like any other"
    finally:
        worker.kill()
    assert "Frequent restarts" not in log()
    assert "Traceback" not in log(), log()
