"""What every adapter promises, whatever PBX is behind it."""

from __future__ import annotations

import threading
import time

import pytest

from roost.errors import NodeRefused, NodeUnavailable
from roost.nodes.routes import BATCH
from roost.pbx.node import ActsAs, Change, Cursor, Gone, PbxNode, Rings, key_of
from roost.pbx.sound_rows import SoundRows
from tests.conformance.targets import DEADLINE, Target

HERE = Rings("0001*001", "n1", "desk-1")
NOWHERE = Rings("0001*002", None, None)
SPEAKS = ActsAs(
    "desk-1", "0001", "001", "Ada Lovelace", "acct.1", "001@0001", "002", "112", "Floor 3, room 12"
)
HOSTILE = [
    "Ana María Ñandú", "山田 太郎", "🦜 Polly", "a,b,,c", 'say "hi"', "${SHELL(id)}", "$[1+1]", "100% *real*",
    "back\\slash", "semi;colon", "colon: value", "<sip:x@y>", " blanks ", "'", "a&b|c", "%2C", "",
]  # fmt: skip


def named(name: str) -> ActsAs:
    return ActsAs("desk-1", "0001", "001", name, "", "", "002", "", name)


def numbered(number: int) -> Rings:
    return Rings(f"0001*{number:05d}", "n1", f"desk-{number}")


def wide(number: int, characters: int) -> ActsAs:
    return named("x" * characters)._replace(phone=f"desk-{number}", emergency_location="")


def test_a_fresh_node_has_no_cursor_and_an_empty_table(node: PbxNode) -> None:
    assert node.cursor() is None
    assert node.dump() == {}


def test_what_is_applied_is_what_is_dumped(node: PbxNode) -> None:
    node.apply([HERE, NOWHERE, SPEAKS], Cursor("db-1", 7))
    assert node.dump() == {key_of(change): change for change in (HERE, NOWHERE, SPEAKS)}
    assert node.cursor() == Cursor("db-1", 7)


def test_without_a_cursor_the_old_one_stays(node: PbxNode) -> None:
    node.apply([HERE], Cursor("db-1", 7))
    node.apply([NOWHERE], None)
    assert node.cursor() == Cursor("db-1", 7)


def test_nothing_to_change_still_moves_the_cursor(node: PbxNode) -> None:
    node.apply([], Cursor("db-1", 8))
    assert node.cursor() == Cursor("db-1", 8)


def test_of_two_changes_to_one_key_the_later_counts(node: PbxNode) -> None:
    moved = Rings(HERE.extension, "n2", "desk-2")
    node.apply([HERE, moved], None)
    assert node.dump() == {key_of(moved): moved}


def test_what_is_gone_is_removed_and_a_missing_one_is_no_error(node: PbxNode) -> None:
    node.apply([HERE, SPEAKS], None)
    node.apply([Gone("e", HERE.extension), Gone("e", "0009*9"), Gone("p", "never-there")], Cursor("db-1", 9))
    assert node.dump() == {key_of(SPEAKS): SPEAKS}
    assert node.cursor() == Cursor("db-1", 9)


def test_a_missing_one_may_be_removed_and_written_at_once(node: PbxNode) -> None:
    node.apply([Gone("e", HERE.extension), HERE], Cursor("db-1", 10))
    assert node.dump() == {key_of(HERE): HERE}


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_survives(node: PbxNode, name: str) -> None:
    node.apply([named(name)], None)
    assert node.dump() == {("p", "desk-1"): named(name)}


@pytest.mark.parametrize("letter", ["ÿ", "漢", "🦜", "%"])
def test_the_longest_names_fit(node: PbxNode, letter: str) -> None:
    node.apply([named(letter * 64)], None)
    assert node.dump() == {("p", "desk-1"): named(letter * 64)}


