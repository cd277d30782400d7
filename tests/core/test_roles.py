"""What each kind of process cannot do at PostgreSQL. That it can do what it must, all tests with processes show: each has its own role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors as pg

from localcluster.postgres import own_role
from roost.database import Database, query
from roost.errors import RightMissing
from roost.grants import ROLES, RULES
from roost.nodes.routes import announce
from roost.version import VERSION, functions_of, use_functions
from tests.world import World

#: Statements that a process could gain by; each is refused to those named, and to nobody else.
REFUSED = {
    "SELECT code_hash FROM extension": ("web", "cli", "push"),
    "SELECT * FROM extension": ("web", "cli", "push"),
    "SELECT e FROM extension e": ("web", "cli", "push"),
    "UPDATE extension SET code_hash = 'mine', code_set_at = now()": ("web", "cli", "bind", "push"),
    "INSERT INTO extension (organization_id, number, code_hash, code_set_at) SELECT id, '666', 'mine', now() FROM organization": tuple(ROLES),
    "UPDATE phone SET guest_id = NULL, guest_since = NULL": ("web", "cli", "verify", "push"),
    "UPDATE phone SET emergency_number = '1'": ("bind", "verify", "push"),
    "UPDATE phone SET organization_id = 1": tuple(ROLES),
    "SELECT secret FROM pbx_node": ("web", "bind", "verify"),
    "UPDATE pbx_node SET host = '192.0.2.66'": ("bind", "verify", "push"),
    "SELECT password_hash FROM person": ("cli", "bind", "verify", "push"),
    "SELECT token_hash FROM token": ("cli", "bind", "verify", "push"),
    "SELECT token_hash FROM session": ("cli", "bind", "verify", "push"),
    "INSERT INTO session (token_hash, person_id, address, expires_at) SELECT '', id, '', now() FROM person": ("cli", "bind", "verify", "push"),
    "SELECT proof_requests FROM call": ("web", "cli", "push"),
    "INSERT INTO call (id, proof_requests) VALUES ('mine', '{mine}')": ("web", "cli", "bind", "push"),
    "UPDATE journal SET actor = 'somebody else'": tuple(ROLES),
    "INSERT INTO journal (request_id, at, origin, operation, outcome) VALUES ('mine', now(), 'web', 'x', 'x')": ("web", "cli", "push"),
    "DELETE FROM journal": ("web", "cli", "verify", "push"),
    "INSERT INTO route_dirty (key, organization_id) VALUES ('e/0001*001', 1)": tuple(ROLES),
    "DELETE FROM route": tuple(ROLES),
    "INSERT INTO roost_version (version) VALUES (999)": tuple(ROLES),
    "CREATE TABLE mine ()": tuple(ROLES),
    "CREATE OR REPLACE FUNCTION send_home(phone_ids bigint[], why text) RETURNS void LANGUAGE sql AS ''": tuple(ROLES),
    "ALTER TABLE phone DISABLE TRIGGER ALL": tuple(ROLES),
    f"CREATE FUNCTION {functions_of(VERSION)}.mine() RETURNS void LANGUAGE sql AS ''": tuple(ROLES),
    "CREATE ROLE mine": tuple(ROLES),
}  # fmt: skip


@pytest.fixture
def office(world: World) -> World:
    world.office("001", "002")
    return world


def planned(connection: psycopg.Connection[Any], name: str) -> bool:
    """Whether the role may run a named statement, as far as planning it tells: not what is inside a function."""
    parameters: dict[str, int] = {}
    text = re.sub(
        r"%\((\w+)\)s", lambda found: f"${parameters.setdefault(found[1], len(parameters) + 1)}", query(name)
    )
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(f"EXPLAIN (GENERIC_PLAN) {text.replace('%%', '%')}")
    except pg.InsufficientPrivilege:
        return False
    return True


#: What cannot be explained.
NO_PLAN = {"stage_import", "copy_import"}


def test_each_statement_is_somebodys(office: World, database_url: str) -> None:
    """A table that is new is nobody's, until a file of roost/grants says whose it is. What a kind asks, its own tests show."""
    statements = {
        file.stem: file.read_text() for file in Path(str(files("roost").joinpath("queries"))).glob("*.sql")
    }
    included = {name for text in statements.values() for name in re.findall(r"/\* include (\w+) \*/", text)}
    names = statements.keys() - included - NO_PLAN
    for kind in ("web", "cli", "bind", "verify", "push"):
        with logged_in(database_url, kind) as connection:
            use_functions(connection)
            if kind in {"web", "cli"}:
                connection.execute(query("stage_import"))
                connection.execute(query("compare_import"))
                names -= {"compare_import"}
            names = {
                name
                for name in names
                if (kind not in {"web", "cli"} and "import" in name) or not planned(connection, name)
            }
    assert names == set()


