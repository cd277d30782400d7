"""Busy lamps, and queues by them: whoever watches an extension sees the phone where it rings."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from localcluster.process import wait_until
from roost.pbx.ami.hints import ONE_BY_ONE
from roost.pbx.kinds import connect
from roost.pbx.node import Key, Rings, key_of

if TYPE_CHECKING:
    from localcluster.plain_call import PlainCall
    from tests.asterisk.conftest import Cluster

FREE, RINGS, BUSY = "terminated", "early", "confirmed"


@pytest.fixture
def lamps(cluster: Cluster) -> Iterator[dict[str, PlainCall]]:
    """The lamp of 001 at a phone of each node."""
    with ExitStack() as phones:
        yield {name: phones.enter_context(cluster.plain_phone(name)).watch("001") for name in ("q1", "q2")}


def all_show(lamps: dict[str, PlainCall], state: str) -> None:
    for lamp in lamps.values():
        lamp.wait_lamp(state)


@pytest.mark.parametrize("where", ["n1/p2", "n2/p3"])
def test_a_lamp_shows_the_phone_where_its_extension_sits(
    cluster: Cluster, lamps: dict[str, PlainCall], where: str
) -> None:
    """On both nodes, from the move on: the old phone's calls are nothing to it any more, the new one's are."""
    desk = cluster.phones[where[3:]]
    cluster.phones["p1"].dial("004")
    all_show(lamps, BUSY)
    cluster.place("001", where)
    all_show(lamps, FREE)
    cluster.phones["p4"].dial("001")
    ring = desk.wait_ring()
    all_show(lamps, RINGS)
    ring.answer()
    all_show(lamps, BUSY)
    cluster.place("001", "-")
    all_show(lamps, FREE)
    cluster.place("001", where)
    all_show(lamps, BUSY)


def test_a_lamp_is_right_after_a_reload_and_after_a_restart(
    cluster: Cluster, lamps: dict[str, PlainCall]
) -> None:
    """Asterisk loses what it was told of lamps, and reads them from the table again."""
    cluster.place("001", "n1/p2")
    cluster.nodes["n1"].cli("dialplan reload")
    cluster.phones["p2"].dial("004")
    all_show(lamps, BUSY)
    cluster.phones["p2"].hang_up_all()
    all_show(lamps, FREE)
    node = cluster.nodes["n2"]
    node.restart()
    cluster.register("n2")
    cluster.wait_for_trunks()
    with cluster.plain_phone("w2") as phone:
        lamp = phone.watch("001")
        cluster.phones["p2"].dial("011")
        lamp.wait_lamp(BUSY)
        cluster.place("001", "n2/p3")
        lamp.wait_lamp(FREE)
        cluster.phones["p3"].dial("012")
        lamp.wait_lamp(BUSY)


@pytest.mark.parametrize("more", [0, ONE_BY_ONE], ids=["asked for", "listed"])
def test_a_lamp_that_somebody_else_changed_is_found_and_mended(
    cluster: Cluster, lamps: dict[str, PlainCall], more: int
) -> None:
    """It reads as a row that is unreadable; so an audit counts and mends it."""
    node = cluster.nodes["n1"]
    others = [Rings(f"0001*9{number:03}", None, None) for number in range(more)]
    home: Key = ("e", "0001*001")
    with closing(connect(node.control, 10.0)) as pbx:
        row = pbx.read([home])[home]
        assert row is not None
        node.cli("dialplan add extension 001,hint,PJSIP/p2 into roost-lamps-0001 replace")
        pbx.apply(others, None)
        keys = [home, *map(key_of, others)]
        assert [key for key, change in pbx.read(keys).items() if change is None] == [home]
        pbx.apply([row, *others], None)
        assert pbx.read([home]) == {home: row}
    cluster.phones["p1"].dial("004")
    all_show(lamps, BUSY)


def queue_shows(cluster: Cluster, *words: str) -> None:
    """Wait until one line of the queue, as n1 shows it, has all these words."""

    def shown() -> bool:
        lines = cluster.nodes["n1"].cli("queue show support").splitlines()
        return any(all(word in line for word in words) for line in lines)

    wait_until(shown, 10, f"{words} in the queue")


def waits_in_the_queue(cluster: Cluster, phone: str, seconds: int) -> None:
    """Wait until a caller has waited so long: members were tried meanwhile."""

    def long_enough() -> bool:
        found = re.search(
            rf"PJSIP/{phone}-.*wait: (\d+):(\d+)", cluster.nodes["n1"].cli("queue show support")
        )
        return found is not None and 60 * int(found[1]) + int(found[2]) >= seconds

    wait_until(long_enough, 10, f"{phone} waits in the queue")


@pytest.mark.parametrize("where", ["n1/p1", "n2/p3"])
def test_an_agent_who_moves_stays_in_the_queue_and_is_not_rung_while_busy(
    cluster: Cluster, where: str
) -> None:
    """003 is a member of the queue on n1; its lamp says whether it can be rung."""
    desk = cluster.phones[where[3:]]
    cluster.place("003", where)
    first = cluster.phones["p2"].dial("600")
    ring = desk.wait_ring()
    ring.answer()
    first.wait_up()
    queue_shows(cluster, "Local/0001*003@roost-agent", "In use")
    second = cluster.phones["carrier"].dial("+15559600")
    second.wait_up()
    waits_in_the_queue(cluster, "carrier", 1)  # it has tried more than once
    assert not desk.has_rung
    over = time.monotonic()
    ring.hang_up()
    desk.wait_ring().hang_up()
    assert time.monotonic() - over > 0.9, "to wrap up takes until the second full second of the clock"


@pytest.mark.parametrize("where", ["n1/p1", "n2/p3"])
def test_an_agent_in_a_call_of_their_own_is_not_rung(cluster: Cluster, where: str) -> None:
    """What they dialled themselves counts as what the queue gave them."""
    desk = cluster.phones[where[3:]]
    cluster.place("003", where)
    own = desk.dial("004")
    cluster.phones["p4"].wait_ring().answer()
    own.wait_up()
    queue_shows(cluster, "Local/0001*003@roost-agent", "In use")
    cluster.phones["p2"].dial("600").wait_up()
    waits_in_the_queue(cluster, "p2", 1)
    assert not desk.has_rung
    own.hang_up()
    desk.wait_ring().hang_up()


def test_a_caller_waits_for_an_agent_who_rings_nowhere_and_rings_where_they_sit_down(
    cluster: Cluster,
) -> None:
    """Nothing answers for them meanwhile, neither a mailbox nor a prompt."""
    cluster.place("003", "-")
    log = cluster.logs("n1")
    call = cluster.phones["carrier"].dial("+15559600")
    call.wait_up()
    waits_in_the_queue(cluster, "carrier", 2)
    assert "Playing 'vm-" not in log
    for where in ("n1/p1", "n2/p3"):
        cluster.place("003", where)
        cluster.phones[where[3:]].wait_ring().reject()


def test_who_pauses_is_not_rung_wherever_they_sit(cluster: Cluster) -> None:
    for phone, where in (("p4", "n2/p4"), ("p1", "n1/p1")):
        cluster.speaks(phone, "003", "Person 3")
        cluster.place("003", where)
        cluster.phones[phone].dial("*47").wait_over()
        caller = cluster.phones["p2"].dial("600")
        waits_in_the_queue(cluster, "p2", 2)
        assert not cluster.phones[phone].has_rung
        cluster.phones[phone].dial("*48").wait_over()
        cluster.phones[phone].wait_ring().answer()
        caller.hang_up()
        cluster.quiet()


def test_an_agent_joins_a_queue_pauses_and_leaves(cluster: Cluster) -> None:
    """The person is the member: joined at one phone, paused at another."""
    for phone in ("p2", "p4"):
        cluster.speaks(phone, "002", "Person 2")
        for code, shown in (("*45", "ringinuse"), ("*47", "paused"), ("*48", "Not in use")):
            cluster.phones[phone].dial(code).wait_over()
            queue_shows(cluster, "Local/0001*002@roost-agent", shown)
        cluster.phones[phone].dial("*46").wait_over()
        assert "0001*002" not in cluster.nodes["n1"].cli("queue show support")
