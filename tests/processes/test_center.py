"""A call to `*30` through every process: center, RabbitMQ, verify, bind, PostgreSQL, push, three nodes."""

from __future__ import annotations

import socket
import tomllib
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest

from roost.moves.outcomes import Outcome
from roost.moves.requests import Dial, Return, Virtualize
from roost.pbx import agi_client
from roost.pbx.node import ActsAs, Rings
from tests.cluster import Cluster, wait_until
from tests.stopwatch import stopwatch
from tests.world import new_id
from workers.center import prompts
from workers.center.server import CALLS_OF_ONE_PHONE


@pytest.fixture
def office(cluster: Cluster) -> Cluster:
    return cluster.office("001", "002", "003", "004", nodes=("n1", "n2", "n3"))


def code(cluster: Cluster, number: str) -> str:
    return cluster.world.codes["0001", number]


def test_a_call_moves_an_extension_on_every_node(office: Cluster) -> None:
    heard = office.call("desk002", "*30001", code(office, "001"), node="n2")
    assert heard.outcome == "virtualized"
    assert heard.prompts == ["agent-pass", "agent-loginok", "extension", "001"]
    office.settled()
    for node in ("n1", "n2", "n3"):
        holds = office.node_holds(node)
        assert holds["e", "0001*001"] == Rings("0001*001", "n2", "desk002")
        assert holds["e", "0001*002"] == Rings("0001*002", None, None)
        phone = holds["p", "desk002"]
        assert isinstance(phone, ActsAs)
        assert phone.number == "001"


@pytest.mark.parametrize("missing", [["agent-pass"], ["agent-loginok"], ["*"]])
def test_a_recording_that_is_missing_is_no_hang_up(office: Cluster, missing: list[str]) -> None:
    """The code is taken all the same, and what was done is left for the dialplan as done."""
    heard = office.call("desk002", "*30001", code(office, "001"), missing=missing)
    assert heard.outcome == "virtualized"
    assert office.world.rings("001") == "desk002"
    assert "001" in heard.prompts


def test_each_outcome_sounds_unlike_every_other_and_is_not_the_beginning_of_one() -> None:
    sounds = dict(prompts._CORE_SOUNDS)
    sounds[Outcome.WRONG_CODE] += (prompts.ASK_CODE,)
    for (one, heard), (other, longer) in permutations(sounds.items(), 2):
        assert longer[: len(heard)] != heard, (one, other)


def test_each_recording_that_the_center_plays_has_its_text() -> None:
    texts = tomllib.loads(Path("asterisk/recordings.en.toml").read_text())
    played = {prompts.ask_prompt("roost/"), prompts.wrong_prompt("roost/")}
    for outcome in prompts._CORE_SOUNDS:
        recording, *number = prompts.prompts_of(outcome, "roost/")
        played.add(recording)
        assert texts[outcome].endswith("extension") == bool(number)
    assert played == {f"roost/{name}" for name in texts}


def test_star_30_undoes_it_through_the_other_center(office: Cluster) -> None:
    office.call("desk002", "*30001", code(office, "001"))
    assert office.call("desk002", "*30", center=1).outcome == "returned"
    office.settled()
    assert office.node_holds("n3")["e", "0001*001"] == Rings("0001*001", "n1", "desk001")


def test_three_wrong_codes_drop_the_call(office: Cluster) -> None:
    heard = office.call("desk002", "*30001", "0", "", "12345678901")
    assert heard.outcome == "dropped"
    assert heard.prompts[:3] == ["agent-pass", "vm-incorrect", "agent-pass"]


def test_a_call_is_answered_once_there_is_something_to_say(office: Cluster) -> None:
    """A phone that keys a stored code begins then, and Asterisk drops what is keyed before the center asks for it."""
    office.world.sit("001", "desk002")
    host, _, port = office.product.centers[0].partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(agi_client.environment({"agi_uniqueid": new_id()}, ["n1", "desk002", "*30"]))
        assert connection.recv(100) == b"ANSWER\n"
        assert office.world.guests() == {}


