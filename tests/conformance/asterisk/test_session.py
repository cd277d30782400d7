"""A node that misbehaves costs the deadline at most, and is never believed."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from roost.errors import NodeUnavailable
from roost.pbx.kinds import connect
from roost.pbx.node import Change, Cursor, NodeAddress, RefusedRow, Rings
from tests.stopwatch import stopwatch

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
#: What a peer sends; a number: it first waits for so many actions.
Step = bytes | int
LOGIN: tuple[Step, ...] = (
    BANNER, 1, b"Response: Success\r\nActionID: 1\r\nChallenge: 42\r\n\r\n",
    1, b"Response: Success\r\nActionID: 2\r\nMessage: Authentication accepted\r\n\r\n",
)  # fmt: skip
DEADLINE = 0.4
CHANGES: list[Change] = [Rings(f"0001*{number}", None, None) for number in range(3)]
Serve = Callable[..., NodeAddress]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a peer that plays a script, and then closes, waits, or sends on for ever."""
    ended = threading.Event()
    threads: list[threading.Thread] = []

    def start(*script: Step, close: bool = False, forever: bytes = b"") -> NodeAddress:
        listener = socket.create_server(("127.0.0.1", 0))

        def run() -> None:
            with listener, listener.accept()[0] as peer:
                for step in script:
                    if isinstance(step, bytes):
                        peer.sendall(step)
                    elif not received(peer, step):
                        return
                while forever and not ended.wait(0.001):
                    try:
                        peer.sendall(forever)
                    except OSError:
                        return
                if not close:
                    ended.wait(30)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return NodeAddress(
            "asterisk", "127.0.0.1", listener.getsockname()[1], SecretStr(secrets.token_hex(8))
        )

    yield start
    ended.set()
    for thread in threads:
        thread.join(10)


def received(peer: socket.socket, actions: int) -> bool:
    """Wait until so many actions came; False when the stream ends before."""
    data = b""
    while data.count(b"\r\n\r\n") < actions:
        more = peer.recv(65_536)
        if not more:
            return False
        data += more
    return True


def use(address: NodeAddress, call: str) -> None:
    node = connect(address, DEADLINE)
    try:
        match call:
            case "cursor":
                node.cursor()
            case "apply":
                node.apply(CHANGES, Cursor("db", 1))
            case "dump":
                node.dump()
            case "keys":
                list(node.keys(3))
            case "read":
                node.read([("e", "0001*1"), ("e", "0001*2")])
    finally:
        node.close()


def fails_in_time(address: NodeAddress, call: str = "cursor") -> NodeUnavailable:
    with stopwatch() as seconds:
        with pytest.raises(NodeUnavailable) as failure:
            use(address, call)
        assert seconds() < 2 * DEADLINE + 0.5
    return failure.value


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\xff" * 100_000,
        BANNER,
        BANNER + b"Response: Success\r\nActionID: 1\r\nChal",
        BANNER + b"Response: Success\r\nActionID: 9\r\nChallenge: 1\r\n\r\n",
        BANNER + b"Hello: World\r\n\r\n",
        BANNER + b"Response: Maybe\r\nActionID: 1\r\n\r\n",
    ],
)
@pytest.mark.parametrize("close", [False, True])
def test_a_peer_that_is_no_asterisk(serve: Serve, sent: bytes, close: bool) -> None:  # noqa: FBT001
    fails_in_time(serve(sent, close=close))


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x03\x00\x7a\x02"])
@pytest.mark.parametrize("close", [False, True])
def test_a_peer_that_does_not_come_to_an_end_with_tls(serve: Serve, sent: bytes, close: bool) -> None:  # noqa: FBT001
    fails_in_time(replace(serve(sent, close=close), options={"tls": True}))


