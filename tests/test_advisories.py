"""No library that is locked has a fault that `advisories.json` knows. That file is older than most of the versions that are locked, so
this keeps anybody from going back to a version with a fault; what was found since, `script/audit` asks over the network."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.advisories import LOCK_FILES, TOP, Fault, faults_of, known, locked


@pytest.mark.parametrize("file", LOCK_FILES)
def test_no_locked_version_has_a_known_fault(file: str) -> None:
    as_of, faults = known()
    assert date.fromisoformat(as_of)
    versions: dict[str, str] = {
        canonicalize_name(entry.name): next(iter(entry.specifier)).version for entry in locked(file)
    }
    found = [
        (fault.package, versions[fault.package], fault.names)
        for fault in faults
        if fault.package in versions and fault.is_in(versions[fault.package])
    ]
    assert found == []


def test_a_version_of_before_would_be_found() -> None:
    """As of what these libraries were once: the file is not empty, and is read."""
    _, faults = known()
    for package, version in (("starlette", "0.26.0"), ("jinja2", "2.11.2"), ("urllib3", "1.26.4")):
        assert [fault for fault in faults if fault.package == package and fault.is_in(version)], package


def record(*events: dict[str, str], versions: tuple[str, ...] = (), **more: object) -> list[Fault]:
    ranges = [{"type": "ECOSYSTEM", "events": list(events)}] if events else []
    package = {"name": "Some_Library", "ecosystem": "PyPI"}
    affected = [{"package": package, "ranges": ranges, "versions": list(versions)}]
    return list(faults_of({"id": "X-1", "aliases": ["CVE-1"], "affected": affected} | more))


@pytest.mark.parametrize(
    ("found", "has", "has_not"),
    [
        (record({"introduced": "0"}, {"fixed": "1.10"}), ["0.1", "1.9", "1.10rc1"], ["1.10", "2"]),
        (record({"introduced": "2"}, {"fixed": "2.1"}, {"introduced": "1"}, {"fixed": "1.4"}), ["1.3", "2.0.9"], ["0.9", "1.4", "2.1"]),
        (record({"introduced": "1"}, {"last_affected": "1.2"}), ["1", "1.2"], ["1.2.1", "0.9"]),
        (record({"introduced": "3"}), ["3", "99"], ["2.9"]),
        (record(versions=("1.0", "1.1")), ["1.0", "1.1"], ["1.2"]),
        (record({"introduced": "0"}, withdrawn="2024-01-01T00:00:00Z"), [], ["1"]),
    ],
)  # fmt: skip
def test_a_record_is_read_as_it_is_meant(found: list[Fault], has: list[str], has_not: list[str]) -> None:
    assert {fault.package for fault in found} <= {"some-library"}
    assert [version for version in (*has, *has_not) if any(fault.is_in(version) for fault in found)] == has


def test_what_could_not_be_asked_is_not_taken_for_good(tmp_path: Path) -> None:
    """pip-audit ends so when PyPI, or a mirror of it, tells nothing of a library."""
    program = tmp_path / ".roost" / "audit-venv" / "bin" / "pip-audit"
    for file in (program, *(tmp_path / name for name in ("script/audit", "tests/advisories.json"))):
        file.parent.mkdir(parents=True, exist_ok=True)
    for name in ("script/audit", "tests/advisories.json", *LOCK_FILES):
        shutil.copy(TOP / name, tmp_path / name)
    program.write_text('#!/bin/sh\ncase " $* " in *" --strict "*) exit 1;; esac\n')
    program.chmod(0o755)
    ended = subprocess.run(
        [tmp_path / "script" / "audit"], capture_output=True, text=True, timeout=30, check=False
    )
    assert (ended.returncode, "not asked" in ended.stderr) == (1, True), ended
