"""A phone of the tests among messages that come twice, or the wrong way round: a busy machine makes every peer send again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import count

import pytest

from localcluster.plain_phone import PlainPhone
from localcluster.sip import SipMessage, session

_DEADLINE = 10.0


class Registrar:
    """The other end of the wire, written out by hand."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(_DEADLINE)
        self._numbers = count(1)
        self.phone = PlainPhone("q1", "secret", "127.0.0.1", port=self._socket.getsockname()[1])

    def close(self) -> None:
        """End of both."""
        self.phone.drop()
        self._socket.close()

    def hear(self) -> SipMessage:
        """What the phone said next."""
        return SipMessage.parse(self._socket.recv(65_535))

    def say(self, message: SipMessage, times: int = 1) -> None:
        """Send it so often, as a peer does that heard no answer in time."""
        for _ in range(times):
            self.send(message.encode())

    def send(self, data: bytes) -> None:
        """Send a datagram."""
        host, port = self.phone.address.split(":")
        self._socket.sendto(data, (host, int(port)))

    def request(self, method: str, call: str, *more: tuple[str, str], body: str = "") -> SipMessage:
        """A request, of a transaction of its own."""
        number = next(self._numbers)
        headers = (
            ("Via", f"SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK{number}"), ("From", "<sip:002@here>;tag=a"), ("To", "<sip:q1@here>"),
            ("Call-ID", call), ("CSeq", f"{number} {method}"), ("Contact", "<sip:002@127.0.0.1>"), *more,
        )  # fmt: skip
        return SipMessage(f"{method} sip:q1@here SIP/2.0", headers, body)


@pytest.fixture
def registrar() -> Iterator[Registrar]:
    made = Registrar()
    yield made
    made.close()


def test_a_call_that_is_sent_again_rings_once_and_is_not_answered(registrar: Registrar) -> None:
    registrar.say(registrar.request("INVITE", "c1", body=session("127.0.0.1", 9)), times=3)
    assert [registrar.hear().status for _ in range(3)] == [180] * 3
    ring = registrar.phone.wait_ring()
    assert not registrar.phone.rung
    assert ring.invite is not None
    ring.answer()
    assert registrar.hear().status == 200
    registrar.say(ring.invite)
    assert registrar.hear().status == 200
    assert len(ring.heard) == 1


def test_a_forward_and_a_notice_that_are_sent_again_are_counted_once(registrar: Registrar) -> None:
    registrar.phone.forward = "sip:003@here"
    registrar.say(registrar.request("INVITE", "c1", body=session("127.0.0.1", 9)), times=2)
    registrar.say(registrar.request("NOTIFY", "n1", ("Event", "message-summary")), times=2)
    assert [registrar.hear().status for _ in range(4)] == [302, 302, 200, 200]
    assert len(registrar.phone.forwarded) == 1
    assert len(registrar.phone.told) == 1


def test_a_demand_for_a_password_that_is_sent_again_ends_no_call(registrar: Registrar) -> None:
    call = registrar.phone.dial("002")
    asked = registrar.hear()
    challenge = ("WWW-Authenticate", 'Digest realm="r", nonce="n", algorithm=MD5, qop="auth"')
    registrar.say(asked.reply("401 Unauthorized", "b", (challenge,)), times=2)
    said = [registrar.hear() for _ in range(3)]
    assert [message.start.split()[0] for message in said] == ["ACK", "INVITE", "ACK"]
    registrar.say(said[1].reply("200 OK", "b", (("Contact", "<sip:002@127.0.0.1>"),)))
    call.wait_up()


@pytest.mark.parametrize(("answer", "then"), [("100 Trying", ["CANCEL"]), ("200 OK", ["ACK", "BYE"])])
def test_a_call_that_is_given_up_at_once_ends_when_the_other_side_has_heard_of_it(
    registrar: Registrar, answer: str, then: list[str]
) -> None:
    """A CANCEL that came before anything was answered would find no call."""
    call = registrar.phone.dial("002")
    call.hang_up()
    asked = registrar.hear()
    registrar.say(asked.reply(answer, "b", (("Contact", "<sip:002@127.0.0.1>"),)))
    assert [registrar.hear().method for _ in then] == then
    registrar.say(asked.reply("487 Request Terminated", "b"))
    call.wait_over()


@pytest.mark.parametrize("ping", [b"\0\0\0\0", b"\r\n\r\n", b""])
def test_what_keeps_a_nat_open_is_no_message(registrar: Registrar, ping: bytes) -> None:
    registrar.send(ping)
    registrar.say(registrar.request("OPTIONS", "c1"))
    assert registrar.hear().status == 200
