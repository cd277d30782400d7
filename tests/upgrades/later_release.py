"""A release that does not exist yet: this checkout with a higher version, in a folder of its own, run as programs are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from localcluster.warm_python import TOP
from roost.version import VERSION
from tests.warm import run_module

#: What each of them changes: tables that all look into.
_MIGRATION = """
-- Columns that nobody knows yet.
ALTER TABLE pbx_node ADD COLUMN IF NOT EXISTS of_version_{version} text NOT NULL DEFAULT '';

ALTER TABLE phone ADD COLUMN IF NOT EXISTS of_version_{version} text NOT NULL DEFAULT '';

ALTER TABLE journal ADD COLUMN IF NOT EXISTS of_version_{version} text NOT NULL DEFAULT '';
"""


class LaterRelease:
    """The program of a later version of the database."""

    def __init__(self, folder: Path, version: int) -> None:
        self._folder = folder
        # With what is compiled, for to compile it takes seconds; but not what is being written now.
        for name in ("roost", "tasks", "workers"):
            shutil.copytree(TOP / name, folder / name, ignore=shutil.ignore_patterns("*.pyc.*"))
        shutil.copy(TOP / "schema.sql", folder)
        constant = folder / "roost" / "version.py"
        text, changed = re.subn(
            r"^VERSION = \d+$", f"VERSION = {version}", constant.read_text(), flags=re.MULTILINE
        )
        assert changed == 1
        constant.write_text(text)
        for later in range(VERSION + 1, version + 1):
            migration = folder / "roost" / "migrations" / f"{later}.sql"
            migration.write_text(_MIGRATION.format(version=later))

    def upgrade(self, url: str) -> None:
        """Run its `roost db upgrade`."""
        environment = _environment(url) | {"PYTHONPATH": str(self._folder)}
        command = [sys.executable, "-m", "workers.cli.main", "db", "upgrade"]
        subprocess.run(
            command, cwd=self._folder, env=environment, capture_output=True, timeout=90, check=True
        )


def run_program(argv: list[str], url: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this checkout, by its module. Nothing listens where its broker should be."""
    return run_module(argv, _environment(url), TOP, timeout=90)


def _environment(url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROOST_")}
    return kept | {
        "PYTHONPATH": str(TOP),
        "ROOST_DATABASE_URL": url,
        "ROOST_BROKER_URL": "amqp://127.0.0.1:1/",
        "ROOST_SEAL_PUBLIC_KEY": "A" * 43 + "=",
    }
