"""`roost db`: an empty database, one that is not Roost's, one that is ahead or behind, and none."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import InsufficientPrivilege

from localcluster.postgres import Postgres, own_role
from roost.grants import ROLES
from roost.roles import give_passwords
from roost.version import VERSION
from tests.cli.command import Run
from tests.upgrades.catalogue import catalogue_of
from tests.world import new_id


@pytest.fixture
def empty(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty database, which is the one that commands work with."""
    name = f"empty_{new_id()}"
    url = postgres.create_database(name)
    monkeypatch.setenv("ROOST_DATABASE_URL", url)
    yield url
    postgres.drop_database(name)


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("command", ["init", "upgrade"])
def test_an_empty_database_is_set_up(bare_roost: Run, empty: str, database_url: str, command: str) -> None:
    assert bare_roost("org", "list").err.startswith("error: There is no Roost in the database.")
    assert bare_roost("db", command).out == "The database is ready.\n"
    assert catalogue_of(empty) == catalogue_of(database_url)
    assert bare_roost("org", "list").exit_code == 0


def test_a_second_time_init_is_refused_and_upgrade_finds_nothing_to_do(bare_roost: Run, empty: str) -> None:
    bare_roost("db", "init")
    again = bare_roost("db", "init")
    assert (again.exit_code, again.err.endswith("[database_not_empty]\n")) == (5, True)
    assert f"Roost of version {VERSION}" in again.err
    assert bare_roost("db", "upgrade").out == "The database is up to date.\n"


@pytest.mark.parametrize("command", ["init", "upgrade"])
def test_a_database_that_is_not_roosts_is_left_as_it_is(bare_roost: Run, empty: str, command: str) -> None:
    execute(empty, "CREATE TABLE ledger (amount int)")
    before = catalogue_of(empty)
    ended = bare_roost("db", command)
    assert (ended.exit_code, ended.out) == (5, "")
    assert "public.ledger" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert catalogue_of(empty) == before


