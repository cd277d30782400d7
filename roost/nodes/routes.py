"""The compacted change log: which keys changed, in which order, and what every node must have under them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from psycopg.rows import TupleRow, args_row, class_row

from roost.database import Connection, Database, query
from roost.pbx.node import ActsAs, Change, Cursor, Gone, Key, Rings

#: Changes told at a time: what `list_news` reads at most.
BATCH = 5_000


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
    return _announce(database, None)


def sweep(database: Database, unseen_for: float) -> Announced:
    """The same for changes whose announcer died; and which nodes were not looked at for so many seconds, lagging or not."""
    return _announce(database, unseen_for)


def _announce(database: Database, unseen_for: float | None) -> Announced:
    return Announced(*database.statement(query("announce"), {"unseen_for": unseen_for}))


def read_head(connection: Connection) -> Cursor:
    """The cursor of the database itself: where a node is that has everything."""
    with connection.cursor(row_factory=class_row(Cursor)) as cursor:
        head = cursor.execute(query("read_head")).fetchone()
    assert head is not None  # the current database is always in pg_database
    return head


@dataclass(frozen=True, slots=True)
class News:
    """What a node is told, and the version it has come to then."""

    changes: list[Change]
    version: int


def news_since(connection: Connection, version: int, top: int, scope: Scope = EVERYWHERE) -> News:
    """What a node at `version` must be told to come to `top`, or as far as one batch goes.

    For each key changed since, what is true now: later changes have later versions, and are told again.
    """
    rows = connection.execute(query("list_news"), asdict(scope) | {"version": version}).fetchall()
    return News([_change(row) for row in rows], top if len(rows) < BATCH else rows[-1][1])


def _change(row: TupleRow) -> Change:
    key, _, known, node, phone, *speaks = row
    if key[0] == "e":
        return Rings(key[2:], node, phone) if known else Gone("e", key[2:])
    return ActsAs(key[2:], *speaks) if speaks[0] is not None else Gone("p", key[2:])


def everything(
    connection: Connection, scope: Scope = EVERYWHERE, *, stream: bool = False
) -> Iterator[Change]:
    """The whole table a node must have; with `stream`, which needs a transaction, a batch at a time in memory."""
    for statement, rows in (("list_all_routes", args_row(Rings)), ("list_all_phones", args_row(ActsAs))):
        if stream:
            connection.execute(query("read_whole_tables"))
            with connection.cursor(statement, row_factory=rows) as cursor:
                cursor.itersize = BATCH
                yield from cursor.execute(query(statement), asdict(scope))
        else:
            yield from connection.cursor(row_factory=rows).execute(query(statement), asdict(scope))


def pending_keys(connection: Connection, version: int) -> set[Key]:
    """Keys whose change a node at this version has not been told yet."""
    rows = connection.execute(query("list_pending_keys"), {"version": version})
    return {("e" if key[0] == "e" else "p", key[2:]) for (key,) in rows}


def enabled_nodes(database: Database) -> list[str]:
    """The names of the nodes that are pushed to."""
    with database.connection() as connection:
        return [name for (name,) in connection.execute(query("list_enabled_nodes"))]
