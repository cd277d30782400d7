"""How much a statement reads, and what there is to read: many desks, written without triggers."""

from __future__ import annotations

from typing import Any

from roost.database import Connection, query
from tests.world import World

#: Everybody is a Person, and a fifth of them sit at the desk of somebody else.
MANY_DESKS = """
INSERT INTO organization (code) VALUES ('0001'), ('0002');
INSERT INTO extension (organization_id, number, name) SELECT o.id, lpad(i::text, 6, '0'), 'Person ' || i
FROM organization o, generate_series(1, CASE o.code WHEN '0001' THEN 8000 ELSE 2000 END) i;
INSERT INTO phone (organization_id, name, node_id, base_id)
SELECT organization_id, 'desk-' || organization_id || '-' || number, (SELECT min(id) FROM pbx_node), id FROM extension;
UPDATE phone SET guest_id = base_id + 1, guest_since = now() WHERE base_id % 5 = 1
"""


def fill(world: World, statements: str) -> None:
    """Run them without triggers, which would take most of the time."""
    with world.database.connection() as connection:
        for statement in (
            "SET session_replication_role = replica",
            *statements.split(";"),
            "RESET session_replication_role",
        ):
            connection.execute(statement)
        connection.execute("VACUUM ANALYZE")


def pages_read(world: World, statement: str, params: dict[str, object]) -> int:
    """Pages of the database that a named statement looks at."""
    with world.database.connection() as connection:
        row = connection.execute(f"EXPLAIN (ANALYZE, FORMAT json) {query(statement)}", params).fetchone()
    assert row is not None
    return int(row[0][0]["Plan"]["Shared Hit Blocks"])


def rows_passed(world: World, statement: str, params: dict[str, object]) -> int:
    """Rows that the steps of a named statement pass on, or leave out, all together; those that are read from an index alone too."""

    def of(plan: dict[str, Any]) -> float:
        rows = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
        return float(plan["Actual Loops"] * rows) + sum(map(of, plan.get("Plans", ())))

    with world.database.connection() as connection:
        row = connection.execute(f"EXPLAIN (ANALYZE, FORMAT json) {query(statement)}", params).fetchone()
    assert row is not None
    return round(of(row[0][0]["Plan"]))


def rows_read(world: World, statement: str, params: dict[str, object]) -> int:
    """Rows that a named statement looks at, whether it is planned or run, in the functions that it calls too. What it writes is undone."""

    def so_far(connection: Connection) -> int:
        row = connection.execute(
            "SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_xact_user_tables"
        ).fetchone()
        assert row is not None
        return int(row[0])

    with world.database.connection() as connection, connection.transaction(force_rollback=True):
        before = so_far(connection)
        connection.execute(query(statement), params)
        return so_far(connection) - before
