"""Watches from outside, on a connection of its own: the invariants all the time, and the nodes when asked."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import psycopg

from chaos.nodes import Node
from chaos.people import CROWD
from chaos.stage import Stage
from roost.database import Connection
from roost.errors import NodeRefused, NodeUnavailable
from roost.nodes.routes import Scope, everything, pending_keys, read_head
from roost.pbx.node import key_of
from roost.version import use_functions

#: Seconds between two looks at the invariants.
LOOK_EVERY = 0.05
_KEPT = 20

#: What the contract says can never be, in words.
_BROKEN = """
SELECT 'the phone ' || p.name || ' hosts its own extension' FROM phone p WHERE p.guest_id = p.base_id
UNION ALL SELECT 'the phone ' || p.name || ' hosts a guest without being provisioned' FROM phone p
          WHERE p.guest_id IS NOT NULL AND (p.base_id IS NULL OR NOT p.enabled)
UNION ALL SELECT 'the extension ' || e.number || ' is a guest on two phones' FROM extension e
          JOIN phone p ON p.guest_id = e.id GROUP BY e.id HAVING count(*) > 1
UNION ALL SELECT 'the phone ' || p.name || ' hosts somebody of another organization' FROM phone p
          JOIN extension e ON e.id = p.guest_id WHERE e.organization_id <> p.organization_id
UNION ALL SELECT 'the extension ' || key || ' rings at two phones' FROM rings GROUP BY key HAVING count(*) > 1
UNION ALL SELECT 'two phones ring for nobody known: ' || phone FROM rings WHERE phone IS NOT NULL
          GROUP BY phone HAVING count(*) > 1
"""


class Observer:
    """Looks until `stop`. `broken` counts the looks that found something; `found` says what, the first few."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="observer", daemon=True)
        self.looks = 0
        self.broken = 0
        self.found: list[str] = []

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join(30)

    def _watch(self) -> None:
        while not self._ended.is_set():
            # PostgreSQL is one of the things that fail here: then there is nothing to see until it is back.
            with (
                suppress(psycopg.OperationalError),
                connect(self._stage, "SET statement_timeout = 20000") as connection,
            ):
                self._look(connection)
            self._ended.wait(0.2)

    def _look(self, connection: Connection) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            broken = [text for (text,) in connection.execute(_BROKEN).fetchall()]
            self.looks += 1
            if broken:
                self.broken += 1
                self.found = [*self.found, *broken][:_KEPT]
            # Of a large organization a look takes long; PostgreSQL is not there for the harness alone.
            self._ended.wait(max(LOOK_EVERY, 3 * (time.monotonic() - began)))


def connect(stage: Stage, *statements: str) -> Connection:
    """A connection past every link, in autocommit mode; the statements are run first."""
    connection = psycopg.connect(stage.database_url, autocommit=True, connect_timeout=5)
    use_functions(connection)
    for statement in statements:
        connection.execute(statement)
    return connection


def differences(stage: Stage, node: Node, at_least: int = 0) -> list[str]:
    """How the node's table differs from the database, in words; what it was not told yet is no difference.

    A node behind version `at_least` has not caught up.
    """
    try:
        cursor = node.cursor()  # alone, for a whole table takes seconds
        if cursor is not None and cursor.version < at_least:
            return [f"{node.name} is at {cursor.version}, not at {at_least}"]
        cursor, table = node.holds()
    except (NodeUnavailable, NodeRefused) as error:
        return [f"{node.name}: {error}"]
    with connect(stage) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        head = read_head(connection)
        if cursor is None or cursor.lineage != head.lineage:
            return [f"{node.name} is of another lineage: {cursor}"]
        if cursor.version < at_least:
            return [f"{node.name} is at {cursor.version}, not at {at_least}"]
        row = connection.execute(
            "SELECT id, serves_all FROM pbx_node WHERE name = %s", (node.name,)
        ).fetchone()
        assert row is not None  # the harness registered it
        truth = {key_of(change): change for change in everything(connection, Scope(*row))}
        pending = pending_keys(connection, cursor.version, table.keys() | truth.keys())
    return [
        f"{node.name} has {table.get(key)} under {key}, not {truth.get(key)}"
        for key in table.keys() | truth.keys()
        if key not in pending and table.get(key) != truth.get(key)
    ]


def version_now(stage: Stage) -> int:
    """The version of the last numbered change."""
    with connect(stage) as connection:
        return read_head(connection).version


def unnumbered(stage: Stage) -> int:
    """How many changes were committed and have no number yet."""
    with connect(stage) as connection:
        row = connection.execute("SELECT count(*) FROM route_dirty").fetchone()
    return int(row[0]) if row else 0


def change_by_hand(stage: Stage) -> None:
    """Change what every node is told of, past every process of Roost: only the sweep finds it."""
    with connect(stage) as connection:
        connection.execute(
            "UPDATE extension e SET name = 'Changed at ' || clock_timestamp() FROM organization o"
            " WHERE o.id = e.organization_id AND o.code <> %s",
            (CROWD,),
        )
