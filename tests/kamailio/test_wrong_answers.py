"""A node whose answers are wrong on their way: status says so, nothing is lost, and the other nodes do not notice."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator

import pytest
from psycopg.types.json import Jsonb

from localcluster.kamailio import HTTP_PORT, KamailioNode
from roost.database import query
from roost.nodes.status import NodeState, NodeStatus, cluster_status
from tests.cluster import wait_until
from tests.conformance.kamailio.web_server import LastWords, WebServer, ok, status
from tests.kamailio.mixed_office import MixedOffice

#: What was asked, and what the Kamailio answered, in; what is told instead, out.
Meddle = Callable[[bytes, bytes], bytes | None]


class Between(WebServer):
    """Asks a real Kamailio each time, and tells what `meddle` makes of its answer; of a body over its limit it tells nothing."""

    def __init__(self, node: KamailioNode) -> None:
        self._node = node
        self.meddle: Meddle = lambda _request, answer: answer
        super().__init__(self._answer)

    def _answer(self, request: bytes, body: bytes) -> bytes | None:
        method, path, _ = request.decode().split()
        connection = http.client.HTTPConnection(self._node.address, HTTP_PORT, timeout=10)
        connection.request(method, path, body, {"Authorization": f"Bearer {self._node.secret}"})
        answer = connection.getresponse()
        told = answer.read()
        connection.close()
        whole = ok(told) if answer.status == 200 else status(f"{answer.status} {answer.reason}")
        return self.meddle(request, whole)


def _where(path: bytes, instead: Callable[[bytes], bytes | None]) -> Meddle:
    return lambda request, answer: instead(answer) if path in request else answer


#: How answers are wrong, and what is said of it. Of those in `EMPTIED` only who has nothing yet is told anything.
WRONG: dict[str, tuple[Meddle, str]] = {
    "fewer taken": (_where(b"/apply/", lambda _: ok(b"0\n")), "It took 0 of "),
    "garbage": (_where(b"/apply/", lambda _: b"\0what?\r\n\r\n"), "It does not speak HTTP"),
    "half an answer": (_where(b"/apply/", lambda answer: LastWords(answer[:-2])), "in the middle of an answer"),
    "a body over the limit": (_where(b"/apply/", lambda _: None), "tcp_rd_buf_size there must be 16384 or more"),
    "refused": (lambda _request, _answer: status("403 Forbidden"), "It refuses the secret, or our address"),
    "no Kamailio": (lambda _request, _answer: ok(b"<html>It works!</html>"), "no Kamailio with Roost"),
    "a page that is missing": (_where(b"/page/", lambda _: status("404 Gone")), "A page of its table is missing"),
    "a loop cut short": (_where(b"/list/", lambda _: status("500 max_while_loops")), "Its max_while_loops is less"),
}  # fmt: skip
EMPTIED = {"a page that is missing", "a loop cut short"}


@pytest.fixture
def between(office: MixedOffice) -> Iterator[Between]:
    """What Roost takes for k2."""
    server = Between(office.telephony.kamailios["k2"])
    _change_k2(office, host=server.address.host, port=server.address.port)
    yield server
    _change_k2(office, host=office.telephony.kamailios["k2"].address, port=HTTP_PORT)
    server.close()


def test_each_is_told_by_status_and_loses_nothing(office: MixedOffice, between: Between) -> None:
    seats = ["desk002", "desk004"]
    for wrong, (meddle, says) in WRONG.items():
        between.meddle = meddle
        if wrong in EMPTIED:
            office.telephony.kamailios["k2"].rpc("htable.flush", "roost")
        office.world.move("001", seats[0])
        seats.reverse()
        wait_until(lambda says=says: says in (_k2(office).last_error or ""), f"{wrong}: {says!r}", 20)  # type: ignore[misc]  # bound in the loop
        assert _k2(office).state is NodeState.FAILING
        wait_until(lambda: _others_are_up_to_date(office), f"{wrong}: the others know", 20)
        between.meddle = lambda _request, answer: answer
        _change_k2(office)  # after a refusal it is asked again when somebody has looked at it
        office.agree()


def _change_k2(office: MixedOffice, **changes: object) -> None:
    with office.database.connection() as connection:
        connection.execute(query("change_node"), {"name": "k2", "changes": Jsonb(changes)})


def _k2(office: MixedOffice) -> NodeStatus:
    (node,) = cluster_status(office.database, "k2").nodes
    return node


def _others_are_up_to_date(office: MixedOffice) -> bool:
    told = cluster_status(office.database)
    return told.unnumbered == 0 and all(
        node.state is NodeState.UP_TO_DATE for node in told.nodes if node.name != "k2"
    )
