"""The simulator's answers are Asterisk's, word for word: one script, both play it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import pytest

from localcluster.asterisk import AMI_USER
from tests.conformance.asterisk.raw_ami import RawAmi
from tests.conformance.asterisk.target import TARGETS
from tests.conformance.targets import Target

pytestmark = pytest.mark.parametrize("target", TARGETS, indirect=True)

FAMILY = "Family: roost"
SUCCESS = "Response: Success\r\nActionID: 7"
ERROR = "Response: Error\r\nActionID: 7"
LIST_COMMANDS = "Use Action: ListCommands to show available commands."


@pytest.fixture
def stranger(target: Target) -> Iterator[RawAmi]:
    """A connection that has not logged in."""
    connection = RawAmi(target.address)
    yield connection
    connection.close()


@pytest.fixture
def ami(target: Target, stranger: RawAmi) -> RawAmi:
    """A connection that has, to a node that holds nothing of ours."""
    target.wipe()
    stranger.log_in(target.address)
    return stranger


def test_the_greeting(stranger: RawAmi) -> None:
    assert re.fullmatch(rb"Asterisk Call Manager/\d+\.\d+\.\d+", stranger.banner)


@pytest.mark.parametrize("action", ["Ping", "DBPut", "DBGetTree", "Nope"])
def test_nothing_is_allowed_before_the_login(stranger: RawAmi, action: str) -> None:
    assert stranger.ask(f"Action: {action}", "ActionID: 7") == f"{ERROR}\r\nMessage: Permission denied"


def test_a_challenge_answered_with_md5(stranger: RawAmi, target: Target) -> None:
    answer = stranger.ask("action: challenge", "authtype: md5", "actionid: 7")
    challenge = re.fullmatch(rf"{SUCCESS}\r\nChallenge: (\d+)", answer)
    assert challenge
    assert stranger.ask("Action: Challenge", "AuthType: MD5", "ActionID: 7") == answer
    secret = challenge[1] + target.address.secret.get_secret_value()
    key = hashlib.md5(secret.encode(), usedforsecurity=False).hexdigest()
    login = (
        "AuthType: MD5",
        f"Username: {AMI_USER}",
        f"Key: {key}",
        "Events: off",
        "ActionID: 7",
    )
    assert stranger.ask("Action: Login", *login) == f"{SUCCESS}\r\nMessage: Authentication accepted"
    assert stranger.ask("Action: Login", *login) == f"{SUCCESS}\r\nMessage: Already authenticated"


def test_another_challenge_than_md5(stranger: RawAmi) -> None:
    answer = stranger.ask("Action: Challenge", "AuthType: SHA", "ActionID: 7")
    assert answer == f"{ERROR}\r\nMessage: Must specify AuthType"


@pytest.mark.parametrize(
    "proof",
    [("Secret: wrong",), (), ("AuthType: MD5", "Key: d41d8cd98f00b204e9800998ecf8427e"), ("AuthType: MD5",)],
)
def test_a_wrong_login_is_told_so_and_the_connection_closed(
    stranger: RawAmi, target: Target, proof: tuple[str, ...]
) -> None:
    answer = stranger.ask("Action: Login", f"Username: {AMI_USER}", *proof, "ActionID: 7")
    assert answer == f"{ERROR}\r\nMessage: Authentication failed"
    assert stranger.message() == ""


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        (
            ("Action: DBPut", FAMILY, "Key: k", "Val: v"),
            f"{SUCCESS}\r\nMessage: Updated database successfully",
        ),
        (("Action: DBPut", FAMILY, "Key: k"), f"{SUCCESS}\r\nMessage: Updated database successfully"),
        (
            ("ACTION: dbput", "FAMILY: roost", "KEY: k"),
            f"{SUCCESS}\r\nMessage: Updated database successfully",
        ),
        (("Action: DBPut", "Key: k"), f"{ERROR}\r\nMessage: No family specified"),
        (("Action: DBPut", FAMILY), f"{ERROR}\r\nMessage: No key specified"),
        (("Action: DBGet", FAMILY, "Key: none"), f"{ERROR}\r\nMessage: Database entry not found"),
        (("Action: DBGet", FAMILY), f"{ERROR}\r\nMessage: No key specified."),
        (("Action: DBGet", "Key: k"), f"{ERROR}\r\nMessage: No family specified."),
        (("Action: DBDel", FAMILY, "Key: none"), f"{ERROR}\r\nMessage: Database entry could not be deleted"),
        (("Action: DBDel", FAMILY), f"{ERROR}\r\nMessage: No key specified."),
        (("Action: DBDel",), f"{ERROR}\r\nMessage: No family specified."),
        (("Action: DBDelTree",), f"{ERROR}\r\nMessage: No family specified."),
        (("Action: DBDelTree", "Family: none"), f"{ERROR}\r\nMessage: Database entry not found"),
        (("Action: Events", "EventMask: off"), f"{SUCCESS}\r\nEvents: Off"),
        (("Foo",), f"{ERROR}\r\nMessage: Missing action in request"),
        (
            ("Action: Nope",),
            f"{ERROR}\r\nMessage: Invalid/unknown command: Nope. {LIST_COMMANDS}",
        ),
        (("Action: Logoff",), "Response: Goodbye\r\nActionID: 7\r\nMessage: Thanks for all the fish."),
        (
            ("Action: DBPut", *[f"H{number}: x" for number in range(130)], FAMILY, "Key: k"),
            f"{ERROR}\r\nMessage: Too many lines in message or allocation failure",
        ),
    ],
)
def test_one_action_one_answer(ami: RawAmi, lines: tuple[str, ...], answer: str) -> None:
    first, *rest = lines
    assert ami.ask(first, "ActionID: 7", *rest) == answer


def test_without_an_action_id_none_comes_back(ami: RawAmi) -> None:
    assert ami.ask("Action: DBDelTree") == "Response: Error\r\nMessage: No family specified."


def test_a_ping(ami: RawAmi) -> None:
    assert re.fullmatch(
        rf"{SUCCESS}\r\nPing: Pong\r\nTimestamp: \d+\.\d{{6}}", ami.ask("Action: Ping", "ActionID: 7")
    )


def test_core_settings_name_the_version(ami: RawAmi) -> None:
    answer = ami.ask("Action: CoreSettings", "ActionID: 7")
    assert re.match(rf"{SUCCESS}\r\nAMIversion: [^\r]+\r\nAsteriskVersion: [^\r]+", answer)


@pytest.mark.parametrize(
    ("length", "fits"), [(1000, True), (1017, True), (1019, False), (1100, False), (5000, False)]
)
def test_a_line_has_at_most_1024_bytes(ami: RawAmi, length: int, fits: bool) -> None:  # noqa: FBT001
    answer = ami.ask("Action: DBPut", "ActionID: 7", FAMILY, "Key: k", "Val: " + "x" * length)
    too_long = f"{ERROR}\r\nMessage: Failed to parse message: line too long"
    assert answer == (f"{SUCCESS}\r\nMessage: Updated database successfully" if fits else too_long)


def test_get_is_a_list_of_one(ami: RawAmi) -> None:
    ami.ask("Action: DBPut", FAMILY, "Key: k", 'Val:  \t日本: ${X},"q"  ', "Val: second")
    assert ami.ask("Action: DBGet", "ActionID: 7", FAMILY, "Key: k") == (
        f"{SUCCESS}\r\nEventList: start\r\nMessage: Result will follow"
    )
    assert (
        ami.message()
        == 'Event: DBGetResponse\r\nFamily: roost\r\nKey: k\r\nVal: 日本: ${X},"q"  \r\nActionID: 7'
    )
    assert ami.message() == "Event: DBGetComplete\r\nActionID: 7\r\nEventList: Complete\r\nListItems: 1"


@pytest.mark.parametrize(
    ("below", "found"),
    [
        ((FAMILY,), ["/roost/a_c", "/roost/abc", "/roost/abc/x", "/roost/b"]),
        ((FAMILY, "Key: abc"), ["/roost/abc", "/roost/abc/x"]),
        ((FAMILY, "Key: a_c"), ["/roost/a_c", "/roost/abc", "/roost/abc/x"]),
        ((FAMILY, "Key: a%"), ["/roost/a_c", "/roost/abc", "/roost/abc/x"]),
        (("Family: ROOST", "Key: B"), ["/roost/b"]),
        ((FAMILY, "Key: none"), []),
    ],
)
def test_a_tree_is_found_as_sql_like_does_and_deleted_so(
    ami: RawAmi, below: tuple[str, ...], found: list[str]
) -> None:
    for key in ("b", "abc/x", "abc", "a_c"):
        ami.ask("Action: DBPut", FAMILY, f"Key: {key}", "Val: v")
    answer = ami.ask("Action: DBGetTree", "ActionID: 7", *below)
    assert answer == f"{SUCCESS}\r\nEventList: start\r\nMessage: Result will follow"
    for key in found:
        assert ami.message() == f"Event: DBGetTreeResponse\r\nKey: {key}\r\nVal: v\r\nActionID: 7"
    complete = f"Event: DBGetTreeComplete\r\nActionID: 7\r\nEventList: Complete\r\nListItems: {len(found)}"
    assert ami.message() == complete
    deleted = f"{SUCCESS}\r\nMessage: Key tree deleted successfully"
    none = f"{ERROR}\r\nMessage: Database entry not found"
    assert ami.ask("Action: DBDelTree", "ActionID: 7", *below) == (deleted if found else none)


def test_line_feeds_alone_will_do(ami: RawAmi) -> None:
    ami.send(b"Action: DBDelTree\nActionID: 7\n\n")
    assert ami.message() == f"{ERROR}\r\nMessage: No family specified."


def test_many_at_once_are_answered_in_order(ami: RawAmi) -> None:
    for number in range(100):
        ami.send(f"Action: DBPut\r\nActionID: {number}\r\nFamily: roost\r\nKey: k\r\n\r\n".encode())
    for number in range(100):
        assert ami.message().startswith(f"Response: Success\r\nActionID: {number}\r\n")