def test_a_push_worker_may_ask_all_that_sending_and_auditing_a_node_asks(
    office: World, database_url: str
) -> None:
    """Also of a node with a scope, which most tests have none of."""
    core = Path(str(files("roost")))
    statements = {file.stem for file in (core / "queries").glob("*.sql")}
    texts = [
        (core / "nodes" / f"{name}.py").read_text()
        for name in ("audit", "converge", "full_send", "holding", "refused_rows", "routes")
    ]
    named = {name for text in texts for name in re.findall(r'"(\w+)"', text)}
    put_together = {name for name in statements if "_piece_of_" in name}  # in roost/nodes/routes.py
    asked = (statements & named) | put_together
    assert {"list_piece_of_routes", "list_piece_of_served_phones", "count_keys"} <= asked
    with logged_in(database_url, "push") as connection:
        use_functions(connection)
        assert {name for name in asked if not planned(connection, name)} == set()


@contextmanager
def logged_in(url: str, kind: str) -> Iterator[psycopg.Connection[Any]]:
    """As a process of this kind; nothing is committed."""
    with psycopg.connect(own_role(url, kind)) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize("kind", ROLES)
def test_what_a_process_has_no_business_with_is_refused(office: World, database_url: str, kind: str) -> None:
    with logged_in(database_url, kind) as connection:
        for statement, refused in REFUSED.items():
            if kind in refused:
                with pytest.raises(pg.InsufficientPrivilege):
                    connection.execute(statement)
                connection.rollback()
            else:
                connection.execute(statement)
                connection.rollback()


def test_what_is_done_with_the_owners_rights_looks_at_roosts_own_tables(
    office: World, database_url: str
) -> None:
    """A table of the caller's that is called `phone`, and one called `route_dirty`, are not taken for Roost's."""
    with logged_in(database_url, "web") as web:
        web.execute(
            "CREATE TEMP TABLE phone (id bigint, base_id bigint, guest_id bigint, name text, organization_id bigint)"
        )
        web.execute("CREATE TEMP TABLE route_dirty (key text, organization_id bigint)")
        web.execute("UPDATE public.extension SET name = 'Renamed' WHERE number = '001'")
        assert web.execute("SELECT count(*) FROM pg_temp.route_dirty").fetchone() == (0,)
        noted = web.execute("SELECT key FROM public.route_dirty").fetchall()
    assert {("e/0001*001",), ("p/desk001",)} <= set(noted)


def test_whatever_follows_from_a_change_is_done_with_the_owners_rights(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT proname, prosecdef, proconfig FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
            "AND (prosecdef OR prorettype = 'trigger'::regtype)"
        ).fetchall()
    assert sorted(name for name, _, _ in found) == sorted(RULES)
    assert all(definer and "search_path=public, pg_temp" in config for _, definer, config in found)


@pytest.mark.parametrize("kind", ["bind", "verify"])
def test_whoever_may_send_somebody_home_may_announce_it(office: World, database_url: str, kind: str) -> None:
    """A cleared code does, which the verify workers clear."""
    office.sql("UPDATE extension SET name = 'Renamed' WHERE number = '001'")
    own = Database(own_role(database_url, kind), size=1)
    try:
        assert announce(own).numbered > 0
    finally:
        own.close()


def test_who_has_not_the_right_hears_what_is_missing_and_the_remedy(office: World, database_url: str) -> None:
    pool = Database(own_role(database_url, "push"), size=1)
    with (
        pytest.raises(RightMissing, match=r"permission denied for table person; `roost db roles`"),
        pool.connection() as asked,
    ):
        asked.execute("SELECT login FROM person")
    pool.close()


def test_a_role_may_see_a_table_only_by_what_is_granted_to_its_kind(database_url: str) -> None:
    """What is new is nobody's until a file of roost/grants says whose it is; and no center has a role."""
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE of_tomorrow (secret text)")
        seen = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname ~ '^roost_' AND has_table_privilege(oid, 'of_tomorrow', 'SELECT')"
        ).fetchall()
        roles = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname ~ '^roost_' AND rolcanlogin"
        ).fetchall()
        connection.rollback()
    assert seen == []
    assert set(ROLES.values()) <= {name for (name,) in roles}
    assert not {"center", "beat"} & set(ROLES)
