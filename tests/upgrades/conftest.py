"""Databases as release 0.1.0 made them: its schema, functions and statements are kept beside this file."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from localcluster.postgres import Postgres
from tests.upgrades import old_program
from tests.upgrades.load import Load


@pytest.fixture
def old_database(postgres: Postgres, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database that 0.1.0 has set up, with twenty desks: extension 001 and phone desk001, and so on."""
    name = f"old_{abs(hash(request.node.nodeid)):x}"
    url = postgres.create_database(name)
    old_program.init_database(url)
    with psycopg.connect(url) as connection:
        connection.execute(_DESKS)
    yield url
    postgres.drop_database(name)


@pytest.fixture
def load() -> Iterator[Load]:
    """Parts to be added; they end with the test."""
    running = Load()
    yield running
    running.end()


_DESKS = """
INSERT INTO organization (code) VALUES ('0001');
INSERT INTO pbx_node (name, kind, host, port, username, secret) VALUES ('n1', 'asterisk', '127.0.0.1', 5038, 'roost', '');
INSERT INTO extension (organization_id, number, name, allows_virtualization, code_hash, code_set_at)
SELECT o.id, to_char(n, 'FM000'), 'Person ' || n, true, 'no hash', now() FROM organization o, generate_series(1, 20) n;
INSERT INTO phone (organization_id, name, node_id, base_id)
SELECT e.organization_id, 'desk' || e.number, n.id, e.id FROM extension e, pbx_node n;
"""
