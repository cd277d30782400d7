"""FastAGI as bytes, the server's side of a call: what it reads, and the commands that it sends. No I/O.

Asterisk's side: `agi_client.py`.

Asterisk connects and sends the call's environment, lines of `agi_name: value` up to an empty one. Then the
server sends a command a line and Asterisk answers each with `<code> …`. The line `HANGUP` may come between
any two answers.

Facts, from Asterisk 22 `res/res_agi.c` and tried on it: a command may have 8,191 bytes and 127 words; in
quotes a backslash keeps the next character as it is. `GET DATA` answers `200 result=12`, `200 result=12
(timeout)` with what was keyed before the time was up, and `200 result=-1` when the caller hung up; commands
after that answer 511.

Protocol: https://docs.asterisk.org/Configuration/Interfaces/Asterisk-Gateway-Interface-AGI/
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from roost.errors import Invalid, RoostError

#: Bytes a line may have, its line break left out.
MAX_LINE = 4096
#: Lines an environment may have; Asterisk sends about 22 and one for each argument.
MAX_ENVIRONMENT_LINES = 160
#: Bytes an environment may have.
MAX_ENVIRONMENT = 32_768
#: Lines the usage text of a 520 may have.
MAX_USAGE_LINES = 200
#: What a health check gives for its node, which no node can be named: its call is none.
HEALTH_CHECK = "(health check)"
#: Words a command may have.
MAX_WORDS = 127
_ENVIRONMENT_LINE = re.compile(r"(agi_[a-z0-9_]{1,32}):(?: (.*))?")
_REPLY = re.compile(r"(\d{3}) (.*)")
#: `result=`, what stands in parentheses, and the like of ` endpos=8000`, which Roost has no use for.
_RESULT = re.compile(r"result=(\S*)(?: \((.*)\))?(?: [^()]*)?")
#: Control characters; a value holds none.
CONTROL = re.compile("[\x00-\x1f\x7f]")


class ProtocolError(RoostError):
    """The peer does not speak FastAGI."""

    code = "agi_protocol"


@dataclass(frozen=True, slots=True)
class Environment:
    """What Asterisk says about the call, by name: `agi_uniqueid`, `agi_channel`, `agi_arg_1` and so on.

    Control characters in a value, and bytes that are not UTF-8, were replaced by U+FFFD.
    """

    values: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        """A value; empty when Asterisk did not send it."""
        return self.values.get(name, "")

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments given to AGI() in the dialplan."""
        arguments: list[str] = []
        while (name := f"agi_arg_{len(arguments) + 1}") in self.values:
            arguments.append(self.values[name])
        return tuple(arguments)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one command.

    `result` is what follows `result=` (empty for GET DATA without a digit); `detail` what stands in
    parentheses after it. With a code other than 200 (510 unknown command, 511 the channel is dead, 520 wrong
    usage) `detail` is the text.
    """

    code: int
    result: str = ""
    detail: str = ""

    @property
    def timed_out(self) -> bool:
        """The caller keyed nothing more in time."""
        return self.code == 200 and self.detail == "timeout"

    @property
    def channel_gone(self) -> bool:
        """The caller hung up, or the command failed as it does then."""
        return self.code == 511 or (self.code == 200 and self.result == "-1")


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller hung up; Asterisk still answers the command in hand."""


