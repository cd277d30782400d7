"""What simulated nodes are, and how to tell one to do wrong, over its own port (`simulator/faults.py` says what there is)."""

from __future__ import annotations

import socket

from localcluster import ports

#: The kind of PBX that the simulator speaks as.
SIMULATES = "asterisk"
_SECONDS = 5.0


def inject(port: int, mode: str, **fields: object) -> None:
    """From now on the simulator on this port does this; `none` ends it. It must run with `--faults`."""
    lines = ["Action: SimFault", f"Mode: {mode}", *(f"{name}: {value}" for name, value in fields.items())]
    with socket.create_connection((ports.LOOPBACK, port), timeout=_SECONDS) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = b""
        while b"Fault taken" not in answer:
            data = connection.recv(4096)
            if not data:
                break  # what loses its memory loses its connections too
            answer += data
