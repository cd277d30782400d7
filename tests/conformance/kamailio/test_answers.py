"""What the adapter makes of answers that no Kamailio with roost.cfg would give."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from localcluster.certificates import Authority
from roost.errors import NodeRefused, NodeUnavailable, RoostError
from roost.pbx.kamailio import KIND
from roost.pbx.kamailio.adapter import MAX_BODY
from roost.pbx.node import ActsAs, Change, Cursor, PbxNode, Rings
from roost.pbx.sound_rows import SoundRows
from roost.pbx.tls import TlsRefused
from tests.conformance.kamailio.web_server import Trickle, WebServer, ok, status

PATIENCE = 2.0
SEEN = b"roost 1\nlife-1\n\n"
ROWS: list[Change] = [Rings(f"0001*{number:03d}", "k1", f"desk-{number}") for number in range(300)]


@dataclass
class StandIn:
    """Answers a look at the cursor as a Kamailio does, and each other request with what `answer` gives."""

    answer: Callable[[bytes], bytes | None] = lambda _request: None
    first: bytes = ok(SEEN)
    bodies: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = WebServer(self._answer)
        self.address = self.server.address

    def _answer(self, request: bytes, body: bytes) -> bytes | None:
        if b"/roost/cursor" in request:
            return self.first
        self.bodies.append(body)
        return self.answer(request)


@pytest.fixture
def server() -> Iterator[StandIn]:
    each = StandIn()
    yield each
    each.server.close()


def write(node: PbxNode) -> None:
    node.apply(ROWS, Cursor("db-1", 1))


def listed(node: PbxNode) -> None:
    list(node.keys(10))


def pages(request: bytes) -> bytes:
    return ok(b"3 30\n") if b"/list/" in request else status("404 Gone")


def fewer_rows(request: bytes) -> bytes:
    return ok(b"1 30\n") if b"/list/" in request else ok(b"ZS8x\n")


#: What is answered, what is asked, the error, and a part of what is said of it.
ANSWERS: dict[str, tuple[Callable[[bytes], bytes | None], Callable[[PbxNode], object], type[RoostError], str]] = {
    "fewer than sent": (lambda _: ok(b"100\n"), write, NodeRefused, "100 of 300 rows; set max_while_loops"),
    "no number": (lambda _: ok(b"done\n"), write, NodeUnavailable, "did not answer with a number"),
    "garbage": (lambda _: b"\0\1\2 what?\r\n\r\n", write, NodeUnavailable, "does not speak HTTP"),
    "no end": (lambda _: b"x" * 20_000, write, NodeUnavailable, "does not speak HTTP"),
    "half an answer": (
        lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n30", write, NodeUnavailable, "did not answer in 2 s",
    ),
    "too much": (
        lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", write, NodeUnavailable, "with too much",
    ),
    "more than asked": (lambda _: ok(b"300\n") * 3, write, NodeUnavailable, "more than was asked"),
    "nothing": (lambda _: None, write, NodeUnavailable, "tcp_rd_buf_size"),
    "403": (lambda _: status("403 Forbidden"), write, NodeRefused, "refuses the secret, or our address"),
    "404": (lambda _: status("404 Not Found"), write, NodeRefused, "include roost.cfg"),
    "another life": (lambda _: status("409 Conflict"), write, NodeUnavailable, "restarted, or its table was emptied"),
    "500": (lambda _: status("500 Oops"), write, NodeUnavailable, "answered 500 Oops"),
    "a loop cut short": (lambda _: status("500 max_while_loops"), listed, NodeRefused, "Its max_while_loops is less"),
    "a page that is missing": (pages, listed, NodeUnavailable, "A page of its table is missing"),
    "a page that is short": (fewer_rows, listed, NodeUnavailable, "It told 1 of 30 rows"),
    "no length of the table": (lambda _: ok(b"3\n"), listed, NodeUnavailable, "how long its table is"),
    "no base64": (lambda r: ok(b"1 1\n" if b"/list/" in r else b"?!\n"), listed, NodeUnavailable, "cannot be read"),
    "rows of nobody": (lambda _: ok(b""), lambda n: n.read([("e", "1")]), NodeUnavailable, "other rows than it was asked"),
    "more pages than rows": (lambda _: ok(b"900000000 1\n"), listed, NodeUnavailable, "more pages than rows"),
    "pages without rows": (
        lambda r: ok(b"900000000 900000000\n" if b"/list/" in r else b""), listed, NodeUnavailable, "A page of its table is empty",
    ),
    "no health": (lambda _: ok(b"fine\n"), lambda n: n.health(), NodeUnavailable, "does not say how it is"),
    "a number without end": (
        lambda _: ok(b"5.6.3\n" + b"9" * 5_000 + b"\n1\n1\nk1\n*30\n"), lambda n: n.health(), NodeUnavailable,
        "did not answer with a number",
    ),
    "in chunks": (
        lambda _: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n300\n\r\n0\r\n\r\n", write, NodeUnavailable,
        "with no length",
    ),
    "in chunks and with a length": (
        lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n300\n", write, NodeUnavailable,
        "with no length",
    ),
    "two lengths": (
        lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n300\n", write, NodeUnavailable,
        "with no length",
    ),
    "a length behind noughts": (
        lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 000000000999999999\r\n\r\n", write, NodeUnavailable, "with too much",
    ),
    "a length without end": (
        lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: " + b"0" * 5_000 + b"4\r\n\r\n300\n", write, NodeUnavailable,
        "with too much",
    ),
    "more than promised": (
        lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n300\n and more", write, NodeUnavailable, "does not speak HTTP",
    ),
    "what no terminal should show": (
        lambda _: status("500 \33[31mred\0"), write, NodeUnavailable, "answered 500 ?[31mred?",
    ),
}  # fmt: skip
#: The same answer, sent otherwise: it is understood.
UNUSUAL: dict[str, Callable[[bytes], bytes]] = {
    "byte by byte": Trickle,
    "100 Continue before it": lambda answer: b"HTTP/1.1 100 Continue\r\n\r\n" + answer,
    "its length twice": lambda answer: answer.replace(b"\r\n\r\n", b"\r\ncontent-length: 4\r\n\r\n"),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_a_wrong_answer_is_a_clear_error(server: StandIn, what: str) -> None:
    server.answer, ask, error, said = ANSWERS[what]
    with closing(KIND.open(server.address, PATIENCE)) as node:
        with pytest.raises(error) as raised:
            ask(node)
        assert said in str(raised.value)
        assert "secret" not in str(raised.value).replace("the secret", "").replace("SECRET", "")
    assert not any(b"=cursor" in body for body in server.bodies)


def test_an_unusual_answer_is_understood(server: StandIn) -> None:
    for unusual in UNUSUAL.values():
        server.answer = lambda _request, unusual=unusual: unusual(
            ok(b"%03d\n" % server.bodies[-1].count(b"\n"))
        )  # type: ignore[misc]  # bound in the loop
        with closing(KIND.open(server.address, PATIENCE)) as node:
            node.apply(ROWS[:3], None)
            node.apply(ROWS[3:6], Cursor("db-1", 1))
    assert len(server.bodies) == 3 * len(UNUSUAL)


def test_who_shows_another_certificate_is_refused_with_what_to_do(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    for certificate, says in (
        (authority.issue("another", address="127.0.0.9"), "is for another host. Give the host that it names"),
        (
            authority.issue_expired("old", address="127.0.0.1"),
            "is not valid now: certificate has expired. Renew it",
        ),
    ):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server = WebServer(lambda _request, _body: ok(SEEN), context)
        options = {"tls": True, "ca": authority.certificate}
        with pytest.raises(TlsRefused) as refused:
            KIND.open(replace(server.address, options=options), PATIENCE)
        server.close()
        assert says in str(refused.value)


@pytest.mark.parametrize(
    "first",
    [
        ok(b"<html>hello</html>"),
        ok(b"roost 2\nx\n\n"),
        ok(b"roost 1\n../x y\n\n"),
        ok(b""),
        status("404 Not Found"),
    ],
)
def test_a_server_that_is_no_kamailio_is_refused(server: StandIn, first: bytes) -> None:
    server.first = first
    with pytest.raises(NodeRefused, match=r"no Kamailio|include roost\.cfg"):
        KIND.open(server.address, PATIENCE)


@pytest.mark.parametrize("written", [False, True], ids=["rows", "text"])
def test_no_body_is_larger_than_every_version_takes_and_the_cursor_is_alone_and_last(
    server: StandIn, *, written: bool
) -> None:
    server.answer = lambda _request: ok(b"%d\n" % server.bodies[-1].count(b"\n"))
    rows = [ActsAs(f"desk-{n}", "0001", "001", "漢" * 64, "", "", "", "112", "x" * 128) for n in range(200)]
    keys = "".join(f"{row.phone}\n" for row in rows).encode()
    text = SoundRows.of("p", keys, "".join("\t".join(row[1:]) + "\n" for row in rows).encode(), len(rows))
    assert text is not None
    with closing(KIND.open(server.address, PATIENCE)) as node:
        assert node.apply(text if written else rows, Cursor("db-1", 7)) == []
    assert max(map(len, server.bodies)) <= MAX_BODY
    assert server.bodies[-1] == b"=cursor\tdb-1:7\n"
    assert sum(body.count(b"\n") for body in server.bodies) == 201


def test_two_bodies_are_under_way_and_never_more(server: StandIn) -> None:
    """None is answered, and there would be a third."""
    server.answer = lambda _request: Trickle()
    many = [Rings(f"0001*{number:05d}", "k1", f"desk-{number}") for number in range(3_000)]
    with closing(KIND.open(server.address, PATIENCE)) as node, pytest.raises(NodeUnavailable):
        node.apply(many, Cursor("db-1", 1))
    assert len(server.bodies) == 2
    assert sum(body.count(b"\n") for body in server.bodies) < len(many) / 2


def test_a_connection_that_was_closed_while_idle_is_made_again(server: StandIn) -> None:
    server.answer = lambda request: None if b"health" in request else ok(b"1\n")
    with closing(KIND.open(server.address, PATIENCE)) as node:
        with pytest.raises(NodeUnavailable):
            node.health()
        node.apply([], Cursor("db-1", 7))
        assert node.cursor() is None
