"""Sentences with a number in them, or with what a stranger said."""

from __future__ import annotations


def count_of(count: int, one: str, many: str = "") -> str:
    """`1 row`, `2 rows`; `many` where it is not `one` with an s."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def shown(told: str) -> str:
    """What somebody else told, to be shown, logged or stored: a terminal and PostgreSQL are spared what is not printable."""
    return told if told.isprintable() else "".join(each if each.isprintable() else "?" for each in told)
