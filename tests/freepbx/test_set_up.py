"""A FreePBX that is there already: its desks are imported, and doctor says what is not as it should be."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from roost.directory import Directory
from roost.pbx.freepbx import KIND
from roost.pbx.freepbx.adapter import FreepbxNode
from roost.pbx.freepbx.options import FreepbxOptions
from roost.pbx.kinds import Examined
from tests.freepbx.house import AD_HOC, Mixed


def roost(house: Mixed, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROOST_")}
    environment = kept | {"PYTHONPATH": house.product.import_path} | house.product.environment
    return subprocess.run(
        [sys.executable, "-m", "workers.cli.main", *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, cwd=folder, env=environment,
    )  # fmt: skip


def test_the_desks_of_a_box_are_shown_added_and_the_second_time_nothing_changes(
    mixed: Mixed, tmp_path: Path
) -> None:
    mixed.reset()
    mixed.world.organization()
    box = mixed.box()
    box.tell({"/DEVICE/1002/user": "1001", "/AMPUSER/1002/device": None, "/AMPUSER/1001/device": "1001&1002"})
    asked = ("import", "--from-node", "f1", "--org", "0001")
    refused = roost(mixed, tmp_path, *asked)
    assert refused.returncode != 0
    assert f"The device {AD_HOC} has no user of its own: make it fixed" in refused.stderr
    assert f"The user {AD_HOC} has no device" in refused.stderr
    assert Directory(mixed.database).phones() == []

    shown = roost(mixed, tmp_path, *asked, "--leave-out", "--dry-run").stdout
    assert "line 2: add extension 0001*1001; name: - → Person 1001" in shown
    assert "line 3: add phone 1002; base: - → 0001*1002; " in shown
    assert Directory(mixed.database).phones() == []

    said = roost(mixed, tmp_path, *asked, "--leave-out").stdout
    assert "2 desks: extensions 2 added, 0 changed; phones 2 added, 0 changed." in said
    found = Directory(mixed.database).phone("1002")
    assert (found.node, found.base, found.emergency_number, found.emergency_location) == (
        "f1", "0001*1002", "+15551002", "Desk 1002",
    )  # fmt: skip
    said = roost(mixed, tmp_path, *asked, "--leave-out").stdout
    assert "2 desks: extensions 0 added, 0 changed; phones 0 added, 0 changed." in said
    # What Roost was told of is as FreePBX has it by itself: each user rings at its own device alone.
    mixed.settled()
    mixed.audit()
    assert box.ask(["/DEVICE/1002/user", "/AMPUSER/1001/device", "/AMPUSER/1002/device"]) == {
        "/DEVICE/1002/user": "1002", "/AMPUSER/1001/device": "1001", "/AMPUSER/1002/device": "1002",
    }  # fmt: skip


def test_a_node_without_desks_of_its_own_says_so(mixed: Mixed, tmp_path: Path) -> None:
    assert "[no_desks]" in roost(mixed, tmp_path, "import", "--from-node", "n1", "--org", "0001").stderr


def test_what_the_box_does_not_know_is_refused_with_what_to_do_and_nothing_is_half_written(
    mixed: Mixed,
) -> None:
    directory = Directory(mixed.database)
    directory.add_extension("0001*1003")
    directory.add_phone("1003", organization="0001", node="f2", base="0001*1003")
    mixed.settled()
    with closing(KIND.open(mixed.box().control, 5)) as node:
        assert node.read([("e", "0001*1003"), ("p", "1003")]) == {}
    refused = mixed.world.rows("SELECT key, reason FROM node_refused_row ORDER BY key")
    assert ("e/0001*1003", "FreePBX has no user 1003: add it there.") in refused
    box = mixed.box()
    assert box.ask(["/DEVICE/1003/user", "/AMPUSER/1003/device"]) == {}

    box.tell({"/AMPUSER/1003/cidnum": "1003"})
    mixed.audit()
    (reason,) = mixed.world.rows(
        "SELECT reason FROM node_refused_row r JOIN pbx_node n ON n.id = node_id WHERE name = 'f1' AND key = 'e/0001*1003'"
    )
    assert "FreePBX has no device 1003" in reason[0]
    assert "PJSIP/*1003@f2" in reason[0]
    box.tell({"/DEVICE/1003/dial": "PJSIP/*1003@f2", "/DEVICE/1003/user": "1003"})
    mixed.audit()
    assert box.ask(["/AMPUSER/1003/device"]) == {"/AMPUSER/1003/device": "1003"}
    box.tell({"/DEVICE/1003/dial": None, "/DEVICE/1003/user": None, "/AMPUSER/1003/cidnum": None})


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
            "/AMPUSER/1001/cidname": "Somebody",
            "/DEVICE/1001/emergency_cid": "+15550000",
        }
    )
    box.set_global("ROOST_NODE", "f9")
    said = "\n".join(examined(mixed))
    assert "Nobody speaks at 1002: no emergency call goes out there." in said
    assert "Users with several devices: 1101;" in said
    assert "FreePBX's keys differ from Roost's: e/0001*1001, e/0001*1101, p/1002." in said
    assert "Devices that Roost does not know: 1234;" in said
    assert "Users named otherwise in Roost: 1001;" in said
    assert "Devices with another emergency number in Roost: 1001;" in said
    assert "Its dialplan says that it is f9 (ROOST_NODE)." in said

    box.set_global("ROOST_NODE", "f1")
    box.tell({"/DEVICE/1234/dial": None})
    box.cli("dialplan remove extension *30@from-internal-noxfer-custom")
    assert any("Something else has the feature code *30" in finding for finding in examined(mixed))
    box.cli("dialplan reload")
    mixed.box().set_centers(*mixed.product.centers)


def test_it_is_seen_whether_a_module_is_loaded(mixed: Mixed) -> None:
    with closing(KIND.connect(mixed.box().control, FreepbxOptions(), 5)) as node:
        assert isinstance(node, FreepbxNode)
        assert [node.has_loaded(module) for module in ("res_agi", "res_of_nobody")] == [True, False]


def examined(house: Mixed) -> list[str]:
    address = house.box().control
    with closing(KIND.open(address, 5)) as node:
        found = KIND.examine(Examined("f1", address, KIND.parse(address.options), node.inside, "*30"))
        return [finding.says for finding in found]
