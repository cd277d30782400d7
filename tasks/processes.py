"""Asks which processes run: one thread asks for the whole process, and only while somebody wants to know.

So a question costs the broker the same for one viewer and for hundreds, and a broker that stands still keeps nobody
waiting: who looks is told what was heard last.
"""

from __future__ import annotations

import re
import threading
import time
from typing import NamedTuple

import structlog
from kombu.exceptions import KombuError

from roost.settings import Settings
from tasks.broker import BROKER_LOST, connect
from tasks.presence import mailbox

#: Every kind of process, as the Procfile names them.
KINDS = ("center", "bind", "verify", "push", "beat", "web")
#: Answers to one question are heard until there is silence for so many seconds.
SILENCE = 0.7
#: Seconds from one question to the next.
PAUSE = 0.8
#: A process that was not heard for so many seconds is gone; when nobody was, nothing is known.
GONE_AFTER = 5.0
#: It is asked for so many seconds after somebody looked.
WANTED_FOR = 10.0
#: Processes that are kept; others that answer are not ours.
MOST = 1000

#: What reading an answer raises when it is none: kombu takes its fields as they come.
NO_ANSWER = (KombuError, LookupError, TypeError, ValueError)

_NAME = re.compile(rf"({'|'.join(KINDS)})-(\d{{1,10}})@([\x21-\x7e]{{1,253}})")

log = structlog.get_logger(__name__)


class Process(NamedTuple):
    """A process that runs: its kind, the machine it is on, its process id there."""

    kind: str
    host: str
    process_id: int


class Processes:
    """Which processes answered lately. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.need("broker_url")
        self._heard: dict[Process, float] = {}
        #: When the last question that was answered was asked: who answers it is heard later, so as long as this counts, somebody lives.
        self._asked_at = float("-inf")
        self._wanted_until = 0.0
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="processes", daemon=True)
        self._thread.start()

    def look(self, patience: float = 0.0) -> list[Process] | None:
        """Who runs, by kind, in the Procfile's order. None: it is not known, for nobody was heard lately.

        When nothing is known yet, it waits at most `patience` seconds until everybody had the time to answer.
        """
        with self._changed:
            self._wanted_until = time.monotonic() + WANTED_FOR
            self._changed.notify_all()
            self._changed.wait_for(self._is_known, patience)
            alive = self._alive() if self._is_known() else []
        return sorted(alive, key=lambda each: (KINDS.index(each.kind), each.host, each.process_id)) or None

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(timeout=2)

    def _is_known(self) -> bool:
        return time.monotonic() - self._asked_at < GONE_AFTER

    def _alive(self) -> list[Process]:
        since = time.monotonic() - GONE_AFTER
        return [process for process, at in self._heard.copy().items() if at > since]

    def _run(self) -> None:
        while not self._closing.is_set():
            with self._changed:
                self._changed.wait_for(lambda: self._wanted() or self._closing.is_set())
            try:
                self._ask()
            except (*BROKER_LOST, *NO_ANSWER):
                self._closing.wait(PAUSE)
            except Exception:
                # Whatever it is: without this thread nobody would be told any more who runs.
                log.exception("fault", doing="asking who runs")
                self._closing.wait(PAUSE)

    def _wanted(self) -> bool:
        return time.monotonic() < self._wanted_until

    def _ask(self) -> None:
        """Ask over one connection, again and again, until nobody wants to know."""
        with connect(self._url) as connection:
            box = mailbox(connection)
            while self._wanted() and not self._closing.is_set():
                asked = time.monotonic()
                answers = box.multi_call("ping", timeout=SILENCE, callback=self._note)
                self._settle(asked, answered=bool(answers))
                self._closing.wait(PAUSE)

    def _note(self, answer: object) -> None:
        for name in answer if isinstance(answer, dict) else ():
            found = _NAME.fullmatch(str(name))
            if found and len(self._heard) < MOST:
                self._heard[Process(found[1], found[3], int(found[2]))] = time.monotonic()

    def _settle(self, asked: float, *, answered: bool) -> None:
        with self._changed:
            self._heard = {process: at for process, at in self._heard.items() if at > asked - GONE_AFTER}
            if answered:
                self._asked_at = asked
                self._changed.notify_all()
