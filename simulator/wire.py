"""AMI as the PBX reads and writes it: actions in, answers out. No I/O.

After `get_input` and `do_message` of Asterisk's `main/manager.c`.
"""

from __future__ import annotations

from collections.abc import Iterable

from roost.pbx.ami.codec import MAX_LINE

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
#: Lines one action may have.
MAX_LINES = 128
#: Bytes of an unfinished action that are kept.
MAX_UNFINISHED = MAX_LINES * MAX_LINE
#: What Asterisk's `ast_skip_blanks` takes for blanks.
_BLANKS = "".join(map(chr, range(1, 33)))

Fields = dict[str, str]


class TooMuchError(Exception):
    """The peer sends on and on without ending its action."""


class ActionReader:
    """Cuts what a client sends into actions."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The actions that `data` completes, lines separated by LF. Raises TooMuchError."""
        data = (self._rest + data).replace(b"\r\n", b"\n")
        *actions, self._rest = data.split(b"\n\n")
        if len(self._rest) > MAX_UNFINISHED:
            raise TooMuchError
        return actions


def fields_of(action: bytes) -> tuple[Fields, str]:
    """Split an action into fields by name in lower case, the first of each; and why it cannot be obeyed.

    An empty reason means it can.
    """
    lines = action.decode("utf-8", "surrogateescape").split("\n")
    problem = ""
    if len(lines) > MAX_LINES:
        problem, lines = "Too many lines in message or allocation failure", lines[:MAX_LINES]
    if len(action) > MAX_LINE - 2 and any(
        len(line) > MAX_LINE - 2 for line in action.split(b"\n", MAX_LINES)[:MAX_LINES]
    ):
        problem = "Failed to parse message: line too long"
    fields: Fields = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.lower(), value.lstrip(_BLANKS))
    return fields, problem


def response(fields: Fields, kind: str, *lines: str) -> bytes:
    """A response to the action with these fields, of kind Success, Error or Goodbye."""
    return _message([f"Response: {kind}", *_action_id(fields), *lines])


def error(fields: Fields, message: str) -> bytes:
    """An error response."""
    return response(fields, "Error", f"Message: {message}")


def success(fields: Fields, message: str) -> bytes:
    """A success response with a message."""
    return response(fields, "Success", f"Message: {message}")


def listing(fields: Fields, name: str, entries: Iterable[tuple[str, ...]]) -> bytes:
    """A list: the response, an event `<name>Response` for each entry, and `<name>Complete`."""
    action_id = _action_id(fields)
    messages = [response(fields, "Success", "EventList: start", "Message: Result will follow")]
    messages += [_message([f"Event: {name}Response", *entry, *action_id]) for entry in entries]
    count = len(messages) - 1
    messages.append(
        _message([f"Event: {name}Complete", *action_id, "EventList: Complete", f"ListItems: {count}"])
    )
    return b"".join(messages)


def event(name: str, *lines: str) -> bytes:
    """An event of no action."""
    return _message([f"Event: {name}", *lines])


def _action_id(fields: Fields) -> list[str]:
    action_id = fields.get("actionid")
    return [f"ActionID: {action_id}"] if action_id else []


def _message(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")
