"""A FreePBX that is there already: its desks are imported, and doctor says what is not as it should be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from roost.directory import Directory
from roost.nodes.refused_rows import list_refused_rows
from roost.pbx.freepbx import KIND, doctor
from roost.pbx.freepbx.adapter import FreepbxNode
from roost.pbx.freepbx.options import FreepbxOptions
from roost.pbx.kinds import Examined
from roost.pbx.node import Rings
from roost.settings import Settings
from tests.cli.command import Run, runner
from tests.freepbx.mixed_office import AD_HOC, Mixed

#: What Asterisk, FreePBX or SIP would take for something else than text.
ODD = "&1002@n1|${EXTEN}"
#: Keys that nobody reads: of another case, of another family, deeper.
OF_NOBODY = dict.fromkeys(
    ("/AMPUSER/1003/DEVICE", "/ampuser/1003/device", "/DEVICES/1003/user", "/DEVICE/1003/x/user"), "1004"
)
#: What is in keys that somebody wrote by hand. `\udcfc` is a byte of Latin-1.
SPOILT: dict[str, str | None] = {
    "/AMPUSER/1003/device": "1003 & 1004",
    "/AMPUSER/1004/device": "1004&1004",
    "/AMPUSER/1101/device": "1102",
    "/AMPUSER/1102/device": "1102 ",
    "/AMPUSER/1103/device": "x" * 900,
    "/DEVICE/1003/user": "M\udcfcller",
    "/DEVICE/1004/user": "\N{FULLWIDTH DIGIT ONE}004",
    "/DEVICE/1101/user": "NONE",
    "/DEVICE/1102/user": None,
    **OF_NOBODY,
}


@pytest.fixture
def roost(mixed: Mixed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command with the settings of the house."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ROOST_{name.upper()}", raising=False)
    for name, value in mixed.product.environment.items():
        monkeypatch.setenv(name, value)
    yield from runner()


def test_the_desks_of_a_box_are_shown_added_and_the_second_time_nothing_changes(
    mixed: Mixed, roost: Run
) -> None:
    mixed.reset()
    mixed.world.organization()
    box = mixed.box()
    box.tell({"/DEVICE/1002/user": "1001", "/AMPUSER/1002/device": None, "/AMPUSER/1001/device": "1001&1002"})
    asked = ("import", "--from-node", "f1", "--org", "0001")
    refused = roost(*asked)
    assert refused.exit_code != 0
    assert f"The device {AD_HOC} has no user of its own: make it fixed" in refused.err
    assert f"The user {AD_HOC} has no device" in refused.err
    assert Directory(mixed.database).phones() == []

    shown = roost(*asked, "--leave-out", "--dry-run").out
    assert "line 2: add extension 0001*1001; name: - → Person 1001" in shown
    assert "line 3: add phone 1002; base: - → 0001*1002; " in shown
    assert Directory(mixed.database).phones() == []

    said = roost(*asked, "--leave-out").out
    assert "4 desks: extensions 4 added, 0 changed; phones 4 added, 0 changed." in said
    found = Directory(mixed.database).phone("1002")
    assert (found.node, found.base, found.emergency_number, found.emergency_location) == (
        "f1", "0001*1002", "+15551002", "Desk 1002",
    )  # fmt: skip
    said = roost(*asked, "--leave-out").out
    assert "4 desks: extensions 0 added, 0 changed; phones 0 added, 0 changed." in said
    # What Roost was told of is as FreePBX has it by itself: each user rings at its own device alone.
    mixed.settled()
    mixed.audit()
    assert box.ask(["/DEVICE/1002/user", "/AMPUSER/1001/device", "/AMPUSER/1002/device"]) == {
        "/DEVICE/1002/user": "1002", "/AMPUSER/1001/device": "1001", "/AMPUSER/1002/device": "1002",
    }  # fmt: skip


def test_what_can_be_no_desk_is_said_with_what_to_do_and_nothing_is_imported(
    mixed: Mixed, roost: Run
) -> None:
    mixed.reset()
    mixed.world.organization()
    box = mixed.box()
    odd = {"/AMPUSER/1&1/cidname": "x", "/DEVICE/1&1/dial": "PJSIP/1&1", "/DEVICE/1&1/default_user": "1&1"}
    box.tell(
        {
            "/DEVICE/1001/dial": "PJSIP/1001&PJSIP/1002",
            "/DEVICE/1002/default_user": "1101",
            "/AMPUSER/1102/cidname": ODD,
            "/AMPUSER/1003/cidname": "M\udcfcller",
            **odd,
        }
    )
    said = roost("import", "--from-node", "f1", "--org", "0001").err
    assert "The device 1001 does not dial PJSIP/1001: only such a phone can be moved to." in said
    assert "The user 1101 has the devices 1002, 1101: leave it one." in said
    assert "The user 1002 has no device: give it one" in said
    assert "The name of the user 1003, or of the device 1003 in emergency calls, is not in UTF-8" in said
    odd_left = roost("import", "--from-node", "f1", "--org", "0001", "--leave-out").err
    assert "bad_value" in odd_left
    assert Directory(mixed.database).phones() == []
    assert Directory(mixed.database).extensions() == []
    box.tell(dict.fromkeys(odd))
    assert "[no_desks]" in roost("import", "--from-node", "n1", "--org", "0001").err


def test_what_means_something_elsewhere_is_text_on_a_box(mixed: Mixed) -> None:
    Directory(mixed.database).change_extension("0001*1001", name=ODD)
    mixed.sit("1001", "1002")
    mixed.agree()
    box = mixed.box()
    right = {
        key: value
        for key, value in box.ask(list(box.as_set_up())).items()
        if key.endswith(("/user", "/device"))
    }
    box.tell({"/AMPUSER/1001/device": f"1001{ODD}", "/DEVICE/1002/user": f"1001{ODD}"})
    box.tell(SPOILT)
    mixed.audit()
    assert box.ask(list(right)) == right
    assert right["/AMPUSER/1001/device"] == "1002"
    assert right["/DEVICE/1002/user"] == "1001"
    mixed.reaches("1102", "1001", "1002")
    box.tell(dict.fromkeys(OF_NOBODY))


def test_what_the_box_does_not_know_is_refused_with_what_to_do_and_nothing_is_half_written(
    mixed: Mixed,
) -> None:
    directory = Directory(mixed.database)
    directory.add_extension("0001*1005", allows_virtualization=True)
    directory.add_phone("1005", organization="0001", node="f2", base="0001*1005")
    mixed.settled()
    with closing(KIND.open(mixed.box().control, 5)) as node:
        assert node.read([("e", "0001*1005"), ("p", "1005")]) == {}
    refused = mixed.world.rows("SELECT key, reason FROM node_refused_row ORDER BY key")
    assert ("e/0001*1005", "FreePBX has no user 1005: add it there.") in refused
    box = mixed.box()
    assert box.ask(["/DEVICE/1005/user", "/AMPUSER/1005/device"]) == {}

    box.tell({"/AMPUSER/1005/cidnum": "1005"})
    mixed.audit()
    (reason,) = mixed.world.rows(
        "SELECT reason FROM node_refused_row r JOIN pbx_node n ON n.id = node_id WHERE name = 'f1' AND key = 'e/0001*1005'"
    )
    assert "FreePBX has no device 1005" in reason[0]
    assert "PJSIP/*1005@f2" in reason[0]
    # Somebody sits down at the phone that this box does not know: it is told all but where that one rings.
    assert mixed.world.move("1001", "1005").outcome == "virtualized"
    mixed.settled()
    assert ("e/0001*1001",) in mixed.world.rows("SELECT key FROM node_refused_row")
    with closing(KIND.open(mixed.box().control, 5)) as node:
        assert node.read([("e", "0001*1001")]) == {("e", "0001*1001"): Rings("0001*1001", "f1", "1001")}
    assert box.ask(["/DEVICE/1001/user", "/AMPUSER/1001/device"]) == {
        "/DEVICE/1001/user": "1001", "/AMPUSER/1001/device": "1001",
    }  # fmt: skip

    box.tell({"/DEVICE/1005/dial": "PJSIP/*1005@f2", "/DEVICE/1005/user": "1005"})
    mixed.audit()
    assert box.ask(["/AMPUSER/1005/device", "/AMPUSER/1001/device", "/DEVICE/1005/user"]) == {
        "/AMPUSER/1001/device": "1005", "/DEVICE/1005/user": "1001",
    }  # fmt: skip
    box.tell({"/DEVICE/1005/dial": None, "/DEVICE/1005/user": None, "/AMPUSER/1005/cidnum": None})


def test_a_key_that_the_box_does_not_take_is_told_and_holds_up_nothing_else(mixed: Mixed) -> None:
    box, key = mixed.box(), "/DEVICE/1002/user"
    directory = Directory(mixed.database)
    with box.refusing(key):
        mixed.sit("1001", "1002")
        mixed.sit("1003", "1004")
        (row,) = list_refused_rows(mixed.database)
        assert (row.node, row.key) == ("f1", "p/1002")
        assert row.reason == "It did not take FreePBX's key DEVICE/1002/user: Failed to update entry."
        wanted = {"/AMPUSER/1001/device": "1002", "/AMPUSER/1003/device": "1004", "/DEVICE/1004/user": "1003"}
        assert box.ask([*wanted, "/AMPUSER/1002/device", key]) == wanted | {key: "1002"}
        assert mixed.box("f2").ask([*wanted, key]) == wanted | {key: "1001"}
    mixed.audit()
    assert box.ask([key]) == {key: "1001"}
    # So it is when the box is to have a phone back.
    with box.refusing(key):
        directory.remove_phone("1002")
        mixed.settled()
        assert [row.key for row in list_refused_rows(mixed.database)] == ["p/1002"]
        assert box.ask([key]) == {key: "1001"}
    mixed.audit()
    assert box.ask([key]) == {key: "1002"}
    assert list_refused_rows(mixed.database) == []


def test_doctor_finds_what_is_not_as_it_should_be(mixed: Mixed) -> None:
    mixed.sit("1001", "1002")
    mixed.world.sql("UPDATE pbx_node SET enabled = false")  # no audit mends it meanwhile
    assert examined(mixed) == []
    box = mixed.box()
    box.log_off("1002")
    box.tell(
        {
            "/AMPUSER/1101/device": "1101&1001",
            "/DEVICE/1234/dial": "PJSIP/1234",
            "/DEVICE/1234/user": "4711",
            "/DEVICE/1102/dial": "PJSIP/*1102@n1",
            "/AMPUSER/1001/cidname": "Somebody",
            "/DEVICE/1001/emergency_cid": "+15550000",
        }
    )
    box.set_global("ROOST_NODE", "f9")
    said = "\n".join(examined(mixed))
    assert "Nobody speaks at 1002, 1234: no call goes out there but to the emergency numbers" in said
    assert "Users with several devices: 1101;" in said
    assert "FreePBX's keys differ from Roost's: e/0001*1001, e/0001*1101, p/1002." in said
    assert "Devices that Roost does not know: 1234;" in said
    assert (
        "Devices that dial something else than the phone that Roost knows: 1102 (not PJSIP/*1102@f2)." in said
    )
    assert "Users named otherwise in Roost: 1001;" in said
    assert "Devices with another emergency number in Roost: 1001;" in said
    assert "Its dialplan says that it is f9 (ROOST_NODE)." in said

    box.set_global("ROOST_NODE", "f1")
    box.tell({"/DEVICE/1234/dial": None, "/DEVICE/1234/user": None})
    box.cli("dialplan remove extension *30@from-internal-noxfer-custom")
    assert any("Something else has the feature code *30" in finding for finding in examined(mixed))
    box.cli("dialplan reload")


def test_a_module_that_is_not_loaded_is_named(mixed: Mixed, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(KIND.connect(mixed.box().control, FreepbxOptions(), 5)) as node:
        assert isinstance(node, FreepbxNode)
        assert [node.has_loaded(module) for module in ("res_agi", "res_of_nobody")] == [True, False]
    monkeypatch.setitem(doctor._MODULES, "res_of_nobody", "nobody is called")
    assert examined(mixed) == ["The module res_of_nobody is not loaded: nobody is called."]


def examined(house: Mixed) -> list[str]:
    address = house.box().control
    with closing(KIND.open(address, 5)) as node:
        looked = Examined("f1", address, KIND.parse(address.options), node.inside, "*30", ("1001", "1002"))
        return [finding.says for finding in KIND.examine(looked)]
