"""A fence around a node that is written while nobody holds its row: until it is lifted, or its time is over, everybody finds the row held.

It is the row's column `written_until`, put up in the transaction that frees the row. If the process dies, the fence ends by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from roost.database import Connection, query


def put_up(connection: Connection, node_ids: Sequence[int], seconds: float) -> dict[int, datetime]:
    """Put a fence around each of these nodes, whose rows are held; until when it stands, which is what lifts it."""
    parameters = {"node_ids": list(node_ids), "seconds": seconds}
    return dict(connection.execute(query("put_up_fence"), parameters).fetchall())


def lift(connection: Connection, node_id: int, until: datetime) -> bool | None:
    """Lift a fence, and hold the row until the transaction ends; whether there are rows that the node refused.

    None: the fence ended, and somebody else took the node over. Waits for who holds the row, an operator for instance.
    """
    row = connection.execute(query("lift_fence"), {"node_id": node_id, "until": until}).fetchone()
    return row[0] if row else None
