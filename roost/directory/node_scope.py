"""Which organizations a node serves: with 1 % of them it holds 1 % of the routes, and hears of no other change."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import errors as pg

from roost.database import Connection, Database, query
from roost.directory.demands import hold_demands
from roost.directory.errors import UnknownNode, UnknownOrganization
from roost.errors import Conflict


class HomedElsewhere(Conflict):
    """A phone is homed on the node, and its organization would not be served there: name that one too, or home the phone elsewhere."""

    code = "node_serves_organization"


def read_scope(database: Database, node: str) -> list[str] | None:
    """The codes of the organizations the node serves; None: all. Raises UnknownNode."""
    with database.connection() as connection:
        row = connection.execute(query("list_node_scope"), {"node": node}).fetchone()
    if row is None:
        raise UnknownNode(node)
    return None if row[0] else row[1]


def set_scope(database: Database, node: str, organizations: Sequence[str] | None) -> None:
    """Let the node serve these organizations, or all (None).

    Its whole table is compared with the truth soon after. Raises UnknownNode, UnknownOrganization, HomedElsewhere, and what its kind
    demands (`demands`).
    """
    read_scope(database, node)

    def work(connection: Connection) -> None:
        put_scope(connection, node, organizations)
        hold_demands(connection)

    try:
        database.transaction(work)
    except pg.CheckViolation as error:
        raise HomedElsewhere(f"({error.diag.message_primary})") from None


def put_scope(connection: Connection, node: str, organizations: Sequence[str] | None) -> None:
    """Like `set_scope`, in the caller's transaction. The caller must then call `hold_demands`. Raises UnknownOrganization."""
    wanted = sorted(set(organizations or ()))
    params = {"node": node, "organizations": wanted, "serves_all": organizations is None}
    if organizations is None:  # first, so that no phone is without its organization on the way
        connection.execute(query("set_node_serving"), params)
    found = connection.execute(query("set_node_scope"), params).fetchone()
    if found is None or found[0] != len(wanted):
        raise UnknownOrganization(f"({'one of ' if len(wanted) > 1 else ''}{', '.join(wanted)})")
    connection.execute(query("set_node_serving"), params)
