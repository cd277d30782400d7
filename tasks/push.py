"""The job that brings one node to the truth, and the audit that finds what drifted. Queue `push.<node>`."""

from __future__ import annotations

import structlog

from roost.database import Database
from roost.errors import DatabaseUnavailable
from roost.nodes.converge import Converged, PushFailed, audit, converge
from roost.settings import settings
from tasks.app import app
from tasks.nodes import NodeConnections
from tasks.once import once
from tasks.wake import PUSH_TASK

#: Threads of one push worker: a node that does not answer holds one of them until its deadline.
THREADS = 16

log = structlog.get_logger(__name__)


@once
def _database() -> Database:
    # The transaction that holds the node's row is idle while the PBX is written, one batch at a time. What it writes there,
    # how far the node was seen to be, is only a note: the truth is the cursor in the node.
    return Database(
        settings().need("database_url"),
        size=2 * THREADS,
        idle_limit=2 * settings().node_deadline,
        name="roost-push",
        one_plan=True,
        bookkeeping=True,
    )


@once
def _nodes() -> NodeConnections:
    return NodeConnections(settings())


@app.task(name=PUSH_TASK)
def push(node: str) -> None:
    """Converge the node; what fails is tried again when the sweep finds it due."""
    retry_max = settings().node_retry_max
    try:
        result = converge(_database(), node, _nodes(), retry_max, settings().audit_every)
        if isinstance(result, Converged) and result.audit_due:
            found = audit(_database(), node, _nodes(), retry_max)
            if isinstance(found, Converged) and found.sent:
                log.warning("node_drifted", node=node, mended=found.sent)
    except DatabaseUnavailable as error:
        log.warning("database_unavailable", task=PUSH_TASK, node=node, error=str(error))
        return
    if isinstance(result, PushFailed):
        log.warning("node_failed", node=node, error=result.error)
