"""Audits of nodes, one at a time in a push worker, beside its pushes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import structlog

from roost.database import Database
from roost.errors import DatabaseUnavailable, NodeRefused, NodeUnavailable
from roost.nodes.audit import Audited, audit
from roost.nodes.converge import fail
from roost.nodes.holding import Nodes

#: After each piece an audit rests as long as that took, so that pushes have at least half of the time.
REST = 1.0

log = structlog.get_logger(__name__)


class Auditor:
    """Audits the nodes it is told of, each once, in order. What is lost with the process is gone on with by another."""

    def __init__(self, database: Database, nodes: Nodes, retry_max: float) -> None:
        self._database = database
        self._nodes = nodes
        self._retry_max = retry_max
        self._one = ThreadPoolExecutor(1, "audit")
        self._waiting: set[str] = set()
        self._lock = threading.Lock()

    def ask(self, node: str) -> None:
        """Have the node audited, unless it waits for that already."""
        with self._lock:
            if node in self._waiting:
                return
            self._waiting.add(node)
        self._one.submit(self._audit, node)

    def _audit(self, node: str) -> None:
        with self._lock:
            self._waiting.discard(node)
        try:
            found = audit(self._database, node, self._nodes, self._retry_max, REST)
            if isinstance(found, Audited) and found.drift:
                log.warning("node_drifted", node=node, mended=found.drift)
        except (NodeUnavailable, NodeRefused) as error:
            fail(self._database, node, self._nodes, self._retry_max, error)
            log.warning("audit_broke_off", node=node, error=str(error))
        except DatabaseUnavailable:
            log.warning("database_unavailable", task="audit", node=node)
        except Exception:
            log.exception("audit_failed", node=node)
