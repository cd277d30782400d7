"""What an operator starts from: the Procfile, the containers, the wheel, and what the pages say about them."""

from __future__ import annotations

import importlib.util
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from localcluster.postgres import Postgres
from roost.pbx.kinds import kinds
from roost.settings import Settings
from tasks.permissions import PERMISSIONS, USERS

TOP = Path(__file__).parent.parent
VARIABLES = {f"ROOST_{name.upper()}": field for name, field in Settings.model_fields.items()}
SECRETS = {
    "ROOST_DATABASE_URL", "ROOST_BROKER_URL", "ROOST_SEAL_PRIVATE_KEY", "ROOST_CODE_PEPPER", "POSTGRES_PASSWORD",
    "RABBITMQ_PASSWORD",
}  # fmt: skip
#: Who may have which secret, besides the login to RabbitMQ, which all have.
MAY_HOLD = {
    "ROOST_DATABASE_URL": {"schema", "bind", "verify", "push", "web", "cli"},
    "ROOST_SEAL_PRIVATE_KEY": {"verify", "push"},
    "ROOST_SEAL_PRIVATE_KEY_BEFORE": {"verify", "push"},
    "ROOST_CODE_PEPPER": {"verify"},
    "ROOST_CODE_PEPPER_BEFORE": {"verify"},
}


COMPOSE_FILES = ("docker-compose.yml", "docker-compose.cluster.yml")


def read(name: str) -> str:
    return (TOP / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    compose = yaml.safe_load(read("docker-compose.yml"))
    assert isinstance(compose["services"], dict)
    return compose["services"]


def ours(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The services that run for ever and are made from this checkout."""
    return {
        name: service
        for name, service in services.items()
        if "build" in service and service.get("restart") != "no"
    }


def modules_of_procfile() -> dict[str, str]:
    lines = [line.partition(": python -m ") for line in read("Procfile").splitlines()]
    return {name: module for name, _, module in lines}


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


def test_the_containers_run_what_the_procfile_runs(services: dict[str, dict[str, Any]]) -> None:
    assert {name: ["python", "-m", module] for name, module in modules_of_procfile().items()} == {
        name: service["command"] for name, service in ours(services).items()
    }


# --- containers ---


@pytest.mark.parametrize("compose", COMPOSE_FILES)
def test_the_compose_files_are_valid(compose: str) -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            "vendor.compose-spec",
            compose,
        ],
        cwd=TOP,
        check=True,
        capture_output=True,
        timeout=60,
    )


def test_every_service_that_stays_has_a_health_check_restarts_and_can_be_scaled(
    services: dict[str, dict[str, Any]],
) -> None:
    for name, service in services.items():
        if service["restart"] == "no":
            continue
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert "container_name" not in service, name
    for name, service in ours(services).items():
        assert service["healthcheck"]["test"] == ["CMD", "python", "-m", "workers.health", name]
        assert all(
            re.fullmatch(r"\$\{\w+:-[\d.]+:\d+-\d+\}:\d+", port) for port in service.get("ports", ())
        ), name


def test_our_containers_have_no_rights(services: dict[str, dict[str, Any]]) -> None:
    for name, service in services.items():
        if "build" in service:
            assert service["read_only"] is True, name
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name
    dockerfile = read("Dockerfile")
    assert re.search(r"^USER [1-9]\d*$", dockerfile, re.MULTILINE)
    for image in re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE) + [
        service["image"] for service in services.values() if "build" not in service
    ]:
        assert re.fullmatch(r"[a-z]+:\d[\w.-]*", image), image


def test_every_secret_comes_from_the_environment_and_none_has_a_default(
    services: dict[str, dict[str, Any]],
) -> None:
    for name, service in services.items():
        for variable, value in service["environment"].items():
            named = set(re.findall(r"\$\{(\w+)", str(value)))
            if (
                re.search("PASS|SECRET|PRIVATE|PEPPER|KEY|URL", variable)
                and value is not None
                and "_WEB_" not in variable
            ):
                assert named, f"{name}: {variable} is written into the file"
            for secret in named & SECRETS:
                assert f"${{{secret}:?" in value, f"{name}: {variable} starts without {secret}"


def test_each_container_holds_only_the_secrets_it_needs(services: dict[str, dict[str, Any]]) -> None:
    for secret, holders in MAY_HOLD.items():
        assert {name for name, service in services.items() if secret in service["environment"]} == holders


def test_every_setting_can_be_given_to_the_containers(services: dict[str, dict[str, Any]]) -> None:
    given = {variable for service in ours(services).values() for variable in service["environment"]}
    assert given == set(VARIABLES)


def test_only_what_is_needed_goes_into_the_image() -> None:
    rules = [line for line in read(".dockerignore").splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert not any("env" in rule for rule in rules if rule.startswith("!"))


# --- the cluster in containers ---


def test_in_the_cluster_each_container_logs_in_as_its_own_user_at_every_node(
    services: dict[str, dict[str, Any]],
) -> None:
    cluster = yaml.safe_load(read("docker-compose.cluster.yml"))["services"]
    hosts = [
        name
        for name, service in cluster.items()
        if name.startswith("rabbitmq") and "entrypoint" not in service
    ]
    for name in (*ours(services), "cli"):
        url = cluster[name]["environment"]["ROOST_BROKER_URL"]
        logins = re.findall(r"amqp://([\w-]+):(.+?)@([\w-]+):5672/roost(?:;|$)", url)
        assert [host for _, _, host in logins] == hosts, name
        assert {user for user, _, _ in logins} == {USERS[name]}
        assert re.fullmatch(r"\$\{RABBITMQ_\w+_PASSWORD:\?.*\}", logins[0][1]), name
    for name in MAY_HOLD["ROOST_DATABASE_URL"]:
        assert (
            "@postgres:5432,postgres-standby:5432/" in cluster[name]["environment"]["ROOST_DATABASE_URL"]
        ), name
    peers = re.findall(r"nodes\.\d = rabbit@(\w+)", read("compose/rabbitmq.conf"))
    assert peers == hosts
    for name, service in cluster.items():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert not source.startswith(".") or (TOP / source).is_file(), name


def test_the_cluster_gives_its_users_the_rights_that_the_command_line_prints() -> None:
    script = read("compose/rabbitmq-users")
    assert set(re.findall(r"^user (\S+)", script, re.MULTILINE)) == PERMISSIONS.keys()
    for user, may in PERMISSIONS.items():
        assert (
            shlex.join(["rabbitmqctl", "set_permissions", "-p", "roost", user, *may]) in script.splitlines()
        )


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
