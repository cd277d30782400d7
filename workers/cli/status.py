"""`roost status`: how far each node is."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from roost.database import Database
from roost.diagnosis.nodes import check_state
from roost.directory.organization_steps import OrganizationSteps, steps_left
from roost.errors import DatabaseUnavailable, Invalid
from roost.finding import Finding, Level
from roost.nodes.status import ClusterStatus, NodeState, NodeStatus, cluster_status
from roost.settings import settings
from roost.wording import count_of
from workers.cli.exits import Exit
from workers.cli.output import AsJson, cell, console, laid_out, plain, show_json
from workers.cli.session import open_database

_STYLES = {
    NodeState.UP_TO_DATE: "green",
    NodeState.BEHIND: "yellow",
    NodeState.FAILING: "bold red",
    NodeState.NEVER_SEEN: "yellow",
    NodeState.DISABLED: "dim",
}
_FOUND = {Level.WARNING: "yellow", Level.ERROR: "red"}


def status(
    node: Annotated[str | None, typer.Argument(metavar="[NODE]", help="Only this one.")] = None,
    *,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Refresh until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.2, max=3600, help="Seconds between refreshes.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Show how far each node is behind the database, when it was last seen, and what is to be mended.

    Exit codes: 0 all is well, 1 a node is far behind or somebody else wrote its table, 7 a node fails, or nobody reaches it.
    """
    if watch and as_json:
        raise Invalid("--watch is for people; call --json again and again.")
    with open_database() as database:
        if watch:
            _watch(database, node, every)
            return
        found, steps = cluster_status(database, node), steps_left(database)
    if as_json:
        show_json(
            {**plain(found), "nodes": [_as_json(each) for each in found.nodes], "organizations": plain(steps)}
        )
    else:
        console().print(_page(found, steps))
    exit_code = _exit_code(found)
    if exit_code is not Exit.DONE:
        raise typer.Exit(exit_code)


def _exit_code(found: ClusterStatus) -> Exit:
    """What a monitoring system is told: the worst that is so of any node."""
    levels = {finding.level for finding in _findings(found)}
    if Level.ERROR in levels:
        return Exit.BROKEN
    return Exit.WARNING if Level.WARNING in levels else Exit.DONE


def _findings(found: ClusterStatus) -> list[Finding]:
    """What is to be mended, as `roost doctor` and the page of the cluster say it."""
    return [finding for node in found.nodes for finding in check_state(node, settings(), passing=False)]


def _watch(database: Database, node: str | None, every: float) -> None:
    """Show it again and again; a database that is away is said, and awaited."""
    with Live(
        _page(cluster_status(database, node), steps_left(database)),
        console=console(),
        auto_refresh=False,
        screen=True,
    ) as live:
        try:
            while True:
                time.sleep(every)
                try:
                    page = _page(cluster_status(database, node), steps_left(database))
                except DatabaseUnavailable as error:
                    page = Group(Text(str(error), style="bold red"))
                live.update(page, refresh=True)
        except KeyboardInterrupt:
            return


def _as_json(node: NodeStatus) -> dict[str, object]:
    return {**plain(node), "state": node.state.value, "lag_seconds": node.lag}


def _page(found: ClusterStatus, steps: list[OrganizationSteps]) -> Group:
    unnumbered = f", {count_of(found.unnumbered, 'change')} to announce" if found.unnumbered else ""
    title = Text(f"Database version {found.version}{unnumbered}, {found.now.astimezone():%Y-%m-%d %H:%M:%S}")
    rows = [
        (
            each.name,
            Text(each.state.value.replace("_", " "), style=_STYLES[each.state]),
            each.applied_version,
            _behind(each),
            "never" if each.seen_ago is None else f"{_ago(each.seen_ago)} ago",
            _drift(each),
            each.kind,
        )
        for each in found.nodes
    ]
    columns = ("node", "state", "version", "behind", "last seen", "drift", "kind")
    errors = [
        Text.assemble((cell(finding.says).plain, _FOUND[finding.level]), f"\n→ {finding.mend}")
        for finding in _findings(found)
    ]
    errors += [
        Text(
            f"{each.name}: cannot hold {count_of(each.refused_rows, 'row')}: roost doctor names what",
            style="red",
        )
        for each in found.nodes
        if each.refused_rows
    ]
    errors += [
        Text(
            f"organization {each.code}: {'being removed' if each.removing else 'its nodes are told'}, "
            f"{each.done} of about {count_of(each.total, 'extension')}", style="yellow",
        )
        for each in steps
    ]  # fmt: skip
    body = (
        laid_out(columns, rows, right=("version",), wraps=("node", "behind"))
        if rows
        else Text("There are no nodes: roost node add")
    )
    return Group(title, Text(), body, *([Text(), *errors] if errors else []))


def _behind(node: NodeStatus) -> str:
    if not node.behind:
        return ""
    return count_of(node.behind, "change") + ("" if node.lag is None else f", {_ago(node.lag)}")


def _drift(node: NodeStatus) -> Text:
    if node.doing is not None and node.doing_since is not None:
        return Text(
            f"{node.doing} {node.percent} % since {node.doing_since.astimezone():%H:%M:%S}", style="yellow"
        )
    if node.audited_at is None:
        return Text("not audited", style="dim")
    return Text(f"{node.drift} mended", style="yellow") if node.drift else Text("none", style="dim")


def _ago(seconds: float) -> str:
    if seconds < 120:
        return f"{max(seconds, 0):.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
