"""The containers: what they run, what they may, and what they are given."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from typing import Any

import pytest
import yaml

from roost.grants import ROLES
from tasks.permissions import PERMISSIONS, USERS
from tests.checkout import COMPOSE_FILES, SECRETS, TOP, VARIABLES, modules_of_procfile, read

#: Who may have which secret, besides the login to RabbitMQ, which all have.
MAY_HOLD = {
    "ROOST_DATABASE_URL": {"schema", "bind", "verify", "push", "web", "cli"},
    "ROOST_SEAL_PRIVATE_KEY": {"verify", "push"},
    "ROOST_SEAL_PRIVATE_KEY_BEFORE": {"verify", "push"},
    "ROOST_CODE_PEPPER": {"verify"},
    "ROOST_CODE_PEPPER_BEFORE": {"verify"},
}


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


def test_the_containers_run_what_the_procfile_runs(services: dict[str, dict[str, Any]]) -> None:
    assert {name: ["python", "-m", module] for name, module in modules_of_procfile().items()} == {
        name: service["command"] for name, service in ours(services).items()
    }


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


@pytest.mark.parametrize("compose", COMPOSE_FILES)
def test_each_container_logs_in_at_postgresql_as_its_own_role(compose: str) -> None:
    services = yaml.safe_load(read(compose))["services"]
    for kind in MAY_HOLD["ROOST_DATABASE_URL"]:
        role, secret = (
            ROLES.get(kind, "roost"),
            "_".join(["POSTGRES", *([kind.upper()] if kind in ROLES else []), "PASSWORD"]),
        )
        url = services[kind]["environment"]["ROOST_DATABASE_URL"]
        assert url.startswith(f"postgresql://{role}:${{{secret}:?"), kind
    made = yaml.safe_load(read("docker-compose.yml"))["services"]["postgres-roles"]["environment"]
    assert {
        name.removesuffix("_PASSWORD").lower() for name in made if name.endswith("_PASSWORD")
    } == ROLES.keys()
    (kinds_made,) = re.findall(r"^for kind in (.+); do role", read("compose/postgres-roles"), re.MULTILINE)
    assert set(kinds_made.split()) == ROLES.keys()


def test_every_setting_can_be_given_to_the_containers(services: dict[str, dict[str, Any]]) -> None:
    given = {variable for service in ours(services).values() for variable in service["environment"]}
    assert given == set(VARIABLES)


def test_only_what_is_needed_goes_into_the_image() -> None:
    rules = [line for line in read(".dockerignore").splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert not any("env" in rule for rule in rules if rule.startswith("!"))


# --- the cluster ---


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
