"""The PBX nodes: whether they answer, keep up, and hold what they should."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from psycopg.rows import class_row
from pydantic import SecretStr

from roost.database import Database, query
from roost.diagnosis.finding import Finding, Level, is_public
from roost.errors import NodeRefused, RoostError
from roost.nodes.refused_rows import list_refused_rows
from roost.nodes.status import NodeStatus, cluster_status
from roost.pbx import connect
from roost.pbx.node import NodeAddress
from roost.seal import NODE_SECRET, unseal
from roost.settings import Settings

#: Nodes that are tried at once.
_AT_ONCE = 16
#: An up-to-date node that no push reached for so many sweeps, and seconds more, has nobody who looks after it.
_STALE_SWEEPS = 5
_STALE_SECONDS = 10.0


class _Login(NamedTuple):
    name: str
    kind: str
    host: str
    port: int
    username: str
    secret: bytes


def check_nodes(database: Database, settings: Settings) -> Iterator[Finding]:
    """Look at each node in use."""
    found = cluster_status(database)
    in_use = [node for node in found.nodes if node.enabled]
    with database.connection() as connection, connection.cursor(row_factory=class_row(_Login)) as cursor:
        logins = cursor.execute(query("list_node_addresses")).fetchall()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = {login.name: pool.submit(_reach, login, settings) for login in logins}
    for node in in_use:
        if is_public(node.host):
            yield Finding(
                "nodes", Level.WARNING, f"{node.name}: AMI at the public address {node.host} is plain text.",
                "Reach it over a private network or a tunnel.",
            )  # fmt: skip
        reached = answers[node.name].result() if node.name in answers else None
        if reached is not None:
            yield reached
        if reached is None or reached.level is Level.OK:
            yield from _state(node, settings)
    for row in list_refused_rows(database):
        yield Finding(
            "nodes", Level.ERROR, f"{row.node} cannot hold {row.key}: {row.reason}",
            "Shorten what is set on that extension or phone; calls there go by what the node knew before.",
        )  # fmt: skip
    if found.unnumbered and in_use:
        yield from _unnumbered(found.unnumbered, in_use, settings)


def _state(node: NodeStatus, settings: Settings) -> Iterator[Finding]:
    stale = _STALE_SECONDS + _STALE_SWEEPS * settings.sweep_every
    if node.failures:
        yield Finding(
            "nodes", Level.ERROR, f"{node.name}: the last {node.failures} pushes failed: {node.last_error}",
            "Mend what the error says; it catches up by itself then.",
        )  # fmt: skip
    elif node.seen_ago is None or node.seen_ago > stale:
        since = "never" if node.seen_ago is None else f"not for {node.seen_ago:.0f} s"
        yield Finding(
            "nodes", Level.ERROR, f"{node.name}: pushed to {since}, though nothing failed.",
            "Start a `beat` and a `push` worker.",
        )  # fmt: skip
    elif node.behind:
        yield Finding(
            "nodes",
            Level.WARNING,
            f"{node.name}: lacks {node.behind} changes.",
            "Look again: roost status --watch",
        )
    if node.drift:
        yield Finding(
            "nodes", Level.WARNING, f"{node.name}: its last audit mended {node.drift} entries.",
            "Find who else writes the family `roost` of its AstDB; then roost audit.",
        )  # fmt: skip


def _unnumbered(count: int, nodes: list[NodeStatus], settings: Settings) -> Iterator[Finding]:
    if all(node.seen_ago is None or node.seen_ago > _STALE_SECONDS + settings.sweep_every for node in nodes):
        yield Finding(
            "nodes", Level.ERROR, f"{count} changes wait to be announced, and nobody announces.", "Start a `beat` and a `push` worker.",
        )  # fmt: skip


def _reach(row: _Login, settings: Settings) -> Finding:
    """Log in to the node where this machine has the key; else only connect."""
    try:
        if settings.seal_private_key is None:
            socket.create_connection((row.host, row.port), settings.node_deadline).close()
            return Finding(
                "nodes",
                Level.OK,
                f"{row.name}: {row.host}:{row.port} takes connections; no login without the private key.",
            )
        secret = unseal(settings.seal_private_key.get_secret_value(), NODE_SECRET, row.secret.decode())
        address = NodeAddress(row.host, row.port, row.username, SecretStr(secret))
        node = connect(row.kind, address, settings.node_deadline)
        try:
            return Finding("nodes", Level.OK, f"{row.name}: {node.health()} answers.")
        finally:
            node.close()
    except NodeRefused as error:
        return Finding(
            "nodes",
            Level.ERROR,
            f"{row.name}: {error}",
            f"Check manager.conf there; roost node set {row.name} --secret",
        )
    except RoostError as error:
        return Finding(
            "nodes",
            Level.ERROR,
            f"{row.name}: {error}",
            "Check the node, its address and the firewall between.",
        )
    except OSError as error:
        return Finding(
            "nodes", Level.ERROR, f"{row.name}: {row.host}:{row.port}: {error.strerror or 'no answer in time'}",
            "Check the node, its address and the firewall between.",
        )  # fmt: skip
