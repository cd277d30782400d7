"""FILES.md names every room of the house, and no other."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
PAGE = (TOP / "FILES.md").read_text(encoding="utf-8")


def test_every_file_has_its_line_and_every_line_its_file() -> None:
    script = runpy.run_path(str(TOP / "script" / "files-table"))
    table = PAGE.partition(script["BEGIN"])[2].partition(script["END"])[0]
    listed, folder = set(), Path()
    for line in table.splitlines():
        if line.startswith("### "):
            folder = Path(line.strip("# `/"))
        elif line.startswith("| `"):
            listed.add(folder / line.split("`")[1])
    there = {path for path in script["rooms"]() if path.name != "__init__.py"}
    assert listed == there, "run script/files-table"


#: Where the files lie that operators put on their PBXes.
SIDES = ("asterisk", "freepbx", "kamailio")
NAMED = sorted(set(re.findall(rf"`((?:roost|tasks|workers|{'|'.join(SIDES)})/[\w./]+)`", PAGE)))


def test_every_file_for_a_pbx_is_named() -> None:
    there = {
        str(path.relative_to(TOP)) for side in SIDES for path in (TOP / side).iterdir() if path.is_file()
    }
    assert there <= set(NAMED)


@pytest.mark.parametrize("path", NAMED)
def test_what_the_page_points_to_is_there(path: str) -> None:
    assert (TOP / path).exists(), path


@pytest.mark.parametrize("section", re.findall(r'`schema.sql`, section "([^"]+)"', PAGE))
def test_the_schema_has_the_sections_that_the_page_names(section: str) -> None:
    titles = re.findall(r"^-- =+ (.*) =+$", (TOP / "schema.sql").read_text(encoding="utf-8"), re.MULTILINE)
    assert any(title.startswith(section) for title in titles)


def test_import_contracts_hold_for_every_package() -> None:
    contracts = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    assert {path.parent.name for path in TOP.glob("*/__init__.py")} == set(contracts["root_packages"])
