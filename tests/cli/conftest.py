"""Command lines with the settings of a test, and without any."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster.postgres import own_role
from roost.settings import Settings
from tests.cli.command import Run, runner


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, so that no `.env` is read."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def roost(settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command with the settings of this test, as the role of the command line; `stdin` is a pipe."""
    for name in ("seal_public_key", "seal_private_key", "code_pepper"):
        monkeypatch.setenv(f"ROOST_{name.upper()}", settings.need(name))
    monkeypatch.setenv("ROOST_DATABASE_URL", own_role(settings.need("database_url"), "cli"))
    yield from runner()


@pytest.fixture
def office(roost: Run) -> Run:
    """One organization, one node, two desks, made by the command line itself."""
    for arguments in (
        ("org", "add", "0001", "--name", "Acme", "--max-stay", "8h"),
        ("extension", "add", "0001*001", "--name", "John", "--allow"),
        ("extension", "add", "0001*002", "--name", "Ted [bold]"),
    ):
        assert roost(*arguments).exit_code == 0
    assert roost("node", "add", "n1", "--host", "10.0.0.5", stdin="s3cret-of-n1\n").exit_code == 0
    assert roost("phone", "add", "desk001", "--node", "n1", "--base", "0001*001").exit_code == 0
    return roost


@pytest.fixture
def bare_roost(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run a command on a machine with no settings."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ROOST_{name.upper()}", raising=False)
    yield from runner()
