"""Sentences with a number in them."""

from __future__ import annotations


def count_of(count: int, one: str, many: str = "") -> str:
    """`1 row`, `2 rows`; `many` where it is not `one` with an s."""
    return f"{count} {one if count == 1 else many or one + 's'}"
