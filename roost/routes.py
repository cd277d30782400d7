"""The compacted change log: which keys changed, in which order, and what every node must have under them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from psycopg.rows import class_row, dict_row

from roost.database import Connection, Database, query
from roost.pbx.node import ActsAs, Change, Cursor, Gone, Key, Rings


@dataclass(frozen=True, slots=True)
class Announced:
    """How many changes were numbered, and the nodes to wake."""

    numbered: int
    nodes: list[str]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which organizations a node is told of: all, or those in its `node_scope`."""

    node_id: int
    serves_all: bool


#: A node that is told of every organization.
EVERYWHERE = Scope(0, serves_all=True)


def announce(database: Database) -> Announced:
    """Number what changed, and say whom it concerns: the work of whoever committed a change.

    A change whose transaction is still open is numbered by a later run; it holds up nobody else's.
    """

    def work(connection: Connection) -> Announced:
        numbered, organizations = _number(connection)
        nodes: list[str] = []
        if numbered:
            rows = connection.execute(query("list_concerned_nodes"), {"organizations": organizations})
            nodes = [name for (name,) in rows]
        return Announced(numbered, nodes)

    return database.transaction(work)


def sweep(database: Database, unseen_for: float) -> Announced:
    """The same for changes whose announcer died; and which nodes lag, or were not looked at for so many seconds."""

    def work(connection: Connection) -> Announced:
        numbered, _ = _number(connection)
        rows = connection.execute(query("list_due_nodes"), {"unseen_for": unseen_for})
        return Announced(numbered, [name for (name,) in rows])

    return database.transaction(work)


def _number(connection: Connection) -> tuple[int, list[int]]:
    connection.execute(query("lock_announcing"))
    row = connection.execute(query("number_changes")).fetchone()
    assert row is not None  # an aggregate always gives a row
    return row[0], row[1]


def read_history(connection: Connection) -> Cursor:
    """The cursor of the database itself: where a node is that has everything."""
    with connection.cursor(row_factory=class_row(Cursor)) as cursor:
        history = cursor.execute(query("read_history")).fetchone()
    assert history is not None  # the current database is always in pg_database
    return history


def changes_since(connection: Connection, version: int, scope: Scope = EVERYWHERE) -> list[Change]:
    """What a node at this version must be told: for each key changed since, what is true now."""
    params = asdict(scope) | {"version": version}
    routes = connection.cursor(row_factory=dict_row).execute(query("list_changed_routes"), params)
    phones = connection.cursor(row_factory=dict_row).execute(query("list_changed_phones"), params)
    changes: list[Change] = [
        Rings(row["extension"], row["node"], row["phone"]) if row["known"] else Gone("e", row["extension"])
        for row in routes
    ]
    changes += [ActsAs(**row) if row["organization"] is not None else Gone("p", row["phone"]) for row in phones]
    return changes


def everything(connection: Connection, scope: Scope = EVERYWHERE) -> Iterator[Change]:
    """The whole table a node must have."""
    with connection.cursor(row_factory=class_row(Rings)) as routes:
        yield from routes.execute(query("list_all_routes"), asdict(scope))
    with connection.cursor(row_factory=class_row(ActsAs)) as phones:
        yield from phones.execute(query("list_all_phones"), asdict(scope))


def pending_keys(connection: Connection, version: int) -> set[Key]:
    """Keys whose change a node at this version has not been told yet."""
    rows = connection.execute(query("list_pending_keys"), {"version": version})
    return {("e" if key[0] == "e" else "p", key[2:]) for (key,) in rows}


def audit_due(database: Database, node: str, every: float) -> bool:
    """Whether the node's whole table was not compared for `every` seconds."""
    with database.connection() as connection:
        row = connection.execute(query("read_audit_due"), {"node": node, "every": every}).fetchone()
    return row is not None and bool(row[0])


def enabled_nodes(database: Database) -> list[str]:
    """The names of the nodes that are pushed to."""
    with database.connection() as connection:
        return [name for (name,) in connection.execute(query("list_enabled_nodes"))]
