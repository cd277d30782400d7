"""A center's memory stays flat, whatever comes in at its door."""

from __future__ import annotations

import errno
import itertools
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil
import pytest

from tests.cluster import Cluster, wait_until

CONNECTIONS = 2000
#: Megabytes that a center may hold more afterwards. All the garbage together is some 250.
ALLOWED = 12

GARBAGE = (
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x00\xff" * 500,
    b"agi_network: yes\nagi_uniqueid: half",
    b"agi_x: y\n" * 10_000,
    b"a" * 1_000_000,
    b"",
)


@pytest.fixture
def office(cluster: Cluster) -> Cluster:
    """Where a call is answered with `nothing_to_return`."""
    return cluster.office("001")


def test_memory_stays_flat_under_garbage(office: Cluster) -> None:
    door = _door(office)
    _flood(door, CONNECTIONS // 4)  # what is allocated once and kept
    _answers(office)
    before = _resident(office)
    _flood(door, CONNECTIONS)
    _answers(office)
    assert _resident(office) - before < ALLOWED * 2**20


def test_who_says_nothing_is_cut_off_and_forgotten(office: Cluster) -> None:
    before = _connections(office)
    silent = [socket.create_connection(_door(office), timeout=20) for _ in range(200)]
    try:
        wait_until(lambda: _connections(office) >= before + 200, "all are in")
        _answers(office)
        assert all(connection.recv(1) == b"" for connection in silent)
    finally:
        for connection in silent:
            connection.close()
    wait_until(lambda: _connections(office) <= before, "none is left")


def _flood(door: tuple[str, int], connections: int) -> None:
    with ThreadPoolExecutor(16) as senders:
        list(
            senders.map(
                lambda text: _send(door, text), itertools.islice(itertools.cycle(GARBAGE), connections)
            )
        )


def _send(door: tuple[str, int], text: bytes) -> None:
    """Send it, and wait until the center has closed; it may do so while we are still sending."""
    with socket.create_connection(door, timeout=20) as connection, suppress(ConnectionError):
        connection.sendall(text)
        try:
            connection.shutdown(socket.SHUT_WR)
        except OSError as error:
            if error.errno != errno.ENOTCONN:  # it has closed already
                raise
        while connection.recv(4096):
            pass


def _answers(office: Cluster) -> None:
    assert office.call("desk001", "*30").outcome == "nothing_to_return"


def _door(office: Cluster) -> tuple[str, int]:
    host, _, port = office.product.centers[0].partition(":")
    return host, int(port)


def _center(office: Cluster) -> psutil.Process:
    return psutil.Process(office.product.processes["center1"].pid)


def _resident(office: Cluster) -> int:
    """Bytes of memory that the first center holds."""
    return int(_center(office).memory_info().rss)


def _connections(office: Cluster) -> int:
    """How many connections are open at the first center's door."""
    port = _door(office)[1]
    return sum(
        1
        for one in _center(office).net_connections("tcp")
        if one.laddr.port == port and one.status == "ESTABLISHED"
    )
