"""`roost audit`: the whole table of nodes, compared with the database."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated

import typer

from roost.errors import SettingMissing
from roost.nodes.status import PATIENCE, NodeStatus, await_audits, is_audited, request_audit
from roost.settings import settings
from tasks.broker import BROKER_LOST
from tasks.wake import wake_nodes
from workers.cli.exits import Exit
from workers.cli.output import AsJson, note, plain, show_json, show_rows
from workers.cli.progress import progress
from workers.cli.session import open_database


def audit(
    node: Annotated[str | None, typer.Argument(metavar="[NODE]", help="Only this one.")] = None,
    *,
    deadline: Annotated[
        float | None,
        typer.Option(
            min=1,
            max=86400,
            help=f"Wait so many seconds at most; without, as long as keys are compared, and {PATIENCE:g} more.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Have nodes compared with the database, entry by entry; what differs (drift) is mended and counted.

    Exit codes: 0 no drift, 1 drift was mended, 6 a node was not audited in time.
    """
    with open_database() as database:
        asked = request_audit(database, node)
        _wake(list(asked))
        with progress() as tell:

            def show(nodes: list[NodeStatus]) -> None:
                tell("auditing", *_keys(nodes, asked))

            found = await_audits(database, asked, deadline or math.inf, tell=show)
    if as_json:
        show_json([{**plain(each), "result": _result(each, asked)} for each in found])
    else:
        show_rows(
            ("node", "result", "drift mended", "last error"),
            [_row(each, asked) for each in found],
            right=("drift mended",),
            wraps=("last error",),
        )
    if not all(is_audited(each, asked) for each in found):
        raise typer.Exit(Exit.UNAVAILABLE)
    if any(each.drift for each in found):
        raise typer.Exit(Exit.WARNING)


def _wake(names: list[str]) -> None:
    """Spare the wait for the next sweep; without a broker only the sweep of a running cluster would come."""
    try:
        settings().need("broker_url")
        wake_nodes(names)
    except (*BROKER_LOST, SettingMissing) as error:
        note(f"warning: no wake-up could be sent ({type(error).__name__}); waiting for the next sweep")


def _keys(nodes: list[NodeStatus], asked: dict[str, datetime]) -> tuple[int, int]:
    """How many keys of about how many are compared. Who was audited already has no count; who waits has none yet."""
    total = sum(node.keys_total or 0 for node in nodes)
    waiting = sum(not is_audited(node, asked) for node in nodes)
    return sum(node.keys_done or 0 for node in nodes), max(total, waiting)


def _row(node: NodeStatus, asked: dict[str, datetime]) -> tuple[object, ...]:
    done = is_audited(node, asked)
    return (node.name, _result(node, asked), node.drift if done else None, node.last_error)


def _result(node: NodeStatus, asked: dict[str, datetime]) -> str:
    if is_audited(node, asked):
        return "mended" if node.drift else "as it should be"
    if node.doing is not None:
        return f"not audited in time ({node.doing} at {node.percent} %)"
    return "not audited in time"
