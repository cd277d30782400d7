"""What an operator starts from: the Procfile, the wheel, the example of an `.env`, and what the pages say about them."""

from __future__ import annotations

import importlib.util
import os
import re
import runpy
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from localcluster.postgres import Postgres
from roost.pbx.kinds import kinds
from tests.checkout import COMPOSE_FILES, SECRETS, TOP, VARIABLES, modules_of_procfile, read

# --- Procfile ---


def test_each_procfile_line_starts_a_module_that_exists_and_has_a_main() -> None:
    modules = modules_of_procfile()
    assert {"center", "bind", "verify", "push", "beat", "web"} == set(modules)
    for module in modules.values():
        name = module + ".__main__" if (TOP / module.replace(".", "/")).is_dir() else module
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        source = Path(found.origin).read_text(encoding="utf-8")
        assert "def main() -> int:" in source
        assert 'if __name__ == "__main__":' in source


# --- .env.example and the pages ---


def test_the_example_of_an_env_file_names_what_exists_and_holds_no_secret() -> None:
    pairs = re.findall(r"^#?([A-Z_]+)=(.*)$", read(".env.example"), re.MULTILINE)
    assert pairs
    used = {name for compose in COMPOSE_FILES for name in re.findall(r"\$\{(\w+)", read(compose))}
    for variable, value in pairs:
        assert variable in VARIABLES or variable in used, variable
        if variable in SECRETS:
            assert value == "" or "PASSWORD@HOST" in value, variable


def test_the_table_of_settings_is_as_the_settings_are() -> None:
    script = runpy.run_path(str(TOP / "script" / "settings-table"))
    table = script["table"]()
    assert set(re.findall(r"^\| `(ROOST_\w+)`", table, re.MULTILINE)) == set(VARIABLES)
    assert table in read("docs/operating.md"), "run script/settings-table"


def test_the_changelog_has_this_version() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    changelog = read("CHANGELOG.md")
    assert "## [Unreleased]" in changelog
    assert f"## [{version}]" in changelog


# --- the wheel ---


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, made with the build backend of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            folder,
            ".",
        ],
        cwd=TOP,
        check=True,
        timeout=60,
    )
    return next(folder.glob("roost-*.whl"))


def test_the_wheel_holds_the_statements_the_schema_and_the_licence(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("queries", "functions", "migrations"):
        assert {f"roost/{folder}/{path.name}" for path in (TOP / "roost" / folder).glob("*.sql")} <= held
    assert "roost/schema.sql" in held
    for kind in kinds():
        assert {f"workers/kit/pbx/{kind}/{path.name}" for path in (TOP / kind).glob("*")} <= held
    assert any(name.endswith("licenses/LICENSE") for name in held)
    tracked = ("roost/", "tasks/", "workers/", "roost-")
    assert all(name.startswith(tracked) for name in held)


def test_an_installed_wheel_sets_a_database_up(wheel: Path, postgres: Postgres, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", str(wheel)], check=True, timeout=60)
    # The libraries are those of this environment: to install them once more would only test the registry.
    site = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    libraries = next(path for path in sys.path if path.endswith("site-packages"))
    (site / "libraries.pth").write_text(libraries + "\n")

    postgres.create_database("packaged")
    environment = {"ROOST_DATABASE_URL": postgres.url("packaged"), "PATH": os.defpath, "LANG": "C.UTF-8"}

    def roost(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [tmp_path / "venv" / "bin" / "roost", *words],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    assert roost("org", "list").returncode != 0  # there is none yet
    assert roost("db", "init").returncode == 0
    assert roost("db", "init").returncode != 0  # it is not empty any more
    assert roost("db", "upgrade").returncode == 0
    assert roost("setup", "place").returncode == 0
    assert (tmp_path / "place" / "asterisk" / "roost.conf").read_text() == read("asterisk/roost.conf")
    assert "Set ROOST_BROKER_URL" in roost("run", "beat").stderr
    where = subprocess.run(
        [python, "-c", "import roost; print(roost.__file__)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(site))
    postgres.drop_database("packaged")