def command(*words: str, values: Sequence[str] = ()) -> bytes:
    """Make a command line: `words` as they are, `values` in quotes.

    Raises Invalid for control characters and excess length.
    """
    for value in values:
        if CONTROL.search(value):
            raise Invalid("An AGI value holds a control character.")
    if len(words) + len(values) > MAX_WORDS:
        raise Invalid(f"An AGI command has more than {MAX_WORDS} words.")
    escaped = ['"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]
    line = " ".join([*words, *escaped]).encode("utf-8", "replace")
    if len(line) > MAX_LINE:
        raise Invalid(f"An AGI command has more than {MAX_LINE} bytes.")
    return line + b"\n"


def answer() -> bytes:
    """Answer the call."""
    return command("ANSWER")


def stream_file(prompt: str, escape_digits: str = "") -> bytes:
    """Play a prompt; the reply's result is 0, or the code of the digit that ended it."""
    return command("STREAM", "FILE", values=[prompt, escape_digits])


def get_data(prompt: str, milliseconds: int, max_digits: int) -> bytes:
    """Play a prompt and collect digits until `#`, `max_digits`, or `milliseconds` without one."""
    return command("GET", "DATA", values=[prompt, str(milliseconds), str(max_digits)])


def say_digits(digits: str, escape_digits: str = "") -> bytes:
    """Say digits one by one."""
    return command("SAY", "DIGITS", values=[digits, escape_digits])


def channel_status() -> bytes:
    """Ask whether the channel lives; the reply's result is its state, or -1."""
    return command("CHANNEL", "STATUS")


def set_variable(name: str, value: str) -> bytes:
    """Set a channel variable."""
    return command("SET", "VARIABLE", values=[name, value])


def hang_up() -> bytes:
    """Hang the call up."""
    return command("HANGUP")


class Lines:
    """Cuts bytes into lines; holds at most MAX_LINE bytes of an unfinished one."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes. Raises ProtocolError."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        # One byte more, for the CR of a line that ends with CR LF.
        if any(len(line) > MAX_LINE + 1 for line in (*lines, self._rest)):
            self._rest = b""
            raise ProtocolError(f"A line has more than {MAX_LINE} bytes.")
        return [line.removesuffix(b"\r").decode("utf-8", "replace") for line in lines]

    @property
    def pending(self) -> bool:
        """Whether a line has begun."""
        return bool(self._rest)


class Server:
    """The server's side of one call: reads the environment, then replies.

    After a ProtocolError it stays broken, and raises it again.
    """

    def __init__(self) -> None:
        self._lines = Lines()
        self._values: dict[str, str] = {}
        self._size = 0
        self._started = False
        self._usage: list[str] | None = None
        self._broken: ProtocolError | None = None

    def feed(self, data: bytes) -> list[Environment | Reply | HungUp]:
        """What `data` completes: one Environment first, then Reply and HungUp. Raises ProtocolError."""
        if self._broken is not None:
            raise self._broken
        try:
            events = [self._event(line) for line in self._lines.feed(data)]
        except ProtocolError as error:
            self._broken, self._values, self._usage = error, {}, None
            raise
        return [event for event in events if event is not None]

    def end(self) -> None:
        """Say that Asterisk closed the connection.

        Raises ProtocolError when that was amid an environment or a line.
        """
        if not self._started or self._lines.pending or self._usage is not None:
            raise ProtocolError("It closed the connection amid a message.")

    def _event(self, line: str) -> Environment | Reply | HungUp | None:
        if not self._started:
            return self._environment_line(line)
        if self._usage is not None:
            return self._usage_line(line, self._usage)
        if line == "HANGUP":
            return HungUp()
        if line.startswith("520-"):
            self._usage = [line[4:]]
            return None
        reply = _REPLY.fullmatch(line)
        if reply is None:
            raise ProtocolError("A reply starts with no code.")
        code, text = int(reply[1]), reply[2]
        if code != 200:
            return Reply(code, detail=text)
        result = _RESULT.fullmatch(text)
        if result is None:
            raise ProtocolError("A reply has no result.")
        return Reply(code, result[1], result[2] or "")

    def _environment_line(self, line: str) -> Environment | None:
        if not line:
            if not self._values:
                raise ProtocolError("The environment is empty.")
            self._started = True
            environment, self._values = Environment(self._values), {}
            return environment
        pair = _ENVIRONMENT_LINE.fullmatch(CONTROL.sub("\ufffd", line))
        if pair is None:
            raise ProtocolError("The environment holds a line that is not `agi_name: value`.")
        self._size += len(line)
        if len(self._values) >= MAX_ENVIRONMENT_LINES or self._size > MAX_ENVIRONMENT:
            raise ProtocolError("The environment is too large.")
        if pair[1] in self._values:
            raise ProtocolError("The environment says one thing twice.")
        self._values[pair[1]] = pair[2] or ""
        return None

    def _usage_line(self, line: str, usage: list[str]) -> Reply | None:
        if line.startswith("520 "):
            self._usage = None
            return Reply(520, detail="\n".join(usage))
        if len(usage) >= MAX_USAGE_LINES:
            raise ProtocolError("A usage text is too long.")
        usage.append(line)
        return None
