"""Free ports and addresses on loopback.

Ports come from below Linux's ephemeral range, so that no outgoing connection takes one between the look and the use. Several processes
start services at the same time, and some seconds go by until a service takes the port that was found for it: so each process looks in
blocks of its own.
"""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Iterator

LOOPBACK = "127.0.0.1"
_LOWEST, _HIGHEST = 10_000, 32_000
#: Ports of a block: 44 processes may have one each.
_BLOCK = 500
_TRIES = 200

_given: set[tuple[str, int]] = set()
_given_lock = threading.Lock()
_random = random.SystemRandom()
#: First port of each block that is this process's, and the descriptor of the socket that says so to the others.
_blocks: dict[int, int] = {}


class NoFreePort(RuntimeError):
    """No free port was found."""


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether both TCP and UDP `port` can be bound on `host` now."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def answers(port: int, host: str = LOOPBACK) -> bool:
    """Whether somebody listens on TCP `port`: asked by connecting, for to bind it would stand in the way of who is about to."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def free_port(host: str = LOOPBACK) -> int:
    """A port free on `host` for TCP and UDP; the same one is not given twice by this process."""
    return free_range(1, host)


def free_range(length: int, host: str = LOOPBACK) -> int:
    """The first of `length` consecutive ports that are free on `host`."""
    with _given_lock:
        for block in _own_blocks():
            for _ in range(_TRIES):
                first = _random.randrange(block, block + _BLOCK - length + 1)
                wanted = {(host, first + n) for n in range(length)}
                if not _given & wanted and all(is_free(port, host) for _, port in wanted):
                    _given.update(wanted)
                    return first
    raise NoFreePort(f"no {length} free port(s) in a row on {host}: other processes have all the rest")


def _own_blocks() -> Iterator[int]:
    """The blocks of this process, and then others, which become its own until it ends.

    A name in Linux's abstract namespace is had by one socket of a network namespace, and is free again when its process ends, however it
    ends (unix(7)).
    """
    yield from list(_blocks)
    blocks = range(_LOWEST, _HIGHEST, _BLOCK)
    for block in _random.sample(blocks, len(blocks)):
        if block in _blocks:
            continue
        mark = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            mark.bind(f"\0roost-ports-{block}")
        except OSError:
            mark.close()
            continue
        _blocks[block] = mark.detach()  # open until the process ends
        yield block


def _forget_blocks() -> None:
    """In a child made by fork: the blocks are still its parent's."""
    for mark in _blocks.values():
        os.close(mark)
    _blocks.clear()
    _given.clear()


os.register_at_fork(after_in_child=_forget_blocks)


def free_network(ports: tuple[int, ...] = (5060, 5038), hosts: tuple[int, ...] = tuple(range(11, 21))) -> str:
    """The first three numbers of a loopback network ("127.83.19") where nobody listens on `ports` of `hosts`.

    Every address in 127.0.0.0/8 is this machine, so each cluster of PBX nodes can have addresses of its own and keep the
    well-known ports: several checkouts may run their tests at once.
    """
    for _ in range(_TRIES):
        network = f"127.{_random.randrange(16, 250)}.{_random.randrange(1, 250)}"
        if all(is_free(port, f"{network}.{host}") for host in hosts for port in ports):
            return network
    raise NoFreePort(f"no free loopback network after {_TRIES} tries")
