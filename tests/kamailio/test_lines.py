"""How many calls of one phone may be in progress: the others' memory and the trunk are not its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from localcluster.kamailio import KamailioNode, kamailio_addresses
from localcluster.kamailio_install import KamailioProgram
from localcluster.plain_phone import PlainPhone
from roost.pbx.kamailio import KIND
from roost.pbx.node import ActsAs, Cursor, Rings
from tests.cluster import wait_until
from tests.kamailio.mixed_office import MixedOffice
from tests.kamailio.test_load import kept

NAMES = [f"desk{number:03d}" for number in range(1, 6)]
LINES = 3


class Desk:
    """Phones of one Kamailio at which each may have three calls, and ring for a second; `media` takes what goes outside."""

    def __init__(self, node: KamailioNode, media: PlainPhone, phones: dict[str, PlainPhone]) -> None:
        self.node = node
        self.media = media
        self.phones = phones

    def lines(self) -> int:
        """How many are held, emergency calls' too."""
        return self.node.rpc("htable.dump", "roost_line").count("name:")


@pytest.fixture
def desk(program: KamailioProgram, tmp_path: Path) -> Iterator[Desk]:
    (address,) = kamailio_addresses("k1").values()
    with ExitStack() as running:
        media = PlainPhone("media", "", address)
        running.callback(media.drop)
        node = running.enter_context(
            KamailioNode(
                "k1", address, tmp_path / "k1", phones={name: name for name in NAMES}, program=program,
                peers={"127.0.0.1": "m1"}, media=(media.address,),
                defines=f"#!define ROOST_RING_MS 1000\n#!define ROOST_CALLS {LINES}\n",
            )
        )  # fmt: skip
        with closing(KIND.open(node.control, 5)) as roost:
            rows = [
                row
                for name in NAMES
                for row in (
                    Rings(f"0001*{name[-3:]}", "k1", name),
                    ActsAs(name, "0001", name[-3:], name, "", "", "", "", ""),
                )
            ]
            roost.apply(rows, Cursor("db-1", 0))
        phones = {}
        for name in NAMES[:4]:
            phones[name] = PlainPhone(name, name, address)
            running.callback(phones[name].drop)
            phones[name].register()
        yield Desk(node, media, phones)


def test_a_phone_has_so_many_calls_and_no_more_and_emergency_calls_besides(desk: Desk) -> None:
    caller, other = desk.phones["desk001"], desk.phones["desk002"]
    calls = [caller.dial("002") for _ in range(LINES)]
    for _ in calls:
        other.wait_ring().answer()
    for call in calls:
        call.wait_up()
    for number in ("002", "5551234", "*30001"):
        assert caller.dial(number).wait_status(486).start == "SIP/2.0 486 Too Many Calls"
    other.dial("001")
    caller.wait_ring().answer()
    emergencies = [caller.dial("112") for _ in range(LINES + 1)]
    for _ in emergencies:
        desk.media.wait_ring().answer()
    for call in emergencies:
        call.wait_up()
    before = desk.lines()
    calls.pop().hang_up()
    wait_until(lambda: desk.lines() == before - 1, "its line is free")
    again = caller.dial("002")
    other.wait_ring().answer()
    again.wait_up()
    caller.dial("002").wait_status(486)


@pytest.mark.parametrize(
    "end", ["caller", "callee", "refused", "cancelled", "no answer", "nobody", "nowhere", "outside"]
)
def test_a_call_that_is_over_holds_no_line(desk: Desk, end: str) -> None:
    caller, other = desk.phones["desk001"], desk.phones["desk002"]
    number = {"nobody": "005", "nowhere": "555*1", "outside": "5551234"}.get(end, "002")
    for _ in range(1 if end == "no answer" else LINES + 1):
        call = caller.dial(number)
        if end == "nobody":
            call.wait_status(480)
        elif end == "nowhere":
            call.wait_status(404)
        else:
            ring = (desk.media if end == "outside" else other).wait_ring()
            if end in {"caller", "callee"}:
                ring.answer()
                call.wait_up()
                (call if end == "caller" else ring).hang_up()
                (ring if end == "caller" else call).wait_over()
            elif end == "no answer":
                call.wait_status(480)
            elif end == "cancelled":
                call.wait_status(180)
                call.hang_up()
                call.wait_status(487)
            else:
                ring.reject("486 Busy Here")
                call.wait_status(486)
                assert call.heard[-1].start == "SIP/2.0 486 Busy Here"
        wait_until(lambda: desk.lines() == 0, "no line is held")


def test_calls_under_one_name_hold_a_line_each(desk: Desk) -> None:
    """By the same Call-ID, or while the first is under way, nobody makes more."""
    caller, other = desk.phones["desk001"], desk.phones["desk002"]
    call = caller.dial("002")
    ring = other.wait_ring()
    again = PlainPhone("desk001", "desk001", desk.node.address)
    again.dial("003", call_id=call.call_id).wait_status(482)
    again.drop()
    assert desk.lines() == 1
    assert not desk.phones["desk003"].rung
    ring.reject()


def test_names_that_are_never_taken_up_fill_no_memory(desk: Desk) -> None:
    """What is kept of the calls of one phone is bounded by its lines."""
    caller = desk.phones["desk001"]
    for _ in range(3 * LINES):
        caller.dial("002")
    wait_until(lambda: len(desk.phones["desk002"].rung) == LINES, "it rings")
    assert kept(desk.node) <= 6 * LINES


def test_who_asks_an_accomplice_to_end_a_call_outside_goes_on_holding_its_line(office: MixedOffice) -> None:
    """The BYE is answered by somebody else; the call is still there."""
    phone = office.telephony.plain_phone
    k1 = office.telephony.kamailios["k1"]
    with phone("desk011") as liar, phone("desk013") as accomplice:
        call = liar.dial("004")
        office.phones["desk004"].wait_ring().answer()
        call.wait_up()
        meant, way = call.target, call.route
        call.target, call.route = f"sip:desk013@{accomplice.address}", [f"<sip:{k1.address};lr>"]
        liar.request(call, "BYE")
        liar.wait(lambda: any(m.method == "BYE" and m.status == 200 for m in call.heard), 5, "a 200")
        assert call.call_id in k1.rpc("htable.dump", "roost_line")
        call.target, call.route = meant, way
        call.hang_up()
        wait_until(lambda: call.call_id not in k1.rpc("htable.dump", "roost_line"), "its line is free")
