"""What each kind of process may do at PostgreSQL: the files beside this one, for whichever of its roles the server has.

Granted when the database is made or upgraded, and by `roost db roles`; always the whole, so that what is not in the files is taken back.
A release keeps what the release before needs, for hosts are restarted one by one.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import psycopg
from psycopg import sql

#: The role of a process, by what it is. Centers and beats have no way into PostgreSQL.
ROLES = {
    "web": "roost_web",
    "cli": "roost_cli",
    "bind": "roost_bind",
    "verify": "roost_verify",
    "push": "roost_push",
}
#: The files of a role.
_FILES = {
    "roost_web": ("desk", "web"),
    "roost_cli": ("desk", "cli"),
    "roost_bind": ("bind",),
    "roost_verify": ("verify",),
    "roost_push": ("push",),
}

_NONE = """
REVOKE ALL ON ALL TABLES IN SCHEMA {tables} FROM {role};
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {tables} FROM {role};
GRANT USAGE ON SCHEMA {tables} TO {role}
"""
#: What follows from a change is done with the rights of who owns the tables, or else who may change a desk would need the rights to move
#: guests, to write the journal, and to tell nodes. These functions find the tables of Roost and nothing that a caller has made: the search
#: path is fixed, with temporary tables last. (PostgreSQL, "Writing SECURITY DEFINER Functions Safely".)
_RULES = """
SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = %s AND (p.prorettype = 'trigger'::regtype OR p.proname = 'step_organization')
ORDER BY 1
"""
_WITH_RIGHTS_OF_THE_OWNER = """
ALTER FUNCTION {function} SECURITY DEFINER SET search_path = {tables}, pg_temp;
REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC
"""


def statements(tables: str, roles: list[str], rules: list[str]) -> list[sql.Composed]:
    """All that is granted: `tables` is the schema of Roost's tables, `rules` are the functions that belong to them."""
    schema = sql.Identifier(tables)
    found = [sql.SQL("REVOKE CREATE ON SCHEMA {} FROM PUBLIC").format(schema)]
    found += [
        sql.SQL(_WITH_RIGHTS_OF_THE_OWNER).format(function=sql.SQL(rule), tables=schema) for rule in rules
    ]
    for role in roles:
        name = sql.Identifier(role)
        found.append(sql.SQL(_NONE).format(tables=schema, role=name))
        found += [sql.SQL(_text(file)).format(role=name) for file in _FILES[role]]
    return found


def grant(connection: psycopg.Connection[Any]) -> None:
    """Give each role that the server has what it needs, and no more. Needs the owner of the tables, in a transaction."""
    (tables,) = _one(
        connection,
        "SELECT nspname FROM pg_namespace WHERE oid = (SELECT relnamespace FROM pg_class WHERE oid = 'roost_version'::regclass)",
    )
    rules = [name for (name,) in connection.execute(_RULES, (tables,)).fetchall()]
    for statement in statements(tables, roles_there(connection), rules):
        connection.execute(statement)


def roles_there(connection: psycopg.Connection[Any]) -> list[str]:
    """Which of the roles the server has."""
    rows = connection.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY (%s) ORDER BY rolname", (list(_FILES),)
    ).fetchall()
    return [name for (name,) in rows]


def _text(name: str) -> str:
    return files("roost.grants").joinpath(f"{name}.sql").read_text(encoding="utf-8")


def _one(connection: psycopg.Connection[Any], statement: str) -> tuple[Any, ...]:
    row = connection.execute(statement).fetchone()
    assert row is not None  # it always has one
    return tuple(row)
