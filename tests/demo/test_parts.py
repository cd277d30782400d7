"""What the demo counts, believes and keeps."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from demo.asterisk_pbx import AsteriskPbx
from demo.cast import NOWHERE, Cast, wrong_code
from demo.checks import Checks
from demo.folder import DataFolder, DemoFailed
from demo.kamailio_pbx import KamailioPbx
from demo.pbx import SimulatedPbx, homes

HOMES = homes(SimulatedPbx.layout)


def test_one_wrong_step_among_right_ones_is_a_failure() -> None:
    told: list[tuple[bool, str]] = []
    checks = Checks(lambda right, what: told.append((right, what)))
    checks.check(True, "first", quietly=True)
    checks.check(False, "second", quietly=True)
    checks.check(True, "third")
    assert not checks.all_right
    assert checks.summary == "demo: 2 checks passed, 1 failed"
    assert told == [(False, "second"), (True, "third")]


def test_a_demo_that_checked_nothing_is_a_failure() -> None:
    assert not Checks(lambda *_: None).all_right


def test_where_everybody_rings_while_seats_are_taken() -> None:
    cast = Cast(HOMES)
    view = cast.view({"teds-extra": "001", "meeting-room": "002"})
    assert view.rings == {
        "001": "n2/teds-extra",
        "002": "n3/meeting-room",
        "003": "n3/front-desk",
        "004": NOWHERE,
    }
    assert view.speaks == {
        "johns-phone": "001",
        "teds-extra": "001",
        "front-desk": "003",
        "meeting-room": "002",
    }


def test_every_kind_of_node_has_the_same_phones() -> None:
    assert set(homes(AsteriskPbx.layout)) == set(homes(KamailioPbx.layout)) == set(HOMES)


def test_a_wrong_code_is_never_the_right_one() -> None:
    assert all(wrong_code(code) != code for code in ("000000", "999999", "000001") for _ in range(1000))
    assert {len(wrong_code("000000")) for _ in range(1000)} == {6}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    monkeypatch.setenv("TMPDIR", os.environ.get("TMPDIR", "/tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    return DataFolder(tmp_path / "demo")


def test_data_is_kept_after_an_orderly_end_and_the_rest_is_not(folder: DataFolder) -> None:
    folder.take()
    for name in ("postgres", "roost"):
        (folder.path / name).mkdir()
        (folder.path / name / "some.log").touch()
        (folder.path / name / "data").touch()
    folder.write_secret(folder.environment_file, "secret")
    folder.finished()
    assert not folder.environment_file.exists()
    folder.release()

    folder.take()
    assert (folder.path / "postgres" / "data").exists()
    assert not (folder.path / "postgres" / "some.log").exists()
    assert not (folder.path / "roost").exists()


def test_after_any_other_end_the_data_begins_anew(folder: DataFolder) -> None:
    folder.take()
    (folder.path / "postgres").mkdir()
    folder.finished()
    folder.release()
    folder.take()
    folder.release()
    folder.take()
    assert not (folder.path / "postgres").exists()


def test_a_full_disk_is_named(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**7))
    with pytest.raises(DemoFailed, match="10 MB free"):
        folder.take()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DemoFailed, match="Not a directory"):
        DataFolder(tmp_path / "file" / "demo").take()
