"""Texts in the cells of a spreadsheet: none is taken for a formula, and each is read back as it was.

A cell that begins with one of FORMULA is run by spreadsheets as a formula: https://owasp.org/www-community/attacks/CSV_Injection.
An apostrophe before it makes it text. Here the same apostrophe also keeps spaces at either end, which are otherwise taken for a typing
mistake and cut off.
"""

from __future__ import annotations

#: What spreadsheets take for the beginning of a formula; in some languages the wide characters too.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001 - those are meant


def write_cell(text: str) -> str:
    """The text as a cell that `read_cell` gives back."""
    return f"'{text}" if _needs_apostrophe(text) else text


def read_cell(cell: str) -> str:
    """The text of a cell, without the apostrophe that made it text, or without the spaces around it."""
    if cell.startswith("'") and _needs_apostrophe(cell[1:]):
        return cell[1:]
    return cell.strip()


def _needs_apostrophe(text: str) -> bool:
    return text.startswith((*FORMULA, "'")) or text != text.strip()
