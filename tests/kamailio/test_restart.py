"""A Kamailio that lost its table, with nothing else running but the snapshot beside it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from localcluster.certificates import Authority
from localcluster.kamailio import HTTP_PORT, SOURCES, KamailioNode, kamailio_addresses
from localcluster.kamailio_install import KamailioProgram
from localcluster.phones import Phone
from localcluster.plain_phone import PlainPhone
from localcluster.ports import free_port
from roost.errors import NodeRefused
from roost.pbx.kamailio import KIND
from roost.pbx.node import ActsAs, Change, Cursor, Rings, key_of

PHONES = {"desk001": "one", "desk002": "two"}
ROWS: list[Change] = [
    *(Rings(f"0001*{number:03d}", "k1", f"desk{number:03d}") for number in range(1, 400)),
    *(
        ActsAs(f"desk{number:03d}", "0001", f"{number:03d}", "Ana Š", "", "", f"{number:03d}", "", "")
        for number in range(1, 400)
    ),
]
WRITTEN = Cursor("db-1", 7)
PORT_6 = free_port("::1")


@pytest.fixture(scope="module")
def kamailio(program: KamailioProgram, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KamailioNode]:
    (address,) = kamailio_addresses("k1").values()
    defines = (
        f'#!define SITE_HAS_6\n#!substdef "!SITE_PLACE_6![::1]:{PORT_6}!g"\n#!define ROOST_RING_MS 30000\n'
        '#!define SITE_NAT\nloadmodule "cfg_rpc.so"\n'  # its command sets max_while_loops
    )
    folder = tmp_path_factory.mktemp("k1")
    certificate = Authority(folder / "authority").issue("k1", address=address)
    with KamailioNode(
        "k1", address, folder, phones=PHONES, defines=defines, certificate=certificate, memory=128, program=program,
    ) as node:  # fmt: skip
        yield node


def snapshot(node: KamailioNode, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a timer runs beside a Kamailio."""
    secret = folder / "secret"
    secret.write_text(node.secret)
    return subprocess.run(
        [
            sys.executable, str(SOURCES / "roost_snapshot.py"), "--url", f"http://{node.address}:{HTTP_PORT}",
            "--secret-file", str(secret), "--file", str(folder / "snapshot"), "--once",
        ],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_with_roost_away_calls_route_as_last_pushed_after_a_kill(
    kamailio: KamailioNode, tmp_path: Path
) -> None:
    with closing(KIND.open(kamailio.control, 10)) as roost:
        roost.apply(ROWS, WRITTEN)
    assert snapshot(kamailio, tmp_path).returncode == 0
    kamailio.kill()
    kamailio.start()
    done = snapshot(kamailio, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    with closing(KIND.open(kamailio.control, 10)) as roost:
        assert roost.cursor() == WRITTEN
        assert roost.dump() == {key_of(row): row for row in ROWS}
    with (
        PlainPhone("desk001", "one", kamailio.address) as caller,
        PlainPhone("desk002", "two", kamailio.address) as callee,
    ):
        call = caller.dial("002")
        callee.wait_ring().answer()
        call.wait_up()


def test_a_phone_of_ipv6_and_one_of_ipv4_call_each_other(kamailio: KamailioNode) -> None:
    with closing(KIND.open(kamailio.control, 10)) as roost:
        roost.apply(ROWS, WRITTEN)
    with (
        PlainPhone("desk001", "one", "[::1]", PORT_6) as new,
        PlainPhone("desk002", "two", kamailio.address) as old,
    ):
        for caller, callee, number in ((new, old, "002"), (old, new, "001")):
            call = caller.dial(number)
            ring = callee.wait_ring()
            ring.answer()
            call.wait_up()
            call.hang_up()
            ring.wait_over()


def test_a_phone_over_tls_calls_and_is_called_by_one_over_udp(kamailio: KamailioNode) -> None:
    with closing(KIND.open(kamailio.control, 10)) as roost:
        roost.apply(ROWS, WRITTEN)
    safe = Phone("desk001", "one", f"{kamailio.address}:5061", "tls")
    safe.register()
    with PlainPhone("desk002", "two", kamailio.address) as other:
        call = safe.dial("002")
        ring = other.wait_ring()
        assert ring.caller == ("Ana Š", "001")
        ring.answer()
        call.wait_up()
        call.hang_up()
        ring.wait_over()
        asked = other.dial("001")
        safe.wait_ring().answer()
        asked.wait_up()
        asked.hang_up()
    safe.hang_up_all()
    safe.unregister()


def test_the_connection_of_a_silent_phone_is_kept_as_long_as_it_is_registered(kamailio: KamailioNode) -> None:
    """For an hour: over TCP and TLS some are called by no other."""
    found = re.search(r"connection_lifetime: (\d+)", kamailio.rpc("core.tcp_options"))
    assert found is not None
    assert int(found[1]) > 3600


def test_a_phone_behind_nat_is_called_where_it_registered_from(kamailio: KamailioNode) -> None:
    """It knows its own address only as 192.168.0.9."""
    with closing(KIND.open(kamailio.control, 10)) as roost:
        roost.apply(ROWS, WRITTEN)
    with PlainPhone("desk001", "one", kamailio.address) as caller:
        inside = PlainPhone("desk002", "two", kamailio.address)
        inside.register_as("sip:desk002@192.168.0.9:5060")
        for _ in range(2):
            call = caller.dial("002")
            ring = inside.wait_ring()
            ring.answer()
            call.wait_up()
            call.hang_up()
            ring.wait_over()
        inside.register_as("sip:desk002@192.168.0.9:5060", 0)
        inside.drop()


def test_a_snapshot_gives_way_to_roost_and_a_torn_one_is_not_used(
    kamailio: KamailioNode, tmp_path: Path
) -> None:
    kamailio.rpc("htable.flush", "roost")
    with closing(KIND.open(kamailio.control, 10)) as roost:
        roost.apply(ROWS, WRITTEN)
        assert snapshot(kamailio, tmp_path).returncode == 0
        whole = (tmp_path / "snapshot").read_bytes()
        roost.apply([Rings("0001*001", None, None)], Cursor("sending/db-1/8/e/blank", 0))
        assert snapshot(kamailio, tmp_path).returncode == 0
        assert (tmp_path / "snapshot").read_bytes() == whole
        assert roost.read([("e", "0001*001")]) == {("e", "0001*001"): Rings("0001*001", None, None)}
    kamailio.rpc("htable.flush", "roost")
    (tmp_path / "snapshot").write_bytes(whole[: len(whole) // 2])
    done = snapshot(kamailio, tmp_path)
    assert (done.returncode, done.stderr) == (1, "not now: the file is not whole\n")
    with closing(KIND.open(kamailio.control, 10)) as roost:
        assert roost.dump() == {}


def test_who_writes_amid_a_loss_hears_of_it_and_leaves_no_cursor(kamailio: KamailioNode) -> None:
    with closing(KIND.open(kamailio.control, 10)) as roost:
        roost.apply(ROWS[:10], None)
        kamailio.rpc("htable.flush", "roost")
        with pytest.raises(Exception, match="table was emptied"):
            roost.apply(ROWS[10:20], WRITTEN)
        assert roost.cursor() is None


def test_a_loop_that_is_cut_short_leaves_no_cursor_and_is_named(kamailio: KamailioNode) -> None:
    kamailio.rpc("htable.flush", "roost")
    try:
        with closing(KIND.open(kamailio.control, 10)) as roost:
            kamailio.rpc("cfg.set_now_int", "core", "max_while_loops", "100")
            with pytest.raises(NodeRefused, match=r"It took 100 of \d+ rows; set max_while_loops"):
                roost.apply(ROWS, WRITTEN)
            assert roost.cursor() is None
            with pytest.raises(NodeRefused, match="max_while_loops is less than its table has rows"):
                roost.dump()
    finally:
        kamailio.rpc("cfg.set_now_int", "core", "max_while_loops", "1000000")
