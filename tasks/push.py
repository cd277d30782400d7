"""The jobs that bring nodes to the truth: one of them (queue `push.<node>`), or several (queue `push`)."""

from __future__ import annotations

import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog

from roost.database import Database
from roost.errors import DatabaseUnavailable
from roost.nodes.converge import Converged, converge
from roost.nodes.converge_together import PushTogether
from roost.nodes.holding import PushFailed
from roost.nodes.shared_news import SharedNews
from roost.settings import settings
from tasks.app import app
from tasks.at_first_use import at_first_use
from tasks.auditing import Auditor
from tasks.measures import PUSHED, PUSHES
from tasks.message_lamps import THREADS as LAMP_THREADS
from tasks.message_lamps import MessageLamps
from tasks.nodes import NodeConnections
from tasks.outages import DATABASE
from tasks.several import Several
from tasks.turns import Turns
from tasks.wake import PUSH_SEVERAL_TASK, PUSH_TASK

#: Threads of one push worker for each kind of job: a node that does not answer holds one of them until its deadline.
THREADS = 16

#: Set when this process is told to end, also by a signal's handler.
ENDING = threading.Event()

log = structlog.get_logger(__name__)


def _writing_may_take() -> float:
    """Seconds for which a node's row is held at most, or fenced, while the node does not answer."""
    return 2 * settings().node_deadline


@at_first_use
def _database() -> Database:
    # The transaction that holds the node's row is idle while the PBX is written, one batch at a time. What it writes there,
    # how far the node was seen to be, is only a note: the truth is the cursor in the node.
    return Database(
        settings().need("database_url"),
        size=2 * THREADS + LAMP_THREADS,
        idle_limit=_writing_may_take(),
        name="roost-push",
        one_plan=True,
        bookkeeping=True,
    )


@at_first_use
def _nodes() -> NodeConnections:
    return NodeConnections(settings())


@at_first_use
def _news() -> SharedNews:
    return SharedNews()


@at_first_use
def _auditor() -> Auditor:
    return Auditor(_database(), _nodes(), settings().node_retry_max, _converge, ENDING, _tell)


@at_first_use
def _message_lamps() -> MessageLamps:
    return MessageLamps(_database(), settings())


@at_first_use
def _several() -> Several:
    return Several(_turns(), _together(), _tell, ThreadPoolExecutor(THREADS, "push"))


@at_first_use
def _together() -> PushTogether:
    # Threads of their own, so that pushes to nodes that are known not to answer take none; and twice as many as one message names nodes.
    writing = ThreadPoolExecutor(2 * THREADS, "write")
    return PushTogether(
        _database(), _nodes(), settings().node_retry_max, settings().audit_every, _news(), _message_lamps().changed, writing,
        _writing_may_take(),
    )  # fmt: skip


def keep_only(nodes: Collection[str]) -> None:
    """These are the nodes that are pushed to: connections to others are closed."""
    _nodes().keep_only(nodes)


def _converge(node: str) -> Converged | PushFailed | None:
    return converge(
        _database(), node, _nodes(), settings().node_retry_max, settings().audit_every, _news(),
        partial(_message_lamps().changed, node),
    )  # fmt: skip


@app.task(name=PUSH_TASK)
def push(node: str) -> None:
    """Bring the node to the truth."""
    _turns().take(node)


@app.task(name=PUSH_SEVERAL_TASK)
def push_several(nodes: list[str]) -> None:
    """Bring each of the nodes to the truth.

    One message for all of them, since a message costs a push worker twice as much as what is done with it.
    """
    _several().push(nodes)


@at_first_use
def _turns() -> Turns:
    return Turns(_push)


def _push(node: str) -> bool:
    """Converge the node; what fails is tried again when the sweep finds it due. False: another process holds it, or it is not due."""
    try:
        result = _converge(node)
    except DatabaseUnavailable as error:
        DATABASE.gone(task=PUSH_TASK, node=node, error=str(error))
        PUSHES.labels(node, error.code).inc()
        return True
    if result is not None:
        _tell(node, result)
    return result is not None


def _tell(node: str, result: Converged | PushFailed) -> None:
    """Count a push, and log what is not as usual. A failure is logged when it begins and when it ends: a node that is away for a day would fill the log."""
    if isinstance(result, PushFailed):
        PUSHES.labels(node, result.code).inc()
        if result.begins:
            log.warning("node_failed", node=node, code=result.code, error=result.error)
        return
    PUSHES.labels(node, "done").inc()
    _message_lamps().pushed(node)
    PUSHED.labels(node).inc(result.sent)
    if result.failed_before:
        log.info("node_back", node=node, attempts=result.failed_before)
    if result.refused:
        log.warning("rows_refused", node=node, rows=result.refused)
    if result.sent:
        _auditor().pushed()
    if result.audit_due:
        _auditor().ask(node, often=result.often)
