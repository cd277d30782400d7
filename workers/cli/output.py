"""What commands print: tables for people, JSON for programs, errors to stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from roost.directory.fields import format_duration

#: Columns of a table that does not go to a terminal, so that nothing is cut off.
_PIPED_WIDTH = 240
#: Characters that a column which wraps is left with at least.
_LEAST_WRAPPED = 12
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_as_json: ContextVar[bool] = ContextVar("as_json", default=False)


def _remember(value: bool) -> bool:  # noqa: FBT001 - typer calls it so
    _as_json.set(value)
    return value


def people_read() -> None:
    """Begin a command: people read it, until its options say otherwise."""
    _as_json.set(False)


#: The option of every command that prints a table; errors are JSON then, too.
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.", callback=_remember, is_eager=True)]


def console() -> Console:
    """Write to stdout. Text is shown as it is: nothing in it is markup."""
    width = None if sys.stdout.isatty() else _PIPED_WIDTH
    return Console(file=sys.stdout, width=width, markup=False, highlight=False, emoji=False, soft_wrap=False)


def say(text: str) -> None:
    """Print one line."""
    print(_CONTROL.sub("\ufffd", text))


def note(text: str) -> None:
    """Print one line that is not the result, to stderr."""
    print(_CONTROL.sub("\ufffd", text), file=sys.stderr)


def show_error(message: str, code: str, **more: object) -> None:
    """Print an error to stderr, as JSON where the command was asked for it."""
    if _as_json.get():
        print(json.dumps({"error": {"code": code, "message": message, **plain(more)}}), file=sys.stderr)
    else:
        note(f"error: {message} [{code}]")


def show_json(value: object) -> None:
    """Print JSON: one document."""
    print(json.dumps(plain(value), ensure_ascii=False, indent=2))


def plain(value: object) -> Any:
    """Turn a value into what JSON has: times as ISO 8601, durations as seconds, records as objects."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, datetime | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value


def json_default(value: object) -> object:
    """Like `plain`, as the `default` of a JSON encoder: it gets the values that JSON does not have."""
    return json_fields(value) if is_dataclass(value) else plain(value)


def json_fields(record: Any) -> dict[str, Any]:
    """The fields of a record, for a JSON encoder with `json_default`."""
    return {field: getattr(record, field) for field in record.__dataclass_fields__}


def cell(value: object) -> Text:
    """Show a value to people: yes and no, local time, `8h`; nothing where there is nothing."""
    style = ""
    if value is None or value == "":
        text, style = "-", "dim"
    elif isinstance(value, Text):
        return value
    elif isinstance(value, bool):
        text, style = ("yes", "") if value else ("no", "dim")
    elif isinstance(value, datetime):
        text = value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    elif isinstance(value, time):
        text = value.strftime("%H:%M")
    elif isinstance(value, timedelta):
        text = format_duration(value)
    else:
        text = _CONTROL.sub("\ufffd", str(value))
    return Text(text, style=style, overflow="fold")


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = (), wraps: Sequence[str] = ()
) -> Table:  # fmt: skip
    """Make a table; numbers of the columns in `right` stand at the right, those in `wraps` give way on a narrow screen."""
    made = Table(
        box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False, padding=(0, 1, 0, 0)
    )
    for column in columns:
        made.add_column(
            column, justify="right" if column in right else "left", overflow="fold",
            no_wrap=bool(wraps) and column not in wraps,
        )  # fmt: skip
    for row in rows:
        made.add_row(*(cell(value) for value in row))
    return made


def laid_out(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = (), wraps: Sequence[str] = ()
) -> RenderableType:  # fmt: skip
    """A table; on a terminal that is too narrow for it, the rows one below the other, for a table would be cut off there."""
    widths = [
        max(len(name), *(cell(row[place]).cell_len for row in rows)) for place, name in enumerate(columns)
    ]
    least = (
        min(width, _LEAST_WRAPPED) if not wraps or name in wraps else width
        for name, width in zip(columns, widths, strict=True)
    )
    if sum(least) + 2 * len(columns) <= console().width:
        return table(columns, rows, right=right, wraps=wraps)
    blocks = (facts_table(dict(zip(columns, row, strict=True))) for row in rows)
    return Group(*(part for block in blocks for part in (block, Text())))


def show_rows(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = (), wraps: Sequence[str] = ()
) -> None:  # fmt: skip
    """Print a table, or that there is nothing."""
    if rows:
        console().print(laid_out(columns, rows, right=right, wraps=wraps))
    else:
        note("none")


def show_facts(facts: Mapping[str, object]) -> None:
    """Print what is known of one thing, a line a fact."""
    console().print(facts_table(facts))


def facts_table(facts: Mapping[str, object]) -> Table:
    """What is known of one thing, a line a fact."""
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in facts.items():
        made.add_row(Text(name), cell(value))
    return made
