"""`roost import`."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path

import pytest

from tests.cli.command import Run
from tests.world import World

DESKS = "organization,number,name,phone,node\n0001,001,John,desk001,n1\n0001,002,Ted,desk002,n1\n"


@pytest.fixture
def file(world: World, folder: Path) -> Path:
    world.organization()
    world.node()
    return folder / "desks.csv"


def test_a_file_is_shown_then_imported_then_has_nothing_new(roost: Run, file: Path) -> None:
    file.write_text(DESKS)
    shown = roost("import", "desks.csv", "--dry-run")
    assert (shown.exit_code, shown.out.splitlines()[0]) == (
        0,
        "line 2: add extension 0001*001; name: - → John",
    )
    assert shown.out.endswith("phones 2 added, 0 changed. Nothing was written (--dry-run).\n")
    assert roost("extension", "list", "--json").json == []
    assert "extensions 2 added" in roost("import", "desks.csv").out
    counts = roost("import", "desks.csv", "--json").json["counts"]
    assert sum(counts[name] for name in counts if name != "desks") == 0


def test_what_comes_from_a_pipe_is_imported(roost: Run, file: Path) -> None:
    assert "extensions 2 added" in roost("import", "-", stdin=DESKS).out
    again = roost("import", "-", stdin=roost("export", "-").out)
    assert again.out.startswith("2 desks: extensions 0 added, 0 changed; phones 0 added, 0 changed.")
    assert roost("import", "-", stdin=DESKS + "0001,00x,Bad,,\n").err.startswith("stdin:4: The short number")
    assert roost("import", "-", stdin="").err.endswith("It is empty. [bad_file]\n")
    ours, theirs = os.pipe()
    os.write(theirs, DESKS.replace("Ted", "Theo").encode())
    os.close(theirs)
    assert "extensions 0 added, 1 changed" in roost("import", f"/dev/fd/{ours}").out
    os.close(ours)


def test_bad_lines_are_named_and_nothing_is_imported(roost: Run, file: Path) -> None:
    file.write_text(DESKS + "0001,00x,Bad,,\n0009,001,Far,,\n")
    ended = roost("import", "desks.csv")
    assert ended.exit_code == 2
    assert ended.err.splitlines() == [
        "desks.csv:4: The short number must be 1 to 16 digits [bad_value]",
        "desks.csv:5: there is no organization 0009 [unknown_organization]",
        "error: The file has faults; nothing was imported. (2) [import_refused]",
    ]
    assert roost("extension", "list", "--json").json == []
    faults = json.loads(roost("import", "desks.csv", "--json").err)["error"]["faults"]
    assert [(fault["line"], fault["code"]) for fault in faults] == [
        (4, "bad_value"),
        (5, "unknown_organization"),
    ]


def test_a_file_that_is_none(roost: Run, file: Path) -> None:
    file.write_text("number;who\n1;x\n")
    assert roost("import", "desks.csv").err.endswith("[bad_file]\n")
    assert roost("import", "nothing.csv").exit_code == 2
    file.write_text(DESKS)
    assert roost("import", "desks.csv", "--encoding", "klingon").exit_code == 2


def test_what_is_exported_imports_again_unchanged(roost: Run, file: Path) -> None:
    file.write_text(DESKS.replace("John", "=John"))
    roost("import", "desks.csv")
    assert roost("export", "again.csv", "--org", "0001").out == "Written to again.csv.\n"
    assert "extensions 0 added, 0 changed; phones 0 added, 0 changed" in roost("import", "again.csv").out
    assert roost("export", "-").out.splitlines()[1] == "0001,001,'=John,,,no,desk001,n1,,"
    assert roost("export", "again.csv").err.endswith("[not_written]\n")
    assert roost("export", "-", "--org", "0009").exit_code == 4


def test_an_export_that_breaks_off_leaves_no_file_that_looks_whole(roost: Run, file: Path) -> None:
    file.write_text(DESKS)
    roost("import", "desks.csv")
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (30, allowed[1])
    )  # as a disk that is full: less than the first line has
    try:
        ended = roost("export", "again.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert ended.exit_code == 7
    assert "again.csv: File too large; nothing of it was kept" in ended.err
    assert roost("export", "again.csv").exit_code == 0
