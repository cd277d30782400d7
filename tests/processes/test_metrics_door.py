"""Who reads the metrics keeps nobody else from reading them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from urllib.request import urlopen

import pytest
from prometheus_client import Metric
from prometheus_client.registry import Collector
from structlog.testing import capture_logs

from localcluster import ports
from roost.settings import Settings
from tests.cluster import wait_until
from workers.metrics.exporter import PATIENCE, export
from workers.metrics.look import Look


def test_who_never_comes_to_the_end_of_a_question_keeps_nobody_else_waiting_for_long() -> None:
    port = ports.free_port()
    export("center", Settings.model_validate({"metrics_ports": str(port)}), [])
    over = threading.Event()
    with socket.create_connection((ports.LOOPBACK, port), timeout=20) as dawdler:

        def dawdle() -> None:
            with suppress(OSError):  # it is hung up on
                while not over.wait(PATIENCE / 10):
                    dawdler.sendall(b"G")

        dawdling = threading.Thread(target=dawdle)
        dawdling.start()
        try:
            with urlopen(f"http://{ports.LOOPBACK}:{port}/metrics", timeout=5 * PATIENCE) as answer:
                assert b"roost_build_info" in answer.read()
        finally:
            over.set()
            dawdling.join()


class _Broken(Collector):
    def collect(self) -> Iterator[Metric]:
        yield Metric("roost_sound", "A metric that can be told.", "gauge")
        raise ValueError("what was read is no number")


def test_what_keeps_the_metrics_from_being_told_is_logged() -> None:
    port = ports.free_port()
    with capture_logs() as logs:
        export("center", Settings.model_validate({"metrics_ports": str(port)}), [_Broken()])
        with pytest.raises(OSError, match="closed connection"):
            urlopen(f"http://{ports.LOOPBACK}:{port}/metrics", timeout=20)
        wait_until(lambda: any(entry["event"] == "fault" for entry in logs), "it is logged")


def test_a_question_that_no_thread_was_left_for_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    look = Look(lambda: "an answer", "part")

    def no_thread(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as system:
        system.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(RuntimeError):
            look.begin()
    assert look.answer(look.begin()) == "an answer"
