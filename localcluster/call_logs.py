"""What Asterisks and centers log of calls, from the moment when one begins to listen."""

from __future__ import annotations

import re
from pathlib import Path

from localcluster.asterisk import AsteriskNode
from localcluster.process import wait_until

#: The prompt that asks for a code.
ASKS_FOR_CODE = "agent-pass"
_PLAYED = re.compile(r"Playing '([\w/-]+)")
_CALL_DONE = re.compile(r"call_done .*?outcome=(\w+)")


class AsteriskLog:
    """What some Asterisks have logged since this object was made."""

    def __init__(self, *nodes: AsteriskNode) -> None:
        self._starts = [(node, node.log_size()) for node in nodes]
        self._read_to: list[int] = []
        self._text = ""
        self._prompts: list[str] = []

    @property
    def text(self) -> str:
        """All of it, one node's after the other's."""
        self._read()
        return self._text

    @property
    def prompts(self) -> list[str]:
        """The names of the prompts that were played."""
        self._read()
        return self._prompts

    def _read(self) -> None:
        """Read it again if it has grown: who waits for a line looks hundreds of times a second."""
        sizes = [node.log_size() for node, _ in self._starts]
        if sizes != self._read_to:
            self._text = "".join(node.logged_since(start) for node, start in self._starts)
            self._prompts, self._read_to = _PLAYED.findall(self._text), sizes

    @property
    def questions(self) -> int:
        """How often a code was asked for."""
        return self.prompts.count(ASKS_FOR_CODE)

    def __contains__(self, text: str) -> bool:
        return text in self.text

    def wait(self, text: str, deadline: float = 10.0) -> None:
        """Wait until `text` is logged: that may be a moment after it was done."""
        names = ", ".join(node.name for node, _ in self._starts)
        wait_until(lambda: text in self, deadline, f"{text!r} in the log of {names}")


class CenterLog:
    """What some centers have logged since this object was made; their logs are text."""

    def __init__(self, *logs: Path) -> None:
        self._starts = [(log, log.stat().st_size) for log in logs]

    @property
    def text(self) -> str:
        """All of it, one center's after the other's."""
        return "".join(_read(log, start) for log, start in self._starts)

    @property
    def outcomes(self) -> list[str]:
        """What the calls came to that have ended."""
        return _CALL_DONE.findall(self.text)


def _read(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode(errors="replace")
