"""One logged-in AMI connection: a blocking socket, a deadline, many actions in flight.

What fails in the middle closes it, because what the PBX sends next would answer an older question.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from pydantic import SecretStr

from roost.errors import Invalid, NodeRefused, NodeUnavailable
from roost.pbx.ami import codec
from roost.pbx.ami.options import AmiOptions
from roost.pbx.connection import NodeConnection
from roost.pbx.node import NodeAddress
from roost.wording import shown

#: Actions sent before the first of them is answered. Their answers must fit the socket buffers: Asterisk
#: waits 100 ms (`writetimeout`) for a peer that does not read.
WINDOW = 512
#: The same for actions that are answered with a list of one: three messages each.
LIST_WINDOW = 128
#: Bytes one list may have: a dump of about two million entries.
MAX_LIST = 256 * 1024 * 1024
#: Actions that `ask_in_turns` sends within one deadline.
AT_ONCE = 500
_CHUNK = 256 * 1024
_REFUSALS = ("Permission denied", "Authentication failed", "Invalid/unknown command")
_NO_GREETING = "It closed the connection before it greeted; where it speaks TLS: roost node set NODE --tls."
_TOO_MANY = "It answered more than was asked."

T = TypeVar("T")
Action = tuple[str, dict[str, str]]


class ActionFailed(NodeUnavailable):
    """The PBX answered an action with an error; the connection can still be used."""

    def __init__(self, detail: str, message: str) -> None:
        super().__init__(detail)
        self.message = message


class Failure(NamedTuple):
    """One action of many: its place, and why it could not be sent, or the PBX's message when it answered with an error."""

    position: int
    message: str
    sent: bool