@pytest.mark.parametrize("command", ["init", "upgrade"])
def test_a_database_in_another_encoding_is_left_as_it_is(
    bare_roost: Run, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """A PostgreSQL that was set up without a locale, as in a container, makes them so."""
    name = f"ascii_{new_id()}"
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    monkeypatch.setenv("ROOST_DATABASE_URL", postgres.url(name))
    ended = bare_roost("db", command)
    assert (ended.exit_code, ended.err.endswith("[database_unfit]\n")) == (5, True)
    assert "Its encoding is SQL_ASCII" in ended.err
    assert "createdb --encoding=UTF8" in ended.err
    assert "names that it does not hold are refused" in " ".join(bare_roost("doctor").out.split())
    postgres.drop_database(name)


def test_a_server_that_is_too_old(bare_roost: Run, empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roost.schema.OLDEST", 99)
    ended = bare_roost("db", "init")
    assert (ended.exit_code, ended.err.endswith("[database_unfit]\n")) == (5, True)
    assert "99 or newer is needed" in ended.err


def test_an_extension_of_postgresql_is_in_nobodys_way(bare_roost: Run, empty: str) -> None:
    execute(empty, "CREATE EXTENSION pg_buffercache")  # it makes a view in `public`
    assert bare_roost("db", "init").exit_code == 0


@pytest.mark.parametrize("command", ["init", "upgrade"])
def test_a_database_that_is_away(bare_roost: Run, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("ROOST_DATABASE_URL", "postgresql://roost:hunter2@127.0.0.1:1/roost")
    ended = bare_roost("db", command)
    assert (ended.exit_code, ended.out) == (6, "")
    assert ended.err.endswith("[database_unavailable]\n")
    assert len(ended.err.splitlines()) == 1
    assert "hunter2" not in ended.err


@pytest.mark.parametrize("arguments", [("db", "init"), ("db", "upgrade"), ("org", "list")])
def test_what_is_no_url_is_named_and_not_shown(
    bare_roost: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, str]
) -> None:
    monkeypatch.setenv("ROOST_DATABASE_URL", "hunter2")
    ended = bare_roost(*arguments)
    assert (ended.exit_code, ended.out) == (7, "")
    assert "ROOST_DATABASE_URL" in ended.err
    assert "hunter2" not in ended.err


def test_a_database_that_only_reads(bare_roost: Run, empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOST_DATABASE_URL", f"{empty}?options=-c%20default_transaction_read_only%3Don")
    ended = bare_roost("db", "init")
    assert ended.exit_code == 6
    assert "only reads" in ended.err


def test_a_role_that_may_not(bare_roost: Run, empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    role = f"guest_{new_id()}"
    execute(empty, f"CREATE ROLE {role}")
    monkeypatch.setenv("ROOST_DATABASE_URL", f"{empty}?options=-c%20role%3D{role}")
    ended = bare_roost("db", "init")
    assert ended.exit_code == 5
    assert ended.err.endswith("[database_role]\n")
    assert len(ended.err.splitlines()) == 1
    execute(empty, f"DROP ROLE {role}")


def test_roles_are_made_and_what_they_may_is_put_right_again(bare_roost: Run, empty: str) -> None:
    bare_roost("db", "init")
    execute(empty, "GRANT SELECT ON person TO roost_push", "REVOKE SELECT ON journal FROM roost_web")
    before = catalogue_of(empty)
    assert bare_roost("db", "roles").exit_code == 0
    with psycopg.connect(own_role(empty, "push")) as push, pytest.raises(InsufficientPrivilege):
        push.execute("SELECT login FROM person")
    with psycopg.connect(own_role(empty, "web")) as web:
        web.execute("SELECT * FROM journal")
    once = catalogue_of(empty)
    assert bare_roost("db", "roles").exit_code == 0
    assert catalogue_of(empty) == once != before


def test_a_new_password_is_printed_as_a_url_and_is_in_no_log(
    empty: str, postgres: Postgres, bare_roost: Run
) -> None:
    """On a server of its own the roles would be new; here they are those of all tests, whose passwords must stay: nothing is committed."""
    bare_roost("db", "init")
    with psycopg.connect(empty) as connection:
        connection.execute("SET log_statement = 'all'")
        urls = give_passwords(connection, f"{empty}?sslmode=prefer&connect_timeout=3")
        connection.rollback()
    log = (postgres.folder / "postgres.log").read_text(errors="replace")
    assert log.count("PASSWORD 'SCRAM-SHA-256$") >= len(ROLES)
    assert list(urls) == list(ROLES)
    for kind, url in urls.items():
        parts = conninfo_to_dict(url)
        assert (parts["user"], parts["sslmode"]) == (ROLES[kind], "prefer")
        assert str(parts["password"]) not in log


def test_a_superuser_makes_the_roles_where_the_owner_may_not(bare_roost: Run) -> None:
    printed = bare_roost("db", "roles", "--print").out
    for role in ROLES.values():
        assert f"CREATE ROLE {role} LOGIN " in printed
        assert f"\\password {role}\n" in printed


#: A superuser's, beside Roost's tables, as CREATE EXTENSION leaves it.
OF_AN_EXTENSION = (
    "CREATE TABLE statements ()",
    "CREATE FUNCTION of_an_extension() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "REVOKE ALL ON FUNCTION of_an_extension FROM PUBLIC",
    "CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
)


def test_an_owner_who_may_make_no_roles_says_who_may_and_grants_what_is_needed(
    bare_roost: Run, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = f"owner_{new_id()}"
    execute(
        empty, f"CREATE ROLE {owner}", f"ALTER DATABASE {conninfo_to_dict(empty)['dbname']} OWNER TO {owner}"
    )
    monkeypatch.setenv("ROOST_DATABASE_URL", f"{empty}?options=-c%20role%3D{owner}")
    bare_roost("db", "init")
    execute(empty, *OF_AN_EXTENSION)
    refused = bare_roost("db", "roles", "--passwords")
    assert (refused.exit_code, refused.out) == (5, "")
    assert "`roost db roles --print`" in refused.err
    assert bare_roost("db", "roles").exit_code == 0
    with psycopg.connect(own_role(empty, "web")) as web:
        web.execute("INSERT INTO organization (code) VALUES ('0001')")
        web.execute("UPDATE organization SET enabled = false")
        with pytest.raises(InsufficientPrivilege):
            web.execute("SELECT of_an_extension()")
    execute(empty, f"REASSIGN OWNED BY {owner} TO CURRENT_USER", f"DROP ROLE {owner}")


def test_the_rights_of_another_version_are_left_alone(bare_roost: Run, empty: str) -> None:
    """This program would take away what processes of a newer one need."""
    bare_roost("db", "init")
    execute(
        empty,
        f"INSERT INTO roost_version (version) VALUES ({VERSION + 1})",
        "GRANT SELECT ON person TO roost_push",
    )
    ended = bare_roost("db", "roles")
    assert (ended.exit_code, ended.err.endswith("[schema_version]\n")) == (6, True)
    with psycopg.connect(own_role(empty, "push")) as push:
        push.execute("SELECT login FROM person")