@pytest.mark.parametrize("call", ["cursor", "apply", "dump", "keys", "read"])
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"Response: Success\r\nActionID: 3\r\nMess",
        b"Response: Success\r\nActionID: 4\r\n\r\n",
        b"Response: Success\r\n\r\n",
        b"Response: Error\r\nActionID: 3\r\nMessage: Failed to update entry\r\n\r\n",
        b"Response: Success\r\nActionID: 3\r\nVal: " + b"x" * 100_000,
        b"Response: Success\r\nActionID: 3\r\nEventList: start\r\n\r\nEvent: DBGetTreeResponse\r\nKey: /roo",
        b"Response: Success\r\nActionID: 3\r\nEventList: start\r\n\r\ngarbage\r\n\r\n",
    ],
)
@pytest.mark.parametrize("close", [False, True])
def test_an_asterisk_gone_mad(serve: Serve, call: str, sent: bytes, close: bool) -> None:  # noqa: FBT001
    fails_in_time(serve(*LOGIN, 1, sent, close=close), call)


@pytest.mark.parametrize("forever", [b"x", b"Event: Noise\r\nPrivilege: all\r\n\r\n"])
def test_a_trickle_does_not_move_the_deadline(serve: Serve, forever: bytes) -> None:
    fails_in_time(serve(*LOGIN, 1, forever=forever), "dump")


def test_a_list_that_ends_early_is_not_a_table(serve: Serve) -> None:
    entry = b"Event: DBGetTreeResponse\r\nKey: /roost/e/1\r\nVal: -\r\nActionID: 3\r\n\r\n"
    start = b"Response: Success\r\nActionID: 3\r\nEventList: start\r\nMessage: Result will follow\r\n\r\n"
    fails_in_time(serve(*LOGIN, 1, start, entry * 1000, close=True), "dump")


def failed(action_id: int) -> bytes:
    return b"Response: Error\r\nActionID: %d\r\nMessage: Failed to update entry\r\n\r\n" % action_id


def succeeded(action_id: int) -> bytes:
    return b"Response: Success\r\nActionID: %d\r\n\r\n" % action_id


#: The answer to the first question after the changes, by ListCommands: no lamps can be asked for.
MAY_NOTHING_MORE = (1, succeeded(6))


def test_a_row_that_fails_while_others_are_taken_is_told(serve: Serve) -> None:
    answers = succeeded(3) + succeeded(4)
    node = connect(serve(*LOGIN, 3, answers + failed(5), *MAY_NOTHING_MORE, 1, succeeded(7)), DEADLINE)
    refused = node.apply(CHANGES, Cursor("db", 1))
    node.close()
    assert refused == [RefusedRow(("e", "0001*2"), "Failed to update entry")]


def test_a_node_that_takes_no_cursor_either_is_at_fault_itself(serve: Serve) -> None:
    answers = failed(3) + failed(4) + failed(5)
    failure = fails_in_time(serve(*LOGIN, 3, answers, *MAY_NOTHING_MORE, 1, failed(7)), "apply")
    assert "Failed to update entry" in str(failure)


def test_the_cursor_is_not_sent_when_many_changes_fail(serve: Serve) -> None:
    many: list[Change] = [Rings(f"0001*{number}", None, None) for number in range(101)]
    answers = b"".join(failed(number) for number in range(3, 104))
    # Were the cursor sent, this answer would make it a success.
    cursor = b"Response: Success\r\nActionID: 104\r\n\r\n"
    node = connect(serve(*LOGIN, 101, answers, 1, cursor), DEADLINE)
    with pytest.raises(NodeUnavailable, match="101 of 101"):
        node.apply(many, Cursor("db", 1))
    node.close()


def test_answers_nobody_asked_for_are_not_believed(serve: Serve) -> None:
    answers = b"".join(b"Response: Success\r\nActionID: %d\r\n\r\n" % number for number in range(3, 10))
    failure = fails_in_time(serve(*LOGIN, 3, answers), "apply")
    assert "more than was asked" in str(failure)


def test_the_failure_names_the_node_and_not_the_secret(serve: Serve) -> None:
    address = serve(*LOGIN, close=True)
    failure = fails_in_time(address)
    assert f"127.0.0.1:{address.port}" in str(failure)
    assert address.secret.get_secret_value() not in str(failure)
