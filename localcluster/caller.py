"""A call to the Center as Asterisk makes it: FastAGI over a socket, with a person who keys codes."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from roost.pbx import agi_client

#: Seconds until a center that says nothing fails the test.
DEADLINE = 20.0


@dataclass
class Heard:
    """What the person heard, and the outcome left for the dialplan (empty: the center said none)."""

    prompts: list[str] = field(default_factory=list)
    outcome: str = ""


def call(
    center: str, phone: str, dialled: str, codes: Iterable[str] = (), *, node: str = "n1", uniqueid: str = "",
    missing: Collection[str] = (),
) -> Heard:  # fmt: skip
    """Dial, key a code and a `#` each time one is asked for (`#` alone once they run out), and listen until the center is done.

    `missing` are recordings that this Asterisk has not; "*": all.
    """
    host, _, port = center.partition(":")
    environment = {
        "agi_network": "yes",
        "agi_network_script": "center",
        "agi_uniqueid": uniqueid or secrets.token_hex(8),
    }
    keyed = iter(codes)
    heard = Heard()
    codec = agi_client.Client()
    with socket.create_connection((host, int(port)), timeout=DEADLINE) as connection:
        connection.sendall(agi_client.environment(environment, [node, phone, dialled]))
        while data := connection.recv(4096):
            for command in codec.feed(data):
                connection.sendall(_answer(command.words, keyed, heard, missing))
    return heard


def _answer(words: tuple[str, ...], keyed: Iterator[str], heard: Heard, missing: Collection[str]) -> bytes:
    match words:
        case ("GET" | "STREAM", "DATA" | "FILE", prompt, *_) if prompt and (
            prompt in missing or "*" in missing
        ):
            return agi_client.reply("-1")
        case ("CHANNEL", "STATUS"):
            return agi_client.reply("6")
        case ("SAY", "DIGITS", digits, *_):
            heard.prompts.append(digits)
        case ("GET", "DATA", prompt, _, most):
            heard.prompts.extend([prompt] if prompt else [])
            return agi_client.reply(next(keyed, "")[: int(most)])
        case ("STREAM", "FILE", prompt, *_):
            heard.prompts.append(prompt)
        case ("SET", "VARIABLE", "ROOST_OUTCOME", outcome):
            heard.outcome = outcome
            return agi_client.reply("1")
        case _:
            pass
    return agi_client.reply("0")