@pytest.mark.parametrize(
    ("keyed", "asked_for"),
    [
        (["1234 (timeout)"], ["8"]),
        (["12345678"], ["8"]),
        (["12"], ["8"]),  # and a #
        (["12 (timeout)", "3 (timeout)", "45678"], ["8", "6", "5"]),
        (["12 (timeout)", "34 (timeout)"], ["8", "6"]),
        (["12 (timeout)", " (timeout)"], ["8", "6"]),
        ([" (timeout)", "1 (timeout)", " (timeout)"], ["8", "8", "7"]),
        ([" (timeout)", " (timeout)"], ["8", "8"]),
        ([""], ["8"]),
    ],
)
def test_one_command_hears_a_code_and_another_comes_only_while_it_is_too_short(
    office: Cluster, keyed: list[str], asked_for: list[str]
) -> None:
    """Each digit has 3 seconds, and before the fourth as many again."""
    host, _, port = office.product.centers[0].partition(":")
    asked: list[tuple[str, ...]] = []
    codec, keys = agi_client.Client(), iter(keyed)
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(agi_client.environment({"agi_uniqueid": new_id()}, ["n1", "desk002", "*30001"]))
        while (not asked or asked[-1][0] != "STREAM") and (data := connection.recv(4096)):
            for command in codec.feed(data):
                asked.append(command.words)
                digits = next(keys) if command.words[:2] == ("GET", "DATA") else "0"
                connection.sendall(agi_client.reply(digits))
    questions = [words[3:] for words in asked if words[:2] == ("GET", "DATA")]
    assert questions == [("3000", most) for most in asked_for]
    assert asked[-1][:3] == ("STREAM", "FILE", "vm-incorrect")


def test_the_tries_of_one_call_through_two_centers_are_still_three(office: Cluster) -> None:
    once = new_id()
    with ThreadPoolExecutor(2) as callers:
        both = list(
            callers.map(
                lambda center: office.call("desk002", "*30001", "0", "0", "0", center=center, uniqueid=once),
                (0, 1),
            )
        )
    assert {heard.outcome for heard in both} == {"dropped"}
    assert office.world.value("SELECT tries FROM call") == 3
    assert office.world.value("SELECT failed_codes FROM extension WHERE number = '001'") == 3


def test_one_star_30_delivered_five_times_at_once_is_one_return_with_five_equal_answers(
    office: Cluster,
) -> None:
    office.world.sit("001", "desk002")
    office.world.sit("002", "desk003")
    request = Dial(request_id=new_id(), call="n1/1", phone="desk002", made_at=office.world.now())
    task = ("roost.dial", request)
    with ThreadPoolExecutor(5) as callers:
        answers = list(callers.map(lambda _: office.client.submit(*task).result(), range(5)))
    again = office.client.call(*task)
    assert {(a.outcome, a.extension, a.phone) for a in [*answers, again]} == {
        ("returned", "0001*001", "desk002")
    }
    assert office.world.guests() == {"desk003": "002"}


def test_every_refusal_has_the_same_code_by_call_and_by_task(office: Cluster) -> None:
    world = office.world
    world.organization("0002")
    world.desk("009", organization="0002")
    world.desk("005", allows=False)
    world.desk("006", code=False)
    world.sit("001", "desk002")
    world.sql("UPDATE extension SET locked_until = now() + interval '1 hour' WHERE number = '004'")
    world.desk("007")
    world.sql("UPDATE phone SET locked_until = now() + interval '1 hour' WHERE name = 'desk007'")
    expected = [
        ("ghost", "001", "unknown_phone"),
        ("desk001", "099", "unknown_extension"),
        ("desk001", "009", "unknown_extension"),
        ("desk002", "001", "already_here"),
        ("desk005", "002", "not_allowed"),
        ("desk002", "003", "occupied"),
        ("desk003", "006", "no_code"),
        ("desk007", "003", "phone_locked"),
        ("desk003", "004", "locked"),
    ]
    by_call = [(phone, number, office.call(phone, f"*30{number}").outcome) for phone, number, _ in expected]
    by_task = [
        (phone, number, office.client.call("roost.virtualize", _move(office, phone, number)).outcome.value)
        for phone, number, _ in expected
    ]
    assert by_call == expected
    # An administrator is not stopped by the wrong codes of strangers.
    assert by_task == [
        *expected[:-2], ("desk007", "003", "virtualized"), ("desk003", "004", "virtualized"),
    ]  # fmt: skip


