"""Free ports and addresses on loopback.

Ports come from below Linux's ephemeral range, so that no outgoing connection takes one between the look and the use.
"""

from __future__ import annotations

import random
import socket
import threading

LOOPBACK = "127.0.0.1"
_LOWEST, _HIGHEST = 10_000, 32_000
_TRIES = 200

_given: set[tuple[str, int]] = set()
_given_lock = threading.Lock()
_random = random.SystemRandom()


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
    for _ in range(_TRIES):
        first = _random.randrange(_LOWEST, _HIGHEST - length)
        wanted = {(host, first + n) for n in range(length)}
        with _given_lock:
            if _given & wanted or not all(is_free(port, host) for _, port in wanted):
                continue
            _given.update(wanted)
            return first
    raise NoFreePort(f"no {length} free port(s) in a row on {host} after {_TRIES} tries")


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
