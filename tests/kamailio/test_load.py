"""Calls by the dozen through a table that is being written."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import cycle
from pathlib import Path

import pytest

from localcluster import sipp
from localcluster.kamailio import KamailioNode, kamailio_addresses
from localcluster.kamailio_install import KamailioProgram
from localcluster.plain_phone import PlainPhone
from roost.pbx.kamailio import KIND
from roost.pbx.node import ActsAs, Change, Cursor, Rings
from tests.cluster import wait_until

PHONES = {"desk001": "one", "desk002": "two", "desk003": "three"}
A_SECOND, SECONDS = 50, 3
PEOPLE = range(1, 2_001)


@pytest.fixture
def kamailio(program: KamailioProgram, tmp_path: Path) -> Iterator[KamailioNode]:
    (address,) = kamailio_addresses("k1").values()
    defines = "#!define ROOST_RING_MS 30000\n#!define ROOST_CALLS 500\n"  # one phone is all callers
    with KamailioNode(
        "k1", address, tmp_path / "k1", phones=PHONES, program=program, defines=defines
    ) as node:
        yield node


def rows(seat: str) -> list[Change]:
    """Everybody; 002 sits at `seat`."""
    return [
        *(Rings(f"0001*{n:03d}", "k1", seat if n == 2 else f"desk{n:03d}") for n in PEOPLE),
        *(ActsAs(f"desk{n:03d}", "0001", f"{n:03d}", f"Person {n}", "", "", "", "", "") for n in PEOPLE),
    ]


def test_fifty_calls_a_second_arrive_while_all_rows_are_written_and_the_callee_moves(
    kamailio: KamailioNode, tmp_path: Path
) -> None:
    over = threading.Event()
    written = 0
    seats = {seat: sipp.Answerer(tmp_path, seat) for seat in ("desk002", "desk003")}
    tables = {seat: rows(seat) for seat in seats}

    roost = KIND.open(kamailio.control, 10)
    roost.apply(tables["desk002"], Cursor("db-1", 0))

    def write() -> None:
        nonlocal written
        with closing(roost):
            for seat in cycle(seats):
                roost.apply(tables[seat], Cursor("db-1", written))
                written += 1
                if over.is_set():
                    return

    with ExitStack() as running:
        for seat, answerer in seats.items():
            answerer.start()
            running.callback(answerer.stop)
            phone = PlainPhone(seat, PHONES[seat], kamailio.address)
            running.callback(phone.drop)
            phone.register_as(f"sip:{seat}@127.0.0.1:{answerer.port}")
        writer = threading.Thread(target=write)
        writer.start()
        running.callback(writer.join)
        running.callback(over.set)
        calls = A_SECOND * SECONDS
        for _ in range(5):  # a slow machine writes the table seldom
            counted = sipp.call(
                tmp_path, name="desk001", password="one", host=kamailio.address, number="002", calls=calls, a_second=A_SECOND
            )  # fmt: skip
            assert counted == sipp.Counted(calls, 0)
            if written > 2 * SECONDS:
                break
        for answerer in seats.values():
            answerer.wait_counted(0)
    assert written > 2 * SECONDS


def test_calls_that_are_over_leave_no_memory_behind(kamailio: KamailioNode, tmp_path: Path) -> None:
    """Those that were answered, and those of which nothing came: nobody of that number, nobody there, names without end."""
    roost = KIND.open(kamailio.control, 10)
    with closing(roost), ExitStack() as running:
        roost.apply(rows("desk002"), Cursor("db-1", 0))
        answerer = sipp.Answerer(tmp_path, "desk002")
        answerer.start()
        running.callback(answerer.stop)
        phone, caller = (PlainPhone(name, PHONES[name], kamailio.address) for name in ("desk002", "desk001"))
        running.callback(phone.drop)
        running.callback(caller.drop)
        phone.register_as(f"sip:desk002@127.0.0.1:{answerer.port}")
        for number, status in (("555*1", 404), ("003", 480)):
            caller.dial(number).wait_status(status)
        assert kept(kamailio) == 0
        calls = A_SECOND * SECONDS
        assert sipp.call(
            tmp_path, name="desk001", password="one", host=kamailio.address, number="002", calls=calls, a_second=A_SECOND
        ) == sipp.Counted(calls, 0)  # fmt: skip
        wait_until(lambda: kept(kamailio) == 0, "nothing is kept of them", 45)


@pytest.mark.parametrize("name", ["Call-ID", "From", "To"])
def test_a_call_whose_names_have_no_end_is_refused(kamailio: KamailioNode, name: str) -> None:
    """An emergency call is not: nothing is kept of it."""
    endless = "x" * 8_000
    caller = PlainPhone("desk001", PHONES["desk001"], kamailio.address)
    with closing(KIND.open(kamailio.control, 10)) as roost:
        roost.apply(rows("desk002"), Cursor("db-1", 0))
    if name == "From":
        caller.local = f"<sip:{endless}@{kamailio.address}>"
    try:
        for number, status in (("002", 400), ("112", 480)):
            call_id = f"{endless}{number}" if name == "Call-ID" else ""
            to = f"sip:{endless}@{kamailio.address}" if name == "To" else ""
            caller.dial(number, to=to, call_id=call_id).wait_status(status)
    finally:
        caller.drop()


def kept(kamailio: KamailioNode) -> int:
    """How many cells there are about calls."""
    found = re.search(r"name: roost_call\n.*\n\s*all: (\d+)", kamailio.rpc("htable.stats"))
    assert found is not None
    return int(found[1])
