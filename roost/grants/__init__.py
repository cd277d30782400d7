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

#: What follows from a change is done with the rights of who owns the tables, or else who may change a desk would need the rights to move
#: guests, to write the journal, and to tell nodes. These functions find the tables of Roost and nothing that a caller has made: the search
#: path is fixed, with temporary tables last. (PostgreSQL, "Writing SECURITY DEFINER Functions Safely".)
RULES = (
    "extension_changed", "extension_dirty", "extension_removed", "node_dirty", "node_scope_changed", "node_serving_changed",
    "organization_dirty", "organization_leaves", "phone_changed", "phone_dirty", "phone_homed", "rows_fit", "step_organization",
    "time_zone_is_known",
)  # fmt: skip

#: Beside Roost's there may be what belongs to others, such as an extension of PostgreSQL, and is none of ours to grant.
_OURS = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'v') AND c.relowner = (SELECT relowner FROM pg_class WHERE oid = 'roost_version'::regclass)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1
"""
_NONE = """
REVOKE ALL ON {relations} FROM {role};
REVOKE ALL ON FUNCTION {tables}.step_organization FROM {role};
GRANT USAGE ON SCHEMA {tables} TO {role}
"""
_WITH_RIGHTS_OF_THE_OWNER = """
ALTER FUNCTION {function} SECURITY DEFINER SET search_path = {tables}, pg_temp;
REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC
"""


def grant(connection: psycopg.Connection[Any]) -> None:
    """Give each role that the server has what it needs, and no more. Needs the owner of the tables, in a transaction."""
    (schema,) = _one(
        connection,
        "SELECT nspname FROM pg_namespace WHERE oid = (SELECT relnamespace FROM pg_class WHERE oid = 'roost_version'::regclass)",
    )
    tables = sql.Identifier(schema)
    relations = sql.SQL(", ").join(
        sql.Identifier(schema, name) for (name,) in connection.execute(_OURS, (schema,)).fetchall()
    )
    connection.execute(sql.SQL("REVOKE CREATE ON SCHEMA {} FROM PUBLIC").format(tables))
    for rule in RULES:
        function = sql.Identifier(schema, rule)
        connection.execute(sql.SQL(_WITH_RIGHTS_OF_THE_OWNER).format(function=function, tables=tables))
    for role in roles_there(connection):
        name = sql.Identifier(role)
        connection.execute(sql.SQL(_NONE).format(relations=relations, tables=tables, role=name))
        for file in _FILES[role]:
            connection.execute(sql.SQL(_text(file)).format(role=name))


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