class AmiSession:
    """A connection that is logged in; `events` are the classes of events that it is sent, "off" for none.

    Ask inside `with session.deadline():`; all that is asked in one such block ends within `seconds`, as the login does.
    Raises NodeUnavailable, also for a peer that does not speak AMI, and NodeRefused for a refused login or
    action.
    """

    def __init__(
        self, address: NodeAddress, options: AmiOptions, seconds: float, events: str = "off"
    ) -> None:
        self._connection = NodeConnection(address, seconds, by_tls=options.tls, ca=options.ca)
        self._by_tls = options.tls
        self._reader = codec.Reader()
        self._next_id = 1
        self._allowed: frozenset[str] | None = None
        self._heard: list[bytes] = []
        self._hears = events != "off"
        with self._connection.deadline():
            self._connection.open()
            self._log_in(options.username, address.secret, events)

    @contextmanager
    def deadline(self) -> Iterator[None]:
        """Start the clock of one call.

        Every failure inside names the node, and closes the connection if it must.
        """
        with self._connection.deadline(ActionFailed, Invalid):
            yield

    def ask(self, name: str, fields: dict[str, str]) -> dict[str, str]:
        """Send one action; the fields of its success. Raises ActionFailed for an error."""
        action_id = self._send_action(name, fields)
        while True:
            messages = self._receive()
            answers = [message for message in messages if not message.startswith(b"Event: ")]
            if self._hears:
                self._heard += [message for message in messages if message.startswith(b"Event: ")]
            if len(answers) > 1:
                raise codec.ProtocolError(_TOO_MANY)
            if answers:
                return self._success(name, answers[0], action_id)

    def ask_list(self, name: str, fields: dict[str, str], of: str = "") -> list[bytes]:
        """Send an action that answers with a list; its events, the closing one left out, which is named after the action or `of`.

        Raises ActionFailed for an error.

        Asterisk keeps its database locked while it sends, and gives up on a slow reader:
        so all is received before any is looked at.
        """
        action_id = self._send_action(name, fields)
        closing = b"Event: %sComplete\r\nActionID: %d\r\n" % ((of or name).encode(), action_id)
        ours = b"\r\nActionID: %d\r\n" % action_id
        events: list[bytes] = []
        size, done = 0, False
        while True:
            for message in self._receive():
                if not message.startswith(b"Event: "):
                    self._success(name, message, action_id)
                elif message.startswith(closing):
                    done = True
                elif message.endswith(ours[:-2]) or ours in message:
                    events.append(message)
                    size += len(message)
                elif self._hears:
                    self._heard.append(message)
            if done:
                return events
            if size > MAX_LIST:
                raise codec.ProtocolError(f"A list has more than {MAX_LIST} bytes.")

    def events(self, seconds: float) -> list[bytes]:
        """Events that nobody asked for, since the last call; waits so long for the first. Outside of deadlines, unlike all else here.

        Raises NodeUnavailable when the connection ends, also when the machine at its other end is gone.
        """
        heard, self._heard = self._heard, []
        if heard:
            return heard
        data = self._connection.receive_within(seconds, _CHUNK)
        if data is None:
            return []
        with self.deadline():
            messages = self._feed(data)
        return [message for message in messages if message.startswith(b"Event: ")]

    def may(self, name: str) -> bool:
        """Whether the PBX lets this user ask for an action."""
        if self._allowed is None:
            self._allowed = frozenset(self.ask("ListCommands", {}))
        return name in self._allowed

    def ask_many(
        self,
        requests: Sequence[T],
        encode: Callable[[T], bytes],
        hear: Callable[[int, bytes], None] | None = None,
    ) -> list[Failure]:
        """Send an action for each request, pipelined; the ones that failed, by place: all others succeeded.

        `encode` gives each as `codec.unnumbered` does. One that it finds Invalid is not sent, and fails.
        `hear` is told the place and the answer of each that succeeded.
        """
        failures: list[Failure] = []
        waiting: deque[int] = deque()
        place, total = 0, len(requests)
        while place < total or waiting:
            if place < total and len(waiting) <= WINDOW // 2:
                batch: list[bytes] = []
                while place < total and len(waiting) < WINDOW:
                    try:
                        batch.append(codec.numbered(encode(requests[place]), self._next_id))
                    except Invalid as error:
                        failures.append(Failure(place, str(error), sent=False))
                    else:
                        self._next_id += 1
                        waiting.append(place)
                    place += 1
                self._send(b"".join(batch))
            for message in self._receive() if waiting else ():
                if message.startswith(b"Event: "):
                    continue
                if not waiting:
                    raise codec.ProtocolError(_TOO_MANY)
                action_id = self._next_id - len(waiting)
                if not message.startswith(b"Response: Success\r\nActionID: %d\r\n" % action_id):
                    answer = self._answer(message, action_id)
                    if answer["Response"] != "Success":
                        failures.append(Failure(waiting[0], self._error(answer), sent=True))
                elif hear is not None:
                    hear(waiting[0], message)
                waiting.popleft()
        return sorted(failures)

    def ask_in_turns(self, requests: Sequence[T], encode: Callable[[T], bytes]) -> list[Failure]:
        """`ask_many`, so many at a time, each time with a deadline of its own: for actions of which many take long. Ask outside of deadlines."""
        failures: list[Failure] = []
        for place in range(0, len(requests), AT_ONCE):
            with self.deadline():
                failed = self.ask_many(requests[place : place + AT_ONCE], encode)
            failures += [failure._replace(position=place + failure.position) for failure in failed]
        return failures

    def ask_lists(
        self, name: str, requests: Sequence[T], encode: Callable[[T], bytes]
    ) -> list[list[bytes] | str]:
        """Send an action that is answered with a list for each request, pipelined: the events of each, or the message of its error.

        Raises Invalid for a request that cannot be sent; then the connection can still be used.
        """
        actions = [encode(request) for request in requests]
        answers: list[list[bytes] | str] = []
        first, sent, events = self._next_id, 0, list[bytes]()
        while len(answers) < len(actions):
            if sent < len(actions) and sent - len(answers) <= LIST_WINDOW // 2:
                until = min(len(answers) + LIST_WINDOW, len(actions))
                batch = [codec.numbered(actions[place], first + place) for place in range(sent, until)]
                sent, self._next_id = until, first + until
                self._send(b"".join(batch))
            for message in self._receive():
                if len(answers) == sent:
                    raise codec.ProtocolError(_TOO_MANY)
                action_id = first + len(answers)
                if message.startswith(b"Response: Success\r\nActionID: %d\r\n" % action_id):
                    continue
                if not message.startswith(b"Event: "):
                    answer = self._answer(message, action_id)
                    if answer["Response"] != "Success":
                        answers.append(self._error(answer))
                elif message.startswith(
                    b"Event: %sComplete\r\nActionID: %d\r\n" % (name.encode(), action_id)
                ):
                    answers.append(events)
                    events = []
                elif message.endswith(b"\r\nActionID: %d" % action_id):
                    events.append(message)
        return answers

    def close(self) -> None:
        """Close the connection; never raises."""
        self._connection.close()

    def _log_in(self, username: str, secret: SecretStr, events: str) -> None:
        challenge = self.ask("Challenge", {"AuthType": "MD5"}).get("Challenge", "")
        # AMI knows no other digest; with it the secret itself never crosses the wire.
        proof = hashlib.md5((challenge + secret.get_secret_value()).encode(), usedforsecurity=False)
        self.ask(
            "Login",
            {"AuthType": "MD5", "Username": username, "Key": proof.hexdigest(), "Events": events},
        )

    def _send(self, data: bytes) -> None:
        for part in codec.records(data) if self._by_tls else [data]:
            self._connection.send(part)

    def _receive(self) -> list[bytes]:
        return self._feed(self._connection.receive(_CHUNK))

    def _feed(self, data: bytes) -> list[bytes]:
        if not data:
            raise OSError("It closed the connection." if self._reader.greeted else _NO_GREETING)
        return self._reader.feed(data)

    def _send_action(self, name: str, fields: dict[str, str]) -> int:
        data = codec.action(name, {"ActionID": str(self._next_id), **fields})
        self._send(data)
        self._next_id += 1
        return self._next_id - 1

    def _answer(self, message: bytes, action_id: int) -> dict[str, str]:
        answer = codec.fields_of(message)
        if answer.get("ActionID") != str(action_id):
            raise codec.ProtocolError("It answered another action than was asked.")
        return answer

    def _success(self, name: str, message: bytes, action_id: int) -> dict[str, str]:
        answer = self._answer(message, action_id)
        if answer["Response"] != "Success":
            error = self._error(answer)
            raise ActionFailed(f"{self._connection.place} answered {name} with: {error}.", error)
        return answer

    def _error(self, answer: dict[str, str]) -> str:
        """The message of an error; raises NodeRefused when trying again cannot help."""
        if answer["Response"] != "Error":
            raise codec.ProtocolError("It answered with neither success nor error.")
        message = shown(answer.get("Message", "")[:200])
        if message.startswith(_REFUSALS):
            raise NodeRefused(f"{self._connection.place}: {message}.")
        return message
