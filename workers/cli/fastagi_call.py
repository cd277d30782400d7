"""One FastAGI call, from Asterisk's side: a real connection to a center, with a person or a list for the keys."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from roost.errors import Unavailable
from roost.moves.outcomes import Outcome
from roost.pbx import agi, agi_client

#: Seconds to connect, and for the center's next command.
CONNECT_DEADLINE = 5.0
COMMAND_DEADLINE = 15.0
#: Seconds and commands a whole call may take.
CALL_DEADLINE = 300.0
MAX_COMMANDS = 200
_CHUNK = 4096
#: Asterisk takes so many digits when it is not told how many.
_MOST_DIGITS = 1024
_NO_KEY = re.compile("[^0-9*]")


class CenterUnavailable(Unavailable):
    """The center is not reachable, or ended the call without an outcome."""

    code = "center_unavailable"


@dataclass(frozen=True, slots=True)
class Call:
    """What Asterisk says of the call."""

    node: str
    phone: str
    dialled: str
    unique_id: str


@dataclass(frozen=True, slots=True)
class Play:
    """A prompt the center plays; with `wants_digits` it waits for keys then."""

    prompt: str
    wants_digits: bool = False


def place_call(
    host: str, port: int, call: Call, *, hear: Callable[[Play], None], key: Callable[[], str]
) -> Outcome:
    """Call a center and follow its commands; what it announced as the outcome.

    `key` gives the digits for each question, '' for none. Raises CenterUnavailable.
    """
    try:
        with socket.create_connection((host, port), CONNECT_DEADLINE) as connection:
            connection.sendall(
                agi_client.environment(
                    {
                        "agi_network": "yes",
                        "agi_request": f"agi://{host}:{port}/center",
                        "agi_channel": f"RoostCli/{call.phone}",
                        "agi_uniqueid": call.unique_id,
                        "agi_extension": call.dialled,
                    },
                    [call.node, call.phone, call.dialled],
                )
            )
            return _follow(connection, hear, key)
    except agi.ProtocolError as error:
        raise CenterUnavailable(str(error)) from None
    except UnicodeError:
        raise CenterUnavailable(f"({host}:{port}: the host name is malformed)") from None
    except OSError as error:
        raise CenterUnavailable(f"({host}:{port}: {error.strerror or 'no answer in time'})") from None


def _follow(connection: socket.socket, hear: Callable[[Play], None], key: Callable[[], str]) -> Outcome:
    codec = agi_client.Client()
    outcome = ""
    commands = 0
    ends = time.monotonic() + CALL_DEADLINE
    while True:
        connection.settimeout(COMMAND_DEADLINE)
        data = connection.recv(_CHUNK)
        if not data:
            break
        for command in codec.feed(data):
            commands += 1
            if commands > MAX_COMMANDS or time.monotonic() > ends:
                raise CenterUnavailable("The call does not end.")
            words = command.words
            name = " ".join(words[:2]).upper()
            if name == "SET VARIABLE" and words[2:3] == ("ROOST_OUTCOME",):
                outcome = words[3] if len(words) > 3 else ""
            connection.sendall(_answer(name, words, hear, key))
    try:
        return Outcome(outcome)
    except ValueError:
        raise CenterUnavailable("It ended the call without an outcome.") from None


def _answer(name: str, words: tuple[str, ...], hear: Callable[[Play], None], key: Callable[[], str]) -> bytes:
    text = words[2] if len(words) > 2 else ""
    if name == "GET DATA":
        if text:
            hear(Play(text, wants_digits=True))
        most = int(words[4]) if len(words) > 4 and words[4].isdigit() else _MOST_DIGITS
        return agi_client.reply(_NO_KEY.sub("", key())[:most])  # as if a # ended it
    if name in {"STREAM FILE", "SAY DIGITS"}:
        hear(Play(" ".join(text) if name == "SAY DIGITS" else text))
        return agi_client.reply("0")
    return agi_client.reply("1" if name in {"SET VARIABLE", "HANGUP"} else "0")
