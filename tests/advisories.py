"""Faults that are known in the libraries that are locked, kept in `advisories.json` beside this file: known without the network, and as old as it.

    python -m tests.advisories FOLDER

writes it anew from a checkout of the Python Packaging Advisory Database (github.com/pypa/advisory-database, CC-BY-4.0), whose records
are of the format OSV (ossf.github.io/osv-schema).
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

TOP = Path(__file__).parents[1]
FILE = Path(__file__).with_suffix(".json")
LOCK_FILES = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock")


class Fault(NamedTuple):
    """A record: of a package, known by these names, in these spans of versions (`[from, to]`; `to` is without it, null is no end), and in these."""

    package: str
    names: list[str]
    spans: list[tuple[str, str | None]]
    versions: list[str]

    def is_in(self, version: str) -> bool:
        """Whether a version has it."""
        here = Version(version)
        return version in self.versions or any(
            Version(begins) <= here and (ends is None or here < Version(ends)) for begins, ends in self.spans
        )


@cache
def locked(name: str) -> tuple[Requirement, ...]:
    """The entries of a lock file, without the files it names."""
    entries = (TOP / name).read_text().replace("\\\n", "").splitlines()
    return tuple(
        Requirement(entry.partition(" --hash=")[0]) for entry in entries if not entry.startswith("-r ")
    )


def faults_of(record: dict[str, Any]) -> Iterator[Fault]:
    """What an OSV record says of packages of PyPI; nothing when it was withdrawn."""
    if record.get("withdrawn"):
        return
    for affected in record.get("affected", ()):
        if affected["package"]["ecosystem"] == "PyPI":
            spans = [
                span
                for each in affected.get("ranges", ())
                if each["type"] == "ECOSYSTEM"
                for span in _spans(each["events"])
            ]
            names = [record["id"], *record.get("aliases", ())]
            # Where there are spans, the list only repeats them, as of when it was written.
            versions = [] if spans else affected.get("versions", [])
            yield Fault(canonicalize_name(affected["package"]["name"]), names, spans, versions)


def _spans(events: Iterable[dict[str, str]]) -> Iterator[tuple[str, str | None]]:
    """From each version in which it came to the one in which it went; of a last one that has it, the end is right behind it."""
    marks = sorted(
        ((kind, version) for event in events for kind, version in event.items()),
        key=lambda mark: Version(mark[1]),
    )
    for (kind, begins), (ending, ends) in pairwise([*marks, ("", "")]):
        if kind == "introduced":
            yield begins, f"{ends}.post0" if ending == "last_affected" else ends or None


def known() -> tuple[str, list[Fault]]:
    """The day of what is known, and what is."""
    kept = json.loads(FILE.read_text())
    return kept["as_of"], [Fault(*fault) for fault in kept["faults"]]


def _write(folder: Path) -> None:
    packages = {canonicalize_name(entry.name) for file in LOCK_FILES for entry in locked(file)}
    of_ours = sorted(file for package in packages for file in (folder / "vulns" / package).glob("*.yaml"))
    faults = [
        fault
        for file in of_ours
        for fault in faults_of(yaml.safe_load(file.read_text()))
        if fault.package in packages
    ]
    asked = ["git", "-C", str(folder), "log", "-1", "--format=%cs"]
    day = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    lines = ",\n".join(json.dumps(fault) for fault in faults)
    source = "Python Packaging Advisory Database, CC-BY-4.0"
    FILE.write_text(f'{{"as_of": "{day}", "source": "{source}", "faults": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    _write(Path(sys.argv[1]))
