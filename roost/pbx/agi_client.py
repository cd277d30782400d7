"""FastAGI as bytes, Asterisk's side of a call: what it sends, and how it reads commands. No I/O.

For whatever calls a center as Asterisk does. The protocol, and the server's side: `agi.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from roost.errors import Invalid
from roost.pbx.agi import CONTROL, MAX_WORDS, Lines, ProtocolError

#: What Asterisk sends when the caller hangs up.
HANGUP = b"HANGUP\n"


@dataclass(frozen=True, slots=True)
class Command:
    """One command as Asterisk takes it apart."""

    words: tuple[str, ...]


class Client:
    """Asterisk's side of one call: reads commands. `environment`, `reply` and `HANGUP` make what it sends."""

    def __init__(self) -> None:
        self._lines = Lines()

    def feed(self, data: bytes) -> list[Command]:
        """The commands that `data` completes. Raises ProtocolError."""
        return [Command(split(line)) for line in self._lines.feed(data)]


def environment(values: Mapping[str, str], arguments: Sequence[str] = ()) -> bytes:
    """Make the block that starts a call; `values` by name, as `agi_uniqueid`.

    Raises Invalid for a line break in one.
    """
    pairs = {**values, **{f"agi_arg_{number}": value for number, value in enumerate(arguments, 1)}}
    lines = [f"{name}: {value}" for name, value in pairs.items()]
    if any(CONTROL.search(line) for line in lines):
        raise Invalid("An AGI value holds a control character.")
    return "\n".join([*lines, "", ""]).encode()


def reply(result: str, detail: str = "") -> bytes:
    """A 200 reply. Raises Invalid for a line break."""
    text = f"200 result={result}" + (f" ({detail})" if detail else "")
    if CONTROL.search(text):
        raise Invalid("An AGI value holds a control character.")
    return text.encode() + b"\n"


def split(line: str) -> tuple[str, ...]:
    """The words of a command line, taken apart as Asterisk's `parse_args` does."""
    words: list[str] = []
    quoted = escaped = False
    between = True
    for character in line:
        if character == '"' and not escaped:
            quoted = not quoted
            if quoted and between:
                words.append("")
                between = False
        elif character == "\\" and not escaped:
            escaped = True
        elif character in " \t" and not quoted and not escaped:
            between = True
        else:
            if between:
                words.append("")
                between = False
            words[-1] += character
            escaped = False
        if len(words) > MAX_WORDS:
            raise ProtocolError(f"A command has more than {MAX_WORDS} words.")
    return tuple(words)
