"""Holds each packet on the loopback of a network namespace for a while, as if every process were on a host of its own.

`tc qdisc netem` would do it, but not every kernel has that. So netfilter queues the packets (an `iptables` rule), and the process that runs
this program lets each go when its time has come. It never sees their contents: libnetfilter_queue's protocol is in
linux/netfilter/nfnetlink_queue.h, and its answer `VERDICT_BATCH` lets all go that came before.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator

from localcluster import guardian

_QUEUE = 7
_RULE = ["OUTPUT", "-o", "lo", "-j", "NFQUEUE", "--queue-num", str(_QUEUE)]

_NETFILTER = 12  # NETLINK_NETFILTER
_VERDICT_BATCH, _CONFIG = 3 << 8 | 3, 3 << 8 | 2
_REQUEST, _ACCEPT = 1, 1
#: Attributes of a configuration, and of a verdict.
_COMMAND, _PARAMETERS, _LENGTH, _MASK, _FLAGS, _VERDICT = 1, 2, 3, 4, 5, 2
_BIND, _COPY_META, _WHOLE = 1, 1, 4  # NFQA_CFG_F_GSO: as they are, not cut into what an Ethernet takes
#: Where a packet's number stands in its message: behind three headers.
_ID = struct.Struct("!I")
_ID_AT = 16 + 4 + 4
_WAITING_AT_MOST = 65_536
_PR_SET_TIMERSLACK = 29


@contextlib.contextmanager
def held_for(seconds: float) -> Iterator[int]:
    """While it lasts, each packet on this namespace's loopback takes so much longer. Gives the process that holds them."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(seconds)], stdout=subprocess.PIPE, start_new_session=True
    )
    guardian.watch(process.pid)
    try:
        assert process.stdout is not None  # a pipe
        if not process.stdout.readline():
            raise RuntimeError("the packets cannot be held: the kernel lacks NFQUEUE")
        _iptables("-A")
        try:
            yield process.pid
        finally:
            _iptables("-D")
            time.sleep(seconds)  # those that wait still
    finally:
        process.kill()
        process.wait(timeout=10)
        guardian.release(process.pid)


def _iptables(what: str) -> None:
    subprocess.run(["iptables", "-w", what, *_RULE], check=True)


def _hold(seconds: float) -> None:
    """Until it is killed."""
    os.nice(-20)
    ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1000, 0, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER) as queue:
        queue.bind((0, 0))
        queue.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        _configure(queue, _COMMAND, struct.pack("!BBH", _BIND, 0, 0))
        _configure(queue, _PARAMETERS, struct.pack("!IB", 0, _COPY_META))
        _configure(queue, _LENGTH, struct.pack("!I", _WAITING_AT_MOST))
        _configure(queue, _MASK, struct.pack("!I", _WHOLE), (_FLAGS, struct.pack("!I", _WHOLE)))
        print("ready", flush=True)
        queue.settimeout(0)
        waiting: deque[tuple[float, int]] = deque()
        while True:
            select.select([queue], [], [], max(0.0, waiting[0][0] - time.monotonic()) if waiting else None)
            with contextlib.suppress(BlockingIOError):
                while message := queue.recv(4096):
                    waiting.append((time.monotonic() + seconds, _ID.unpack_from(message, _ID_AT)[0]))
            now, last = time.monotonic(), None
            while waiting and waiting[0][0] <= now:
                last = waiting.popleft()[1]
            if last is not None:
                queue.send(_message(_VERDICT_BATCH, (_VERDICT, struct.pack("!II", _ACCEPT, last))))


def _configure(queue: socket.socket, attribute: int, value: bytes, *more: tuple[int, bytes]) -> None:
    queue.send(_message(_CONFIG, (attribute, value), *more))


def _message(kind: int, *attributes: tuple[int, bytes]) -> bytes:
    """A netlink message to the queue; each attribute is padded to four bytes."""
    body = struct.pack("!BBH", 0, 0, _QUEUE)
    for attribute, value in attributes:
        body += struct.pack("=HH", 4 + len(value), attribute) + value + bytes(-len(value) % 4)
    return struct.pack("=IHHII", 16 + len(body), kind, _REQUEST, 0, 0) + body


if __name__ == "__main__":
    _hold(float(sys.argv[1]))
