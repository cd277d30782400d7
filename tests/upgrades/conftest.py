"""Databases as release 0.1.0 made them: its schema and functions are kept beside this file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from localcluster.postgres import Postgres

RELEASE = Path(__file__).with_name("0.1.0")


@pytest.fixture
def old_database(postgres: Postgres, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database that `roost db init` of 0.1.0 has set up."""
    name = f"old_{abs(hash(request.node.nodeid)):x}"
    url = postgres.create_database(name)
    with psycopg.connect(url) as connection:
        connection.execute((RELEASE / "schema.sql").read_bytes())
        for file in sorted((RELEASE / "functions").iterdir()):
            connection.execute(file.read_bytes())
    yield url
    postgres.drop_database(name)
