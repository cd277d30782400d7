"""The PBX nodes: whether they answer, keep up, and hold what they should."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any

from psycopg.rows import class_row
from pydantic import SecretStr

from roost.database import Database, query
from roost.directory.node_options import address_of, joined
from roost.directory.records import NodeLogin
from roost.errors import NodeRefused, RoostError
from roost.finding import Finding, Level
from roost.nodes.refused_rows import list_refused_rows
from roost.nodes.status import NodeStatus, cluster_status
from roost.pbx.checked import AdapterFailed, adapter_faults
from roost.pbx.kinds import Examined, PbxKind, kind_named, kinds
from roost.pbx.node import NodeAddress
from roost.pbx.tls import TlsRefused
from roost.settings import Settings
from roost.wording import count_of, shown

#: Nodes that are tried at once.
_AT_ONCE = 16
#: An up-to-date node that no push reached for so many sweeps, and seconds more, has nobody who looks after it.
_STALE_SWEEPS = 5
_STALE_SECONDS = 10.0
#: Phones of a node that its kind may look at.
_MOST_PHONES = 1000
_NO_ANSWER = "Check the node, its address and the firewall between."
_MEND_ADAPTER = "Update the package that brings its kind, or tell those who make it."


def check_nodes(database: Database, settings: Settings) -> Iterator[Finding]:
    """Look at each node in use."""
    found = cluster_status(database)
    in_use = [node for node in found.nodes if node.enabled]
    with database.connection() as connection, connection.cursor(row_factory=class_row(NodeLogin)) as cursor:
        logins = cursor.execute(query("list_node_addresses")).fetchall()
        phones = dict(connection.execute(query("list_phones_at_nodes"), {"most": _MOST_PHONES}).fetchall())
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = {
            login.name: pool.submit(_look, login, settings, phones.get(login.name, ())) for login in logins
        }
    for node in in_use:
        reached = answers[node.name].result() if node.name in answers else []
        yield from reached
        if all(finding.level is not Level.ERROR for finding in reached):
            yield from check_state(node, settings)
    for row in list_refused_rows(database):
        yield Finding(
            "nodes", Level.ERROR, f"{row.node} cannot hold {row.key}: {row.reason}",
            "Do as it says, or shorten what is set on that extension or phone; calls there go by what the node knew before.",
        )  # fmt: skip
    if found.unnumbered and in_use:
        yield from _unnumbered(found.unnumbered, in_use, settings)


def check_state(node: NodeStatus, settings: Settings, *, passing: bool = True) -> Iterator[Finding]:
    """What its status says of a node, also what is `passing`; the node itself is not asked. One that is disabled may be as it likes."""
    if not node.enabled:
        return
    stale = _STALE_SECONDS + _STALE_SWEEPS * settings.sweep_every
    if node.failures:
        yield Finding(
            "nodes", Level.ERROR, f"{node.name}: {count_of(node.failures, 'push', 'pushes')} failed since it last answered: {node.last_error}",
            "Mend what the error says; it catches up by itself then.",
        )  # fmt: skip
    elif node.seen_ago is None or node.seen_ago > stale:
        since = "never" if node.seen_ago is None else f"not for {node.seen_ago:.0f} s"
        yield Finding(
            "nodes", Level.ERROR, f"{node.name}: pushed to {since}, though nothing failed.",
            "A `beat` and a `push` worker must run, and RabbitMQ take their messages.",
        )  # fmt: skip
    elif node.behind and (passing or node.is_far_behind):
        yield Finding(
            "nodes", Level.WARNING, f"{node.name}: lacks {count_of(node.behind, 'change')}.",
            "Look again with `roost status --watch`. If they do not get fewer, add a `push` worker.",
        )  # fmt: skip
    if node.drift:
        yield Finding(
            "nodes", Level.WARNING, f"{node.name}: its last audit mended {count_of(node.drift, 'entry', 'entries')}.",
            f"{_who_drifted(node.kind)} Then: roost audit",
        )  # fmt: skip


def _who_drifted(kind: str) -> str:
    return kinds()[kind].if_drifted if kind in kinds() else "Find who else writes its table."


def _unnumbered(count: int, nodes: list[NodeStatus], settings: Settings) -> Iterator[Finding]:
    if all(node.seen_ago is None or node.seen_ago > _STALE_SECONDS + settings.sweep_every for node in nodes):
        yield Finding(
            "nodes", Level.ERROR, f"{count_of(count, 'change')} not announced, and nobody announces.", "A `beat` and a `push` worker must run, and RabbitMQ take their messages.",
        )  # fmt: skip


def _look(row: NodeLogin, settings: Settings, phones: Sequence[str]) -> list[Finding]:
    """What a node says of itself, and what its kind says of it."""
    try:
        kind = kind_named(row.kind)
        options = kind.parse(joined(row.username, row.options))
        address = _address(row, settings)
    except RoostError as error:
        mend = "Install what brings its kind here, or mend it with roost node set."
        return [Finding("nodes", Level.ERROR, f"{row.name}: {error}", mend)]
    node = Examined(row.name, address, options, None, settings.feature_code, phones)
    try:
        if settings.seal_private_key is None and kind.has_secret:
            found = [_connect_only(row, settings.node_deadline), *_examined(kind, node)]
        else:
            with closing(kind.open(address, settings.node_deadline)) as reached:
                found = [Finding("nodes", Level.OK, f"{reached.health()} answers.")]
                found += _examined(kind, replace(node, node=reached.inside))
    except TlsRefused as error:
        mend = error.mend.replace(" NODE ", f" {row.name} ")
        found = [Finding("nodes", Level.ERROR, error.what, mend), *_examined(kind, node)]
    except NodeRefused as error:
        mend = f"{kind.if_refused} Then: roost node set {row.name} --secret"
        found = [Finding("nodes", Level.ERROR, str(error), mend), *_examined(kind, node)]
    except RoostError as error:
        mend = _MEND_ADAPTER if isinstance(error, AdapterFailed) else _NO_ANSWER
        found = [Finding("nodes", Level.ERROR, str(error), mend), *_examined(kind, node)]
    return [replace(finding, says=shown(f"{row.name}: {finding.says}")) for finding in found]


def _examined(kind: PbxKind[Any], node: Examined[Any]) -> list[Finding]:
    """What its kind says of a node, if that fails too: it hides no other node."""
    try:
        with adapter_faults():
            return list(kind.examine(node))
    except AdapterFailed as error:
        return [Finding("nodes", Level.ERROR, str(error), _MEND_ADAPTER)]


def _address(row: NodeLogin, settings: Settings) -> NodeAddress:
    """How to reach a node; without the private key its secret is left empty."""
    if settings.seal_private_key is None:
        return NodeAddress(row.kind, row.host, row.port, SecretStr(""), joined(row.username, row.options))
    return address_of(row, settings.private_keys)


def _connect_only(row: NodeLogin, deadline: float) -> Finding:
    place = f"{row.host}:{row.port}"
    try:
        socket.create_connection((row.host, row.port), deadline).close()
    except UnicodeError:
        return Finding("nodes", Level.ERROR, f"{place}: The host name is malformed.", _NO_ANSWER)
    except OSError as error:
        return Finding("nodes", Level.ERROR, f"{place}: {error.strerror or 'no answer in time'}", _NO_ANSWER)
    return Finding("nodes", Level.OK, f"{place} takes connections; no login without the private key.")
