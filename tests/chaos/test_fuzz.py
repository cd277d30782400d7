"""The parsers under atheris, a few seconds each; `python -m chaos.fuzz` goes on for as long as one likes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TARGETS = ("agi", "agi-client", "ami", "ami-action", "simulator", "dial")


@pytest.mark.parametrize("target", TARGETS)
def test_a_parser_survives_whatever_is_sent(target: str, repository: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "chaos.fuzz",
        target,
        str(tmp_path / "corpus"),
        "-runs=15000",
        "-timeout=20",
        "-rss_limit_mb=512",
        "-max_len=4096",
    ]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/"],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done" in done.stderr
