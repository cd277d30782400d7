"""A call to the center, to learn how long the caller hears nothing after keying the code."""

from __future__ import annotations

import socket
import time
from uuid import uuid4

from roost.pbx import agi_client

_DEADLINE = 20.0


def outcome_after_code(center: str, phone: str, dialled: str, code: str) -> float:
    """Milliseconds from the code to the first prompt of its outcome. Raises RuntimeError when it is not `virtualized`."""
    host, _, port = center.partition(":")
    values = {"agi_network": "yes", "agi_network_script": "center", "agi_uniqueid": uuid4().hex}
    keyed = told = 0.0
    outcome = ""
    codec = agi_client.Client()
    with socket.create_connection((host, int(port)), timeout=_DEADLINE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(agi_client.environment(values, ["home", phone, dialled]))
        while data := connection.recv(4096):
            heard = time.perf_counter()
            for command in codec.feed(data):
                match command.words:
                    case ("GET", "DATA", *_):
                        connection.sendall(agi_client.reply(code))
                        keyed = time.perf_counter()
                        continue
                    case ("STREAM", "FILE", *_):
                        told = told or heard
                    case ("SET", "VARIABLE", "ROOST_OUTCOME", value):
                        outcome = value
                    case _:
                        pass
                connection.sendall(agi_client.reply("0"))
    if outcome != "virtualized":
        raise RuntimeError(f"the call came to {outcome!r}")
    return (told - keyed) * 1e3
