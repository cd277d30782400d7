"""`roost setup` and `roost run`: what an operator starts from, and how processes are started."""

from __future__ import annotations

import configparser
import re
import stat
import sys
from pathlib import Path

from roost.pbx.kinds import kinds
from roost.settings import Settings
from tests.cli.command import Run
from workers.connection_limit import OTHERS
from workers.kit.files import unit, unit_file
from workers.processes import PROCESSES

TOP = Path(__file__).parents[2]


def files_in(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_setup_writes_what_an_operator_starts_from(bare_roost: Run, folder: Path) -> None:
    ended = bare_roost("setup", "place")
    assert (ended.exit_code, ended.err) == (0, "")
    place = folder / "place"
    assert files_in(place).keys() == {
        ".env", "Procfile", "systemd/roost.target", *(f"systemd/{unit_file(kind)}" for kind in PROCESSES),
        *(f"{kind}/{source.name}" for kind in kinds() if (TOP / kind).is_dir() for source in (TOP / kind).iterdir()),
    }  # fmt: skip
    assert stat.S_IMODE((place / ".env").stat().st_mode) == 0o600
    assert "db init" in ended.out
    assert all(unit(kind) in ended.out for kind in PROCESSES)


def test_the_env_file_has_keys_of_its_own_and_names_what_is_to_be_filled_in(
    bare_roost: Run, folder: Path
) -> None:
    ended = [bare_roost("setup", name) for name in ("one", "two")]
    one, two = (Settings(_env_file=folder / name / ".env") for name in ("one", "two"))  # type: ignore[call-arg]  # pydantic-settings' own
    assert one.seal_public_key != two.seal_public_key
    for settings in (one, two):
        assert settings.database_url is None
        secrets = (settings.need("seal_private_key"), settings.need("code_pepper"))
        assert not any(secret in each.out + each.err for secret in secrets for each in ended)
    text = (folder / "one" / ".env").read_text()
    named = re.findall(r"^#(ROOST_\w+)=", text, re.MULTILINE)
    assert {"ROOST_DATABASE_URL", "ROOST_BROKER_URL"} <= set(named)
    assert {name.removeprefix("ROOST_").lower() for name in named} <= Settings.model_fields.keys()


def test_what_is_there_stays_and_the_difference_is_shown(bare_roost: Run, folder: Path) -> None:
    bare_roost("setup", "place")
    place = folder / "place"
    (place / "Procfile").write_text("mine: sleep 1\n")
    (place / ".env").write_text("ROOST_CODE_PEPPER=hunter2\n")
    before = files_in(place)
    ended = bare_roost("setup", "place")
    assert ended.exit_code == 1
    assert "-mine: sleep 1" in ended.out
    assert "hunter2" not in ended.out + ended.err
    assert "--replace" in ended.err
    assert files_in(place) == before

    assert bare_roost("setup", "place", "--replace").exit_code == 0
    after = files_in(place)
    assert "run bind" in after["Procfile"]
    assert after[".env"] == before[".env"]
    assert bare_roost("setup", "place").exit_code == 0


def test_each_unit_runs_its_process_with_files_enough_and_no_rights(bare_roost: Run, folder: Path) -> None:
    assert bare_roost("setup", "place", "--user", "phones").exit_code == 0
    most = Settings().web_max_connections + Settings().center_max_calls * 2 + OTHERS
    for kind in PROCESSES:
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]  # the way configparser keeps capital letters
        parser.read(folder / "place" / "systemd" / unit_file(kind))
        service = parser["Service"]
        assert service["ExecStart"] == f"{Path(sys.executable).with_name('roost')} run {kind}"
        assert service["WorkingDirectory"] == str(folder / "place")
        assert service["User"] == "phones"
        assert service["Type"] == "notify"
        assert int(service["LimitNOFILE"]) > most
        assert service["CapabilityBoundingSet"] == ""
        assert service["NoNewPrivileges"] == "yes"
        assert parser["Install"]["WantedBy"] == "roost.target"


def test_a_folder_that_cannot_be_written_is_named(bare_roost: Run, folder: Path) -> None:
    (folder / "file").touch()
    ended = bare_roost("setup", "file")
    assert ended.exit_code == 7
    assert f"{folder}/file: File exists" in ended.err
    ended = bare_roost("setup", "with space")
    assert ended.exit_code == 2
    assert "Take another folder" in ended.err
    assert not (folder / "with space").exists()


def test_run_takes_the_processes_there_are(bare_roost: Run) -> None:
    assert bare_roost("run", "bindd").exit_code == 2
    ended = bare_roost("run", "beat", "--concurrency", "2")
    assert ended.exit_code == 2
    assert "bind and verify" in ended.err
