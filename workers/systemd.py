"""What a process tells systemd: that it serves, and that its loop goes round (sd_notify(3)). Elsewhere nobody is told.

`alive` is called by the loop that takes the work, and by what waits for RabbitMQ in its place: a process is started anew when
that loop stands still, and not because RabbitMQ or PostgreSQL is away.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress

from roost.settings import supervision

#: Seconds between two signs of life: many within the time that a unit gives (WatchdogSec=).
ALIVE_EVERY = 5.0


def ready() -> None:
    """Say that this process serves from now on."""
    _tell("READY=1\nSTATUS=serving")


def status(text: str) -> None:
    """Say in a line what it does; `systemctl status` shows that."""
    _tell("STATUS=" + " ".join(text.split()))


def alive() -> None:
    """Say that the loop goes round, if systemd wants to know."""
    told = supervision()
    if told.watchdog_usec is not None and told.watchdog_pid in (None, os.getpid()):
        _tell("WATCHDOG=1")


def stopping() -> None:
    """Say that it ends what it has in hand."""
    _tell("STOPPING=1\nSTATUS=ending what is in hand")


async def keep_telling() -> None:
    """Say that this event loop goes round, until cancelled."""
    while True:
        alive()
        await asyncio.sleep(ALIVE_EVERY)


def _tell(state: str) -> None:
    address = supervision().notify_socket
    if address is None:
        return
    # A name that begins with @ is in the abstract namespace, which has a NUL there (unix(7)).
    path = "\0" + address[1:] if address.startswith("@") else address
    with (
        suppress(OSError),  # a systemd that does not listen is no reason to stop serving
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as to_systemd,
    ):
        to_systemd.sendto(state.encode(), path)