def test_a_bind_that_waited_too_long_moves_nobody(office: Cluster) -> None:
    workers = list(office.product.of_kind("bind"))
    for worker in workers:
        worker.pause()
    try:
        move = _move(office, "desk002", "001", waited=57)
        future = office.client.submit("roost.virtualize", move, deadline=15)
        wait_until(
            lambda: (office.world.now() - move.made_at).total_seconds() > 60.5,
            "the request is too old",
        )
    finally:
        for worker in workers:
            worker.resume()
    assert future.result().outcome == "expired"
    assert office.world.guests() == {}


def _move(office: Cluster, phone: str, number: str, waited: float = 0) -> Virtualize:
    return Virtualize(
        request_id=new_id(), origin="api", made_at=office.world.now() - timedelta(seconds=waited),
        organization="0001" if phone != "ghost" else None, phone=phone, number=number,
    )  # fmt: skip


def test_a_return_by_name(office: Cluster) -> None:
    office.world.sit("001", "desk002")
    request = Return(
        request_id=new_id(), origin="web", made_at=office.world.now(), organization="0001", number="001"
    )
    assert office.client.call("roost.return", request).outcome == "returned"


@pytest.mark.parametrize(
    "dialled", ["*30abc", "*30" + "1" * 17, "*30001\u0661", "*30 001", "*30-1", "*30%00"]
)
def test_malformed_dial_strings_are_refused(office: Cluster, dialled: str) -> None:
    assert office.call("desk002", dialled).outcome == "bad_request"


@pytest.mark.parametrize("dialled", ["", "30", "*31001"])
def test_another_feature_code_is_told_to_the_dialplan(office: Cluster, dialled: str) -> None:
    assert office.call("desk002", dialled).outcome == "feature_code_differs"


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\xff" * 500,
        b"agi_network: yes\n",
        b"a" * 1_000_000,
        b"",
        b"agi_x: y\n" * 100_000,
    ],
    ids=["http", "binary", "half", "megabyte", "nothing", "endless"],
)
def test_a_client_that_sends_garbage_is_closed_and_the_center_lives(office: Cluster, garbage: bytes) -> None:
    host, _, port = office.product.centers[0].partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        try:
            connection.sendall(garbage)
            assert connection.recv(100) == b""
        except ConnectionError:
            pass  # closed while we were still sending: what we wanted to see
    assert office.call("desk002", "*30").outcome == "nothing_to_return"


def test_the_end_of_a_call_is_noticed_within_a_second(office: Cluster) -> None:
    host, _, port = office.product.centers[0].partition(":")
    before = _ended(office)
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(agi_client.environment({"agi_uniqueid": new_id()}, ["n1", "desk002", "*30001"]))
        connection.recv(100)
        connection.sendall(agi_client.reply("0"))
        assert b"GET DATA" in connection.recv(100)
        connection.sendall(agi_client.HANGUP)
        with stopwatch() as seconds:
            assert connection.recv(100) == b""
            wait_until(lambda: _ended(office) > before, "the center noticed the end")
            assert seconds() < 1


def _ended(office: Cluster) -> int:
    return office.product.processes["center1"].log.read_text().count("call_ended")


def test_hundreds_of_calls_at_once(cluster: Cluster) -> None:
    phones = [f"desk{number:03}" for number in range(1, 11)]
    office = cluster.office(*(phone[-3:] for phone in phones))
    with ThreadPoolExecutor(100) as callers:
        outcomes = list(
            callers.map(lambda n: office.call(phones[n % 10], "*30", center=n // 10 % 2).outcome, range(300))
        )
    assert outcomes == ["nothing_to_return"] * 300


def test_one_phone_takes_the_calls_of_nobody_else(office: Cluster) -> None:
    host, _, port = office.product.centers[0].partition(":")
    with ExitStack() as stack:
        for _ in range(CALLS_OF_ONE_PHONE):
            held = stack.enter_context(socket.create_connection((host, int(port)), timeout=10))
            held.sendall(agi_client.environment({"agi_uniqueid": new_id()}, ["n1", "desk001", "*30"]))
            assert b"ANSWER" in held.recv(100)
        further = office.call("desk001", "*30")
        assert (further.outcome, further.prompts) == ("unavailable", [])
        assert office.call("desk002", "*30").outcome == "nothing_to_return"
    wait_until(lambda: office.call("desk001", "*30").outcome == "nothing_to_return", "its calls are over")