@pytest.mark.parametrize(
    "bad",
    [
        named("two\r\nlines"),
        named("line\nfeed"),
        named("nul\0"),
        Rings("0001*003", "n1", "desk/9"),
        Rings("0001*003", "n1", "desk\r\nAction: DBDelTree"),
        Rings("0001*003", "n1", None),
        Rings("0001*003\r\nVal: n9/desk-9", None, None),
        Gone("e", "0001*003\r\n\r\nAction: Ping"),
    ],
)
def test_what_would_break_the_protocol_is_refused_and_holds_up_nothing_else(
    node: PbxNode, bad: Change
) -> None:
    node.apply([], Cursor("db-1", 1))
    refused = node.apply([HERE, bad, NOWHERE], Cursor("db-1", 2))
    assert [row.key for row in refused] == [key_of(bad)]
    assert all(row.reason for row in refused)
    assert node.cursor() == Cursor("db-1", 2)
    assert node.dump() == {key_of(HERE): HERE, key_of(NOWHERE): NOWHERE}


def test_many_that_cannot_be_held_hold_up_nothing_else_either(node: PbxNode, target: Target) -> None:
    too_wide = [wide(number, target.too_long) for number in range(1000)]
    changes = [change for number in range(1000) for change in (numbered(number), too_wide[number])]
    refused = node.apply(changes, Cursor("db-1", 3))
    assert [row.key for row in refused] == [key_of(change) for change in too_wide]
    assert all(row.reason and "xxx" not in row.reason for row in refused)
    assert node.dump() == {key_of(numbered(number)): numbered(number) for number in range(1000)}
    assert node.apply([HERE], None) == []


@pytest.mark.parametrize("stored", ["", "7", "db-1:", ":7", "db-1:x", "db-1:-7", "db-1:7 "])
def test_a_malformed_cursor_is_none(node: PbxNode, target: Target, stored: str) -> None:
    target.store(None, stored)
    assert node.cursor() is None


def test_an_unreadable_value_is_dumped_as_none_and_can_be_removed(node: PbxNode, target: Target) -> None:
    node.apply([HERE], None)
    for key, value in target.unreadable:
        target.store(key, value)
        assert node.dump() == {key: None, key_of(HERE): HERE}
        node.apply([Gone(*key)], None)
        assert node.dump() == {key_of(HERE): HERE}


def test_what_others_keep_is_left_out(node: PbxNode, target: Target) -> None:
    target.store_what_others_keep()
    node.apply([], Cursor("db-1", 1))
    assert node.dump() == {}
    assert [key for page in node.keys(3) for key in page] == []


def test_a_whole_batch_of_changes(node: PbxNode) -> None:
    changes: list[Change] = [numbered(number) for number in range(BATCH)]
    node.apply(changes, Cursor("db-1", 10_000))
    assert node.dump() == {key_of(change): change for change in changes}
    node.apply([Gone(*key_of(change)) for change in changes], Cursor("db-1", 20_000))
    assert node.dump() == {}
    assert node.cursor() == Cursor("db-1", 20_000)


def test_rows_that_postgresql_wrote_are_taken_as_those_one_by_one(node: PbxNode, target: Target) -> None:
    """A row that is too long alone is refused, also among thousands."""
    places = SoundRows.of("e", b"0001*001\n0001*002\n", b"n1/desk-1\n-\n", 2)
    people = [named(HOSTILE[n % len(HOSTILE)])._replace(phone=f"desk-{n}") for n in range(1_200)]
    people[700] = wide(700, target.too_long)
    keys = "".join(f"{person.phone}\n" for person in people).encode()
    fields = "".join("\t".join(person[1:]) + "\n" for person in people).encode()
    rows = SoundRows.of("p", keys, fields, len(people))
    assert places is not None
    assert rows is not None
    assert node.apply(places, Cursor("db-1", 1)) == []
    assert [row.key for row in node.apply(rows, Cursor("db-1", 2))] == [("p", "desk-700")]
    held: list[Change] = [HERE, NOWHERE, *people[:700], *people[701:]]
    assert node.dump() == {key_of(change): change for change in held}
    assert node.cursor() == Cursor("db-1", 2)


def test_some_keys_are_read_and_what_is_not_there_is_left_out(node: PbxNode, target: Target) -> None:
    node.apply([HERE, NOWHERE, SPEAKS], None)
    odd, stored = target.unreadable[0]
    target.store(odd, stored)
    asked = [("e", "0009*9"), key_of(SPEAKS), odd, ("p", "never-there"), key_of(HERE)]
    assert node.read(asked) == {key_of(SPEAKS): SPEAKS, odd: None, key_of(HERE): HERE}
    assert node.read([]) == {}
    assert node.read([key_of(NOWHERE)]) == {key_of(NOWHERE): NOWHERE}


