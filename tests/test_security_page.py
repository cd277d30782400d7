"""The table of docs/security.md, who has which right and which secret, says what is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from localcluster.product import Product
from roost.grants import ROLES
from tasks.permissions import USERS

TOP = Path(__file__).parents[1]
#: The settings behind the secrets that the table names.
SECRETS = {
    "public key": "ROOST_SEAL_PUBLIC_KEY",
    "private key": "ROOST_SEAL_PRIVATE_KEY",
    "pepper": "ROOST_CODE_PEPPER",
}


class Row(NamedTuple):
    """What the table says of one kind of process."""

    broker: str
    database: str | None
    secrets: set[str]


def table() -> dict[str, Row]:
    text = (
        (TOP / "docs" / "security.md")
        .read_text()
        .partition("## Processes and their rights")[2]
        .partition("\n## ")[0]
    )
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    named = {"command line": "cli"}
    return {
        named.get(process, process): Row(
            "".join(re.findall(r"`(roost-\w+)`", broker)),
            next(iter(re.findall(r"`(roost_\w+)`", database)), None),
            {SECRETS[each] for each in secrets.split(", ") if each != "none"},
        )
        for process, broker, database, secrets in rows[2:]
    }


def test_users_and_roles_are_those_that_processes_are_given() -> None:
    assert {process: row.broker for process, row in table().items()} == USERS
    assert {process: row.database for process, row in table().items() if row.database} == ROLES


@pytest.mark.parametrize("process", USERS)
def test_the_containers_and_the_processes_of_the_tests_have_these_secrets_and_no_others(
    process: str, tmp_path: Path
) -> None:
    row = table()[process]
    product = Product(
        tmp_path,
        database_url="postgresql://owner@127.0.0.1/x",
        broker_url="amqp://127.0.0.1/x",
        counts={"web": 1},
    )
    service = yaml.safe_load((TOP / "docker-compose.yml").read_text())["services"][process]
    assert row.secrets == SECRETS.values() & service["environment"].keys()
    if process != "cli":  # the tests ask its commands for what a verify worker may do, too
        given = product.processes[f"{process}1"].environment
        assert given is not None
        assert row.secrets == SECRETS.values() & given.keys()
        assert ("ROOST_DATABASE_URL" in given) is (row.database is not None)


def test_kubernetes_is_told_the_same() -> None:
    page = (TOP / "docs" / "kubernetes.md").read_text()
    for process, row in table().items():
        if process != "cli":
            keys = re.search(rf"^\| `roost-{process}` \| (.*) \|$", page, re.MULTILINE)
            assert keys, process
            named = set(re.findall(r"`(ROOST_\w+)`", keys[1]))
            database = {"ROOST_DATABASE_URL"} if row.database else set()
            assert named == row.secrets | database | {"ROOST_BROKER_URL"}


def test_every_file_that_holds_a_line_is_there() -> None:
    lines = (TOP / "docs" / "security.md").read_text().partition("## Lines and their tests")[2]
    files = re.findall(r"`(tests/[\w/]+\.py)`", lines)
    assert len(files) > 15
    assert [file for file in files if not (TOP / file).exists()] == []
