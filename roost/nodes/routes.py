"""The compacted change log: which keys changed, in which order, and what every node must have under them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from psycopg.rows import TupleRow, args_row, class_row

from roost.database import Connection, Database, query
from roost.pbx.kinds import kinds
from roost.pbx.node import ActsAs, Change, Cursor, Gone, Key, Kind, Rings
from roost.pbx.sound_rows import SoundRows

#: Changes told to a node at a time.
BATCH = 5_000
#: Changes numbered at a time: what others who number wait for.
NUMBERED_AT_ONCE = 10_000
#: Seconds for which a node that failed may be left alone, whatever is set (ROOST_NODE_RETRY_MAX).
LONGEST_DELAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Announced:
    """How many changes were numbered, and the nodes to wake. `more`: not all were, so announce again."""

    numbered: int
    nodes: list[str]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """Which organizations a node is told of: all, or those in its `node_scope`."""

    node_id: int
    serves_all: bool


#: A node that is told of every organization.
EVERYWHERE = Scope(0, serves_all=True)


def announce(database: Database) -> Announced:
    """Give committed changes their versions, and return which nodes to wake. Whoever committed a change calls this.

    A change whose transaction is still open is numbered by a later call; the others do not wait for it.
    """
    return _announce(database, None)


def sweep(database: Database, unseen_for: float, longest_delay: float = LONGEST_DELAY) -> Announced:
    """Number the changes whose announcer died. Also names the nodes that nobody looked at for `unseen_for` seconds, whether they lag or not.

    A node that failed is left alone for its time, `longest_delay` seconds at most.

    A node that forgets is named after half of it: it was looked at a little after the last sweep, so else each second one would name it.
    """
    forgetful = [kind.name for kind in kinds().values() if kind.forgets]
    return _announce(database, unseen_for, longest_delay, forgetful)


def _announce(
    database: Database,
    unseen_for: float | None,
    longest_delay: float | None = None,
    forgetful: Sequence[str] = (),
) -> Announced:
    parameters = {
        "unseen_for": unseen_for, "longest_delay": longest_delay, "most": NUMBERED_AT_ONCE, "forgetful": list(forgetful),
    }  # fmt: skip
    return Announced(*database.statement(query("announce"), parameters))


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
    parameters = asdict(scope) | {"version": version, "limit": BATCH}
    rows = connection.execute(query("list_changed_keys"), parameters).fetchall()
    changes = _tell(connection, [key for key, _ in rows], scope) if rows else []
    return News(changes, top if len(rows) < BATCH else rows[-1][1])


def tell(connection: Connection, keys: Sequence[Key], scope: Scope = EVERYWHERE) -> list[Change]:
    """What is true of each of these keys now. A key that PostgreSQL cannot even be asked for is gone."""
    known = iter(_tell(connection, [key_text(key) for key in keys if _is_text(key)], scope))
    return [next(known) if _is_text(key) else Gone(*key) for key in keys]


def _tell(connection: Connection, keys: Sequence[str], scope: Scope) -> list[Change]:
    rows = connection.execute(query("tell_keys"), asdict(scope) | {"keys": keys})
    return [_change(row) for row in rows]


def _change(row: TupleRow) -> Change:
    key, known, node, phone, *speaks = row
    if key[0] == "e":
        return Rings(key[2:], node, phone) if known else Gone("e", key[2:])
    return ActsAs(key[2:], *speaks) if speaks[0] is not None else Gone("p", key[2:])


def _is_text(key: Key) -> bool:
    """Whether PostgreSQL can hold it: a node's listing may name what is not UTF-8, with surrogates for the bytes."""
    return key[1].isprintable() or (
        "\0" not in key[1] and not any("\ud800" <= letter <= "\udfff" for letter in key[1])
    )


def pending_keys(connection: Connection, version: int, keys: Iterable[Key]) -> set[Key]:
    """Those of the keys whose change a node at this version has not been told yet."""
    asked = [key_text(key) for key in keys if _is_text(key)]
    rows = connection.execute(query("list_pending_keys"), {"version": version, "keys": asked})
    return {read_key(key) for (key,) in rows}


def key_text(key: Key) -> str:
    """A key as the change log writes it."""
    return f"{key[0]}/{key[1]}"


def read_key(text: str) -> Key:
    """A key of the change log."""
    return ("e" if text[0] == "e" else "p", text[2:])


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of the table that a node must have, and where they end: the next piece goes on after this id."""

    changes: Sequence[Change]
    last: int


#: What is read of each kind: `list_piece_of_...` gives rows, `write_piece_of_...` the same as text.
_OF: dict[Kind, tuple[str, type[Rings | ActsAs]]] = {"e": ("routes", Rings), "p": ("phones", ActsAs)}


def read_piece(connection: Connection, scope: Scope, kind: Kind, after: int, limit: int) -> Piece | None:
    """The next rows of the table that a node must have, extensions or phones; None: there are no more.

    `after` is the id of an extension or of a phone. With a scope it is that of an extension for both, and a change of the scope begins anew.
    """
    name, make = _OF[kind]
    piece = f"piece_of_{name}" if scope.serves_all else f"piece_of_served_{name}"
    while True:
        parameters = asdict(scope) | {"after": after, "limit": limit}
        written = connection.execute(query(f"write_{piece}"), parameters, binary=True).fetchone()
        assert written is not None  # it is one row, of nothing but NULLs if need be
        last, count, keys, fields = written
        if last is None:
            return None
        if count:
            changes = SoundRows.of(kind, keys, fields, count)
            return Piece(changes, last) if changes else _rows(connection, f"list_{piece}", make, parameters)
        after = last


def _rows(
    connection: Connection, statement: str, make: type[Rings | ActsAs], parameters: dict[str, object]
) -> Piece | None:
    """A piece in which something is odd: `roost.pbx.checked` finds the row."""
    rows = connection.execute(query(statement), parameters).fetchall()
    return Piece([make(*row[1:]) for row in rows if row[1] is not None], rows[-1][0]) if rows else None


def count_keys(connection: Connection, scope: Scope) -> int:
    """How many keys a node must have, about."""
    row = connection.execute(query("count_keys"), asdict(scope)).fetchone()
    return row[0] if row else 0


def count_held(connection: Connection) -> int:
    """How many keys a node may hold, at most: what it no longer must have, since its scope was narrowed or much was removed, is still there."""
    row = connection.execute(query("count_held_keys")).fetchone()
    return row[0] if row else 0


def everything(connection: Connection, scope: Scope = EVERYWHERE) -> Iterator[Change]:
    """The whole table a node must have, at once: for those who look on."""
    for statement, rows in (("list_all_routes", args_row(Rings)), ("list_all_phones", args_row(ActsAs))):
        yield from connection.cursor(row_factory=rows).execute(query(statement), asdict(scope))


def enabled_nodes(database: Database) -> list[str]:
    """The names of the nodes that are pushed to."""
    with database.connection() as connection:
        return [name for (name,) in connection.execute(query("list_enabled_nodes"))]
