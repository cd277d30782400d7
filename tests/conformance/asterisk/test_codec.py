"""The AMI codec: whatever comes, in whatever pieces, it gives the same messages or its one error."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.errors import Invalid
from roost.pbx import row_text
from roost.pbx.ami import codec
from roost.pbx.checked import fault, faults
from roost.pbx.node import ActsAs, Change, Cursor, Gone, Rings, key_of
from simulator import wire

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
WORD = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=60).filter(
    lambda text: not text or text[0] > " "
)
NAME = st.from_regex(r"\A[A-Za-z0-9._-]{1,64}\Z")
PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=64)


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def feed_all(reader: codec.Reader, pieces: list[bytes]) -> list[bytes] | str:
    messages: list[bytes] = []
    try:
        for piece in pieces:
            messages += reader.feed(piece)
    except codec.ProtocolError as error:
        return str(error)
    return messages


@given(st.lists(st.tuples(WORD, WORD), max_size=8), st.lists(st.integers(min_value=0)))
def test_any_split_gives_the_same_messages(values: list[tuple[str, str]], cuts: list[int]) -> None:
    messages = [f"Response: Success\r\nKey: {key}\r\nVal: {value}".encode() for key, value in values]
    stream = BANNER + b"".join(message + b"\r\n\r\n" for message in messages)
    assert feed_all(codec.Reader(), in_pieces(stream, cuts)) == messages
    assert [codec.fields_of(message)["Val"] for message in messages] == [value for _, value in values]


@given(
    st.booleans(),
    st.lists(st.binary(max_size=200) | st.sampled_from([b"\r\n", b"\r\n\r\n", b"Event: x", b": "])),
)
def test_any_bytes_raise_nothing_but_its_error(greeted: bool, pieces: list[bytes]) -> None:  # noqa: FBT001
    reader = codec.Reader()
    if greeted:
        reader.feed(BANNER)
    messages = feed_all(reader, pieces)
    if isinstance(messages, list):
        for message in messages:
            codec.fields_of(message)


@pytest.mark.parametrize("start", [b"", BANNER, BANNER + b"Response: Success\r\n"])
@pytest.mark.parametrize("size", [1, 1000, 65_536])
def test_a_message_without_end_is_an_error_before_it_is_memory(start: bytes, size: int) -> None:
    reader = codec.Reader()
    reader.feed(start)
    pieces = [b"x" * size] * (2 * codec.MAX_MESSAGE // size + 2)
    assert isinstance(feed_all(reader, pieces), str)
    with pytest.raises(codec.ProtocolError):
        reader.feed(b"Response: Success\r\n\r\n")


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 200 OK\r\n\r\n", b"\r\n", b"\0", b"SSH-2.0-x\r\n"])
def test_another_greeting_is_an_error(garbage: bytes) -> None:
    with pytest.raises(codec.ProtocolError):
        codec.Reader().feed(garbage)


@given(
    st.dictionaries(st.from_regex(r"\A[A-Za-z]{1,12}\Z"), WORD, max_size=6).filter(
        lambda f: "Action" not in f
    )
)
def test_what_is_sent_is_what_the_pbx_reads(fields: dict[str, str]) -> None:
    (block,) = wire.ActionReader().feed(codec.action("DBPut", fields))
    read, problem = wire.fields_of(block)
    expected = {"action": "DBPut"}
    for name, value in fields.items():
        expected.setdefault(name.lower(), value)
    assert (read, problem) == (expected, "")


@pytest.mark.parametrize(
    "value", ["a\r\nb", "a\nb", "a\rb", "a\0b", "\n", "\r", " a", "\ta", "\ud800", "x" * 1018]
)
def test_what_would_break_a_line_is_refused(value: str) -> None:
    with pytest.raises(codec.Unsendable) as refusal:
        codec.action("DBPut", {"Key": "k", "Val": value})
    assert isinstance(refusal.value, Invalid)


def test_the_longest_line_has_1024_bytes_with_its_end() -> None:
    sent = codec.action("DBPut", {"Key": "k", "Val": "x" * 1017})
    assert max(len(line) for line in sent.split(b"\r\n")) + 2 == codec.MAX_LINE


@given(st.lists(WORD.filter(lambda word: len(word.encode()) < 1000), min_size=1, max_size=60))
def test_a_record_of_tls_is_whole_lines_of_an_actions_length(values: list[str]) -> None:
    sent = b"".join(codec.action("DBPut", {"Key": "k", "Val": value}) for value in values)
    pieces = list(codec.records(sent))
    assert b"".join(pieces) == sent
    assert all(piece.endswith(b"\r\n") and len(piece) <= codec.MAX_LINE for piece in pieces)
    assert len(pieces) <= 2 * len(sent) // codec.MAX_LINE + 1


@given(NAME, PRINTABLE, PRINTABLE, st.text(max_size=20))
def test_what_a_phone_acts_as_survives(phone: str, name: str, location: str, other: str) -> None:
    change = ActsAs(phone, "0001", "001", name, other, "m@x", "002", "112", location)
    control = any(ord(letter) < 32 or ord(letter) == 127 for letter in name + other + location)
    assert bool(fault(change)) is control
    if control:
        return
    stored = row_text.value(change)
    assert not set(stored) & set(" \"'${}[]()\\;|&<>")
    assert row_text.change(key_of(change), stored) == change
    rings = Rings("0001*001", "n1", "desk")
    assert row_text.values([change, rings, change]) == [stored.encode(), b"n1/desk", stored.encode()]


ANY = st.one_of(st.sampled_from(["n1", "desk-1", "a/b\nc", "", "None", "x" * 65]), st.text(max_size=3))
PLACE = st.none() | ANY
ROW = st.one_of(
    st.builds(Rings, ANY, PLACE, PLACE),
    st.builds(lambda text: ActsAs(*[text] * 9), ANY),
    st.builds(Gone, st.sampled_from(["e", "p"]), ANY),
)


@given(st.lists(ROW, max_size=4))
def test_what_is_wrong_with_many_rows_is_what_is_wrong_with_each(changes: list[Change]) -> None:
    assert faults(changes) == {place: why for place, each in enumerate(changes) if (why := fault(each))}


@given(NAME, NAME)
def test_where_an_extension_rings_survives(node: str, phone: str) -> None:
    for change in (Rings("0001*001", node, phone), Rings("0001*001", None, None)):
        assert row_text.change(key_of(change), row_text.value(change)) == change


@given(st.sampled_from(["e", "p"]), st.text())
def test_any_stored_value_is_read_or_none(kind: str, stored: str) -> None:
    change: Change | None = row_text.change(("e" if kind == "e" else "p", "key"), stored)
    assert change is None or key_of(change) == (kind, "key")


@given(st.from_regex(r"\A[a-z0-9-]{1,40}\Z"), st.integers(min_value=0, max_value=2**62))
def test_a_cursor_survives(database: str, version: int) -> None:
    assert Cursor.parse(str(Cursor(database, version))) == Cursor(database, version)
