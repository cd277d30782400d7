"""`roost doctor`: what is missing or unsafe, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from roost.database import Database
from roost.diagnosis.database import check_directory, check_server
from roost.diagnosis.nodes import check_nodes
from roost.diagnosis.queues import QueueState, broker_away, check_login, check_queues
from roost.diagnosis.settings import check_settings
from roost.env_file import env_file
from roost.errors import BrokerUnavailable, RoostError
from roost.finding import Finding, Level
from roost.nodes.routes import enabled_nodes
from roost.settings import Settings, settings
from roost.wording import count_of
from tasks.queues import Queues, states_of
from workers.cli.exits import Exit
from workers.cli.output import AsJson, cell, console, say, show_json

_STYLES = {Level.OK: "green", Level.NOTE: "cyan", Level.WARNING: "yellow", Level.ERROR: "bold red"}


def doctor(*, as_json: AsJson = False) -> None:
    """Look for what is missing or unsafe, and say how to mend it.

    Exit codes: 0 all is well, 1 warnings, 7 errors. Notes are only good to know.
    """
    found = list(_examine(settings()))
    if as_json:
        show_json(found)
    else:
        _show(found)
    levels = {finding.level for finding in found}
    if Level.ERROR in levels:
        raise typer.Exit(Exit.BROKEN)
    if Level.WARNING in levels:
        raise typer.Exit(Exit.WARNING)


def _examine(config: Settings) -> Iterator[Finding]:
    nodes: list[str] = []
    yield from _guarded("settings", check_settings(config, env_file()))
    if config.database_url is not None:
        server = list(_guarded("database", check_server(config.need("database_url"))))
        yield from server
        if all(finding.level is not Level.ERROR for finding in server):
            yield from _guarded("database", _examine_database(config, nodes))
    if config.broker_url is not None:
        yield from _guarded("broker", _examine_broker(config, nodes))


def _examine_database(config: Settings, nodes: list[str]) -> Iterator[Finding]:
    """What is in the database, and the nodes it names; `nodes` is given their names."""
    database = Database(config.need("database_url"), size=2, name="roost-doctor")
    try:
        nodes += enabled_nodes(database)
        yield from check_directory(database, config)
        yield from check_nodes(database, config)
    finally:
        database.close()


def _examine_broker(config: Settings, nodes: list[str]) -> Iterator[Finding]:
    try:
        queues, is_shared = _look(config, nodes)
    except BrokerUnavailable as error:
        yield broker_away(error.detail)
        return
    yield Finding("broker", Level.OK, "RabbitMQ answers, and takes messages.")
    yield from check_queues(queues)
    yield from check_login(is_shared=is_shared)


def _guarded(check: str, examination: Iterator[Finding]) -> Iterator[Finding]:
    """What an examination finds. If it cannot go on, that is one more finding: the others are still made and shown."""
    try:
        yield from examination
    except RoostError as error:
        yield Finding(check, Level.ERROR, str(error), "Mend this first, then run `roost doctor` again.")
    except Exception as error:  # noqa: BLE001 - whatever it is, the other findings are worth more than a traceback
        yield Finding(
            check, Level.ERROR, f"This examination failed ({type(error).__name__}).", "Please report it: it is a fault of Roost.",
        )  # fmt: skip


def _look(config: Settings, nodes: list[str]) -> tuple[list[QueueState], bool]:
    """Ask the broker for our queues, and whether our login is good for everything. Raises BrokerUnavailable."""
    broker = Queues(config)
    try:
        seen = broker.look(tuple(nodes))
        is_shared = broker.shares_a_login()
    finally:
        broker.close()
    return states_of(seen), is_shared


def _show(found: list[Finding]) -> None:
    page = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    page.add_column("", no_wrap=True)
    page.add_column("check", no_wrap=True)
    page.add_column("found", overflow="fold")
    for finding in found:
        text = cell(finding.says)
        if finding.mend:
            text = Text.assemble(text, "\n", (f"→ {finding.mend}", "bold"))
        page.add_row(Text(finding.level.value, style=_STYLES[finding.level]), cell(finding.check), text)
    console().print(page)
    counts = {
        level: sum(finding.level is level for finding in found) for level in (Level.ERROR, Level.WARNING)
    }
    say("")
    say(f"{count_of(counts[Level.ERROR], 'error')}, {count_of(counts[Level.WARNING], 'warning')}")
