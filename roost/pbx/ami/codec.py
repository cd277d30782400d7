"""The Asterisk Manager Interface as bytes: actions out, messages in. No I/O.

Why an own codec: panoramisk 1.4 pipelines 33,000 to 38,000 DBPut a second here (this one over 100,000),
writes CR and LF of a value into the stream, so that one value can hold a second action, decodes as ASCII and
drops what is not, and buffers what it reads without bound. astami 1.1 awaits each answer before the next
action, py-ami-client 0.2 needs Python 3.12, and neither refuses CR and LF.

Facts, from Asterisk 22 `main/manager.c` and tried on it:

- A line holds at most 1,024 bytes with its CR LF; one longer spoils the whole action.
- A session answers its actions one by one, in the order they were sent.
- Over TLS it reads 1,024 bytes at a time, and waits for the socket even while more of the same TLS record is at hand: what is left of a
  longer record is read when something else arrives, or never.
- Blanks and control characters before a value are dropped, so a value that starts with one is refused here.

Protocol: https://docs.asterisk.org/Configuration/Interfaces/Asterisk-Manager-Interface-AMI/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from roost.errors import Invalid

#: Bytes a line may have, its CR LF included.
MAX_LINE = 1024
#: Bytes a message from the PBX may have. The longest Roost asks for, CoreSettings, has about 400.
MAX_MESSAGE = 65_536
_BANNER = b"Asterisk Call Manager/"
_END = b"\r\n\r\n"


class Unsendable(Invalid):
    """The value cannot be sent over AMI."""


class ProtocolError(OSError):
    """The peer does not speak AMI."""


def action(name: str, fields: Mapping[str, str]) -> bytes:
    """One action, ready to send.

    Raises Unsendable for CR, LF or NUL, a value that starts with a blank, and for a line over MAX_LINE
    bytes. Surrogates U+DC80 to U+DCFF stand for bytes that are not UTF-8, as `fields` gives them back.
    """
    text = "\r\n".join([f"Action: {name}", *[f"{field}: {value}" for field, value in fields.items()]])
    if ":  " in text or not "".join(fields.values()).isprintable():
        _check(fields.values())
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise Unsendable("It is not valid Unicode.") from error
    return of_short_lines(data) + _END


def of_short_lines(data: bytes) -> bytes:
    """The same; raises Unsendable for a line over MAX_LINE bytes."""
    if len(data) > MAX_LINE - 2 and any(len(line) > MAX_LINE - 2 for line in data.split(b"\r\n")):
        raise Unsendable(f"A line has more than {MAX_LINE} bytes.")
    return data


def _check(values: Iterable[str]) -> None:
    """Raise Unsendable for a value with a line break or NUL in it, or a blank before it; others here are only unusual."""
    for value in values:
        if "\r" in value or "\n" in value or "\0" in value:
            raise Unsendable("It holds a line break or a NUL.")
        if value and value[0] <= " ":
            raise Unsendable("It starts with a blank.")


def unnumbered(name: str, fields: Mapping[str, str]) -> bytes:
    """One action without its closing blank line: `numbered` makes it ready to send, again and again."""
    return action(name, fields)[:-2]


def numbered(unnumbered_action: bytes, action_id: int) -> bytes:
    """An action with its ActionID."""
    return b"%bActionID: %d\r\n\r\n" % (unnumbered_action, action_id)


def records(actions: bytes) -> Iterator[bytes]:
    """Whole lines of some actions, MAX_LINE bytes of them at most: a piece for each TLS record."""
    start = 0
    while len(actions) - start > MAX_LINE:
        end = actions.rindex(b"\r\n", start, start + MAX_LINE) + 2
        yield actions[start:end]
        start = end
    yield actions[start:]


def fields_of(message: bytes) -> dict[str, str]:
    """The fields of a message by name, as the PBX spells it; of two with one name the first counts.

    Bytes that are not UTF-8 become surrogates; a line without a colon (the rest of a value with a line break)
    is left out.
    """
    fields: dict[str, str] = {}
    for line in message.decode("utf-8", "surrogateescape").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name, value.removeprefix(" "))
    return fields


class Reader:
    """Cuts what a PBX sends into messages.

    It holds at most MAX_MESSAGE bytes between two calls, besides what it is given.
    After a ProtocolError it stays broken: the stream cannot be read on. `greeted`: the PBX said that it speaks AMI.
    """

    def __init__(self) -> None:
        self._rest = b""
        self.greeted = False
        self._broken = ""

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes, each without its closing blank line.

        Every one starts with `Response: ` or `Event: `. Raises ProtocolError.
        """
        if self._broken:
            raise ProtocolError(self._broken)
        rest = self._rest + data
        if not self.greeted:
            line, end, after = rest.partition(b"\r\n")
            if not line.startswith(_BANNER[: len(line)]) or len(line) > MAX_LINE:
                self._break("It does not greet as Asterisk does.")
            if not end:
                self._rest = rest
                return []
            if not line.startswith(_BANNER):
                self._break("It does not greet as Asterisk does.")
            self.greeted, rest = True, after
        *messages, self._rest = rest.split(_END)
        if len(self._rest) > MAX_MESSAGE + len(_END):
            self._break(f"A message has more than {MAX_MESSAGE} bytes.")
        for message in messages:
            if not message.startswith((b"Response: ", b"Event: ")):
                self._break("It sent neither a response nor an event.")
            if len(message) > MAX_MESSAGE:
                self._break(f"A message has more than {MAX_MESSAGE} bytes.")
        return messages

    def _break(self, why: str) -> None:
        self._broken, self._rest = why, b""
        raise ProtocolError(why)
