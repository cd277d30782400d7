"""A full send to one empty Asterisk, over a raw pipelined DBPut loop of as many keys to the same Asterisk."""

from __future__ import annotations

import time
from statistics import median

from benchmarks.raw_ami import RawAmi
from benchmarks.stage import Rig, Stage
from roost.converge import Converged, converge
from roost.database import Database
from roost.pbx.astdb import key, value
from roost.pbx.node import Gone, key_of
from roost.routes import everything
from tasks.nodes import NodeConnections


def measure(rig: Rig, *, extensions: int = 100_000, runs: int = 5) -> dict[str, object]:
    """The push job as it is, but called here: it starts when it starts, and ends when the cursor is acknowledged."""
    seconds: dict[str, list[float]] = {"roost": [], "raw": []}
    with Stage(rig, "resync", extensions=extensions, asterisk=1, bind=0, counts={"push": 0}) as stage:
        (node,) = stage.asterisk
        database = Database(stage.url, idle_limit=30)
        with database.connection() as connection:
            connection.execute("UPDATE pbx_node SET enabled = true WHERE name = %s", (node.name,))
            pairs = [(key(key_of(c)), value(c)) for c in everything(connection) if not isinstance(c, Gone)]
        for _ in range(runs):
            node.database_clear("bench") if seconds["raw"] else None
            raw = RawAmi(stage.nodes[node.name])
            began = time.perf_counter()
            succeeded = raw.put_all(pairs)
            seconds["raw"].append(time.perf_counter() - began)
            raw.close()
            assert succeeded == len(pairs), "every raw DBPut succeeded"
            if seconds["roost"]:
                node.database_clear()
            nodes = NodeConnections(stage.settings)
            began = time.perf_counter()
            result = converge(database, node.name, nodes, 1)
            seconds["roost"].append(time.perf_counter() - began)
            nodes.close()
            assert isinstance(result, Converged), result
            assert result.sent == len(pairs), "every key was sent"
        database.close()
    return {
        "resync_vs_dbput": median(
            raw / ours for raw, ours in zip(seconds["raw"], seconds["roost"], strict=True)
        ),
        "keys": len(pairs),
        "roost_keys_per_second": len(pairs) / median(seconds["roost"]),
        "raw_keys_per_second": len(pairs) / median(seconds["raw"]),
    }
