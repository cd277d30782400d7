"""The FastAGI codec, both sides: any bytes, in any pieces, give the same events or its one error."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.errors import Invalid
from roost.pbx import agi, agi_client

ENVIRONMENT = {
    "agi_network": "yes",
    "agi_network_script": "center",
    "agi_request": "agi://127.0.0.1:4573/center",
    "agi_channel": "PJSIP/desk-1-00000001",
    "agi_uniqueid": "1795447949.1",
    "agi_callerid": "001",
    "agi_calleridname": 'Ana "Ñ" 山田',
    "agi_accountcode": "",
}
ARGUMENTS = ("n1", "desk-1", "*30001")
VALUE = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=80)
EVENTS = [
    agi.Environment({**ENVIRONMENT, "agi_arg_1": "n1", "agi_arg_2": "desk-1", "agi_arg_3": "*30001"}),
    agi.Reply(200, "0"),
    agi.Reply(200, "1234"),
    agi.Reply(200, "", "timeout"),
    agi.Reply(200, "12", "timeout"),
    agi.HungUp(),
    agi.Reply(200, "-1"),
    agi.Reply(511, detail="Command Not Permitted on a dead channel or intercept routine"),
    agi.Reply(510, detail="Invalid or unknown command"),
    agi.Reply(520, detail="Invalid command syntax.  Proper usage follows:\nUsage: ANSWER\n\tAnswers."),
    agi.Reply(520, detail="Invalid command syntax.  Proper usage not available."),
    agi.Reply(200, "1", "a (nested) value"),
    agi.Reply(200, "0"),
]
STREAM = agi_client.environment(ENVIRONMENT, ARGUMENTS) + (
    b"200 result=0\n"
    b"200 result=1234\n"
    b"200 result= (timeout)\n"
    b"200 result=12 (timeout)\n"
    b"HANGUP\n"
    b"200 result=-1\n"
    b"511 Command Not Permitted on a dead channel or intercept routine\n"
    b"510 Invalid or unknown command\n"
    b"520-Invalid command syntax.  Proper usage follows:\nUsage: ANSWER\n\tAnswers.\n"
    b"520 End of proper usage.\n"
    b"520 Invalid command syntax.  Proper usage not available.\n"
    b"200 result=1 (a (nested) value)\n"
    b"200 result=0 endpos=16000\n"
)


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def feed_all(side: agi.Server | agi_client.Client, pieces: list[bytes]) -> list[object] | str:
    events: list[object] = []
    try:
        for piece in pieces:
            events += side.feed(piece)
    except agi.ProtocolError as error:
        return str(error)
    return events


@given(st.lists(st.integers(min_value=0)), st.booleans())
def test_any_split_gives_the_same_events(cuts: list[int], windows: bool) -> None:  # noqa: FBT001
    stream = STREAM.replace(b"\n", b"\r\n") if windows else STREAM
    assert feed_all(agi.Server(), in_pieces(stream, cuts)) == EVENTS


LINES = st.sampled_from([b"\n", b"agi_request: x\n", b"200 result=1\n", b"520-\n", b"HANGUP\n", b"\r\n"])


@given(st.lists(st.binary(max_size=100) | LINES))
def test_any_bytes_raise_nothing_but_its_error(pieces: list[bytes]) -> None:
    for side in (agi.Server(), agi_client.Client()):
        feed_all(side, pieces)
    started = agi.Server()
    started.feed(agi_client.environment(ENVIRONMENT))
    feed_all(started, pieces)


@given(VALUE, VALUE)
def test_what_the_dialplan_says_arrives(name: str, argument: str) -> None:
    (environment,) = agi.Server().feed(agi_client.environment({"agi_calleridname": name}, ["n1", argument]))
    assert isinstance(environment, agi.Environment)
    assert environment["agi_calleridname"] == name
    assert environment.arguments == ("n1", argument)
    assert environment["agi_never_sent"] == ""


@given(st.lists(VALUE, max_size=6))
def test_what_is_commanded_is_what_asterisk_reads(values: list[str]) -> None:
    (command,) = agi_client.Client().feed(agi.command("SET", "VARIABLE", values=values))
    assert command.words == ("SET", "VARIABLE", *values)


def test_the_commands_of_the_center() -> None:
    sent = [
        agi.answer(),
        agi.stream_file("agent-pass"),
        agi.get_data("agent-pass", 8000, 8),
        agi.say_digits("001"),
        agi.set_variable("ROOST_OUTCOME", "virtualized"),
        agi.hang_up(),
    ]
    assert [command.words for command in agi_client.Client().feed(b"".join(sent))] == [
        ("ANSWER",),
        ("STREAM", "FILE", "agent-pass", ""),
        ("GET", "DATA", "agent-pass", "8000", "8"),
        ("SAY", "DIGITS", "001", ""),
        ("SET", "VARIABLE", "ROOST_OUTCOME", "virtualized"),
        ("HANGUP",),
    ]


@pytest.mark.parametrize("value", ["a\nb", "a\r\nHANGUP", "\0", "\x1b", "x" * agi.MAX_LINE])
def test_what_would_break_a_line_is_refused(value: str) -> None:
    with pytest.raises(Invalid):
        agi.set_variable("X", value)
    if len(value) < agi.MAX_LINE:
        with pytest.raises(Invalid):
            agi_client.environment({"agi_callerid": value})
        with pytest.raises(Invalid):
            agi_client.reply("1", value)


def test_what_asterisk_replies_is_what_the_server_reads() -> None:
    server = agi.Server()
    server.feed(agi_client.environment(ENVIRONMENT))
    assert server.feed(agi_client.reply("1234") + agi_client.reply("", "timeout") + agi_client.HANGUP) == [
        agi.Reply(200, "1234"),
        agi.Reply(200, "", "timeout"),
        agi.HungUp(),
    ]


@pytest.mark.parametrize(
    ("reply", "timed_out", "gone"),
    [
        (agi.Reply(200, "12"), False, False),
        (agi.Reply(200, "", "timeout"), True, False),
        (agi.Reply(200, "-1"), False, True),
        (agi.Reply(511), False, True),
        (agi.Reply(510), False, False),
    ],
)
def test_what_a_reply_means(reply: agi.Reply, timed_out: bool, gone: bool) -> None:  # noqa: FBT001
    assert (reply.timed_out, reply.channel_gone) == (timed_out, gone)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n",
        b"\n",
        b"\0\n",
        b"agi_request\n",
        b"agi_request: a\nagi_request: b\n",
        b"AGI_REQUEST: a\n",
        b"agi_request: a\n" + b"x" * (agi.MAX_LINE + 2),
        b"".join(b"agi_arg_%d: x\n" % number for number in range(agi.MAX_ENVIRONMENT_LINES + 1)),
        b"".join(b"agi_arg_%d: %s\n" % (number, b"x" * 4000) for number in range(9)),
        b"agi_request: a\n\nhello\n",
        b"agi_request: a\n\n200 OK\n",
        b"agi_request: a\n\n20 result=1\n",
        b"agi_request: a\n\n520-x\n" + b"x\n" * (agi.MAX_USAGE_LINES + 1),
    ],
)
def test_garbage_is_an_error_and_stays_one(garbage: bytes) -> None:
    server = agi.Server()
    with pytest.raises(agi.ProtocolError):
        server.feed(garbage)
    with pytest.raises(agi.ProtocolError):
        server.feed(b"agi_request: a\n\n")


@pytest.mark.parametrize(
    "sent", [b"", b"agi_request: a\n", b"agi_request: a\n\n200 res", b"agi_request: a\n\n520-x\n"]
)
def test_an_end_amid_a_message_is_an_error(sent: bytes) -> None:
    server = agi.Server()
    server.feed(sent)
    with pytest.raises(agi.ProtocolError):
        server.end()


def test_an_end_after_a_reply_is_none() -> None:
    server = agi.Server()
    server.feed(STREAM)
    server.end()


@pytest.mark.parametrize(
    "start", [b"", b"agi_request: ", b"agi_request: a\n\n", b"agi_request: a\n\n200 result="]
)
@pytest.mark.parametrize("size", [1, 4096, 1_000_000])
def test_a_line_without_end_never_fills_memory(start: bytes, size: int) -> None:
    for side in (agi.Server(), agi_client.Client()):
        pieces = [start, *[b"x" * size] * (1 + 20_000 // size)]
        tracemalloc.start()
        try:
            result = feed_all(side, pieces)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert isinstance(result, str)
        assert peak < 4 * size + 200_000


def test_control_characters_of_a_caller_are_replaced() -> None:
    (environment,) = agi.Server().feed(b"agi_calleridname: a\0b\x1b[31m\xff\n\n")
    assert isinstance(environment, agi.Environment)
    assert environment["agi_calleridname"] == "a\ufffdb\ufffd[31m\ufffd"


def test_a_command_of_too_many_words_is_an_error() -> None:
    with pytest.raises(agi.ProtocolError):
        agi_client.Client().feed(b"x " * 200 + b"\n")
    with pytest.raises(Invalid):
        agi.command("X", values=["y"] * 200)