def test_a_small_table_is_listed_whole(node: PbxNode, target: Target) -> None:
    node.apply([HERE, NOWHERE, SPEAKS], Cursor("db-1", 1))
    target.store(("e", "odd key"), "?")
    found = [key for page in node.keys(3) for key in page]
    assert sorted(found) == sorted([key_of(HERE), key_of(NOWHERE), key_of(SPEAKS), ("e", "odd key")])


def test_a_large_table_is_read_and_listed_in_pieces(node: PbxNode) -> None:
    """No piece is the whole table; yet every extension and phone is in one, whatever its name ends with."""
    people: list[Change] = [numbered(number) for number in range(3_000)]
    phones: list[Change] = [SPEAKS._replace(phone=f"{n:05d}{end}") for n in range(300) for end in "0aZf.-9"]
    table = {key_of(change): change for change in people + phones}
    node.apply(people + phones, None)
    assert node.read(list(table)) == table
    pages = list(node.keys(20_000))
    assert {key for page in pages for key in page} == set(table)
    assert max(map(len, pages)) < len(table) / 5
    node.apply([Gone(*key) for key in table], None)
    assert [key for page in node.keys(20_000) for key in page] == []


def test_health_names_the_pbx(node: PbxNode, target: Target) -> None:
    assert target.product in node.health()


def test_a_wrong_login_is_refused_and_the_secret_not_told(target: Target) -> None:
    for wrong in target.wrong_logins:
        with pytest.raises(NodeRefused) as refusal:
            target.kind.open(wrong, DEADLINE)
        assert wrong.secret.get_secret_value() not in str(refusal.value)


def test_two_connections_see_the_same_table(node: PbxNode, target: Target) -> None:
    node.apply([HERE], Cursor("db-1", 1))
    other = target.kind.open(target.address, DEADLINE)
    assert other.dump() == node.dump()
    assert other.cursor() == node.cursor()
    other.close()


def test_a_closed_connection_is_unavailable_and_closes_again(node: PbxNode) -> None:
    node.close()
    node.close()
    with pytest.raises(NodeUnavailable):
        node.cursor()


def test_a_node_killed_right_after_a_change_has_all_of_it_or_not_its_cursor(
    node: PbxNode, target: Target
) -> None:
    changes: list[Change] = [Rings(f"0001*{number:04d}", "n1", f"desk-{number}") for number in range(3000)]
    written = Cursor("killed-after", 3000)  # the crash may bring back what a test before this one left
    node.apply(changes, written)
    target.kill()
    with pytest.raises(NodeUnavailable):
        node.cursor()
    target.start()
    again = target.kind.open(target.address, DEADLINE)
    if again.cursor() == written:
        assert again.dump().items() >= {key_of(change): change for change in changes}.items()
    again.apply(changes, written)
    assert again.dump().items() >= {key_of(change): change for change in changes}.items()
    again.close()


def test_a_node_killed_amid_a_change_is_unavailable_at_once_and_has_no_cursor(
    node: PbxNode, target: Target
) -> None:
    changes: list[Change] = [numbered(number) for number in range(target.long_change)]
    began = time.monotonic()

    def kill() -> None:
        onlooker = target.kind.open(target.address, DEADLINE)
        while not onlooker.read([key_of(changes[0])]) and time.monotonic() < began + DEADLINE:
            pass
        onlooker.close()
        killed.append(time.monotonic())
        target.kill()

    killed: list[float] = []
    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(NodeUnavailable):
        node.apply(changes, Cursor("killed-amid", 1))
    failed = time.monotonic()
    killer.join()
    assert failed - killed[0] < DEADLINE / 2
    target.start()
    again = target.kind.open(target.address, DEADLINE)
    assert again.cursor() != Cursor("killed-amid", 1)
    again.close()


def test_an_address_where_nobody_listens_is_unavailable(target: Target) -> None:
    target.kill()
    with pytest.raises(NodeUnavailable):
        target.kind.open(target.address, 5.0)
    target.start()
