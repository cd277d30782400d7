"""Long lists, written as they come: a table for people, or a JSON array with an item a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from itertools import chain, islice
from typing import TypeVar

from workers.cli.output import cell, console, json_default, laid_out, note
from workers.cli.progress import progress

T = TypeVar("T")

#: Rows whose widths decide those of all rows, and the most that are laid out together.
FIRST_ROWS = 500


def show_json_list(items: Iterable[object]) -> None:
    """Print one JSON document, an array, with an item a line."""
    opening = "[\n"
    write = sys.stdout.write
    encode = json.JSONEncoder(ensure_ascii=False, default=json_default).encode
    for item in items:
        write(opening + encode(item))
        opening = ",\n"
    write("[]\n" if opening == "[\n" else "\n]\n")


def show_list(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = (), wraps: Sequence[str] = ()
) -> None:  # fmt: skip
    """Print a table, or that there is nothing. The first rows decide how wide the columns are; what is longer later pushes the rest of its row."""
    coming = iter(rows)
    first = list(islice(coming, FIRST_ROWS))
    if not first:
        note("none")
        return
    following = next(coming, None)
    if following is None:
        console().print(laid_out(columns, first, right=right, wraps=wraps))
        return
    widths = [
        max(len(title), *(cell(row[place]).cell_len for row in first)) for place, title in enumerate(columns)
    ]
    _print_wide(columns, chain(first, [following], coming), widths, frozenset(right))


def _print_wide(
    columns: Sequence[str], rows: Iterable[Sequence[object]], widths: Sequence[int], right: frozenset[str]
) -> None:
    """A line a row, however narrow the terminal is."""
    at_right = [column in right for column in columns]

    def line(cells: Sequence[str]) -> str:
        padded = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(cells, widths, at_right, strict=True)
        )  # fmt: skip
        return " ".join(padded).rstrip()

    print(line(columns))
    print(" ".join("─" * width for width in widths))
    for row in rows:
        print(line([cell(value).plain for value in row]))


def _tell_nothing(_what: str, _done: int, _total: int | None) -> None:
    """Show no count, for whoever sees the rows themselves."""


def counted(items: Iterable[T], limit: int, at_limit: Callable[[T], str]) -> Iterator[T]:
    """Pass the items through. When there were as many as `limit`, a note at the end says how to go on after the last one.

    While they go to a file or a program, so that nobody sees them, their number is shown.
    """
    number = 0
    with nullcontext(_tell_nothing) if sys.stdout.isatty() else progress() as tell:
        for item in items:
            number += 1
            yield item
            if number % FIRST_ROWS == 0:
                tell("listed", number, None)
    if number == limit:
        sys.stdout.flush()
        note(at_limit(item))
