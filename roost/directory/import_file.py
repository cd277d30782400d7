"""Reads a file of desks: one row an extension, with the phone it is provisioned on, if any.

Takes what spreadsheets write: a byte order mark, UTF-16, CR LF, semicolons, tabs or bars for commas, a first line `sep=;`, empty
columns at the end, and rows that end before them: after some 16 rows Excel writes no more delimiters where all below is empty. A cell behind an apostrophe is text as it stands (cells.py). Holds one row at a time.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import BinaryIO, NamedTuple, TextIO

from roost.directory import fields
from roost.directory.cells import read_cell
from roost.directory.rules import BadField
from roost.errors import Invalid
from roost.wording import count_of

#: Characters a line may have.
MAX_LINE = 10_000
#: Rows a file may have.
MAX_ROWS = 1_000_000
#: Bytes that may come from a pipe, and those that are read of it together.
MAX_PIPED, _PIECE = 1_000_000_000, 1_000_000

#: What a file begins with that Excel saved as "Unicode Text"; no other text does.
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_DELIMITERS = ",;\t|"
#: Excel's first line, which says how it parted the cells.
_NAMED_DELIMITER = re.compile(rf'"?sep=([{_DELIMITERS}])"?[{_DELIMITERS}]*\s*', re.IGNORECASE)
_YES = frozenset({"yes", "true", "1", "on", "y"})
_NO = frozenset({"no", "false", "0", "off", "n"})


class Of(Enum):
    """What a column says something of."""

    #: Names the desk, the phone or the node.
    NAME = auto()
    #: A column of the table `extension`, of the same name.
    EXTENSION = auto()
    #: A column of the table `phone`, of the same name.
    PHONE = auto()


class Column(NamedTuple):
    """A column of the file; `check` gives the cell as PostgreSQL reads it. Raises BadField."""

    of: Of
    check: Callable[[str], str]


def _yes_or_no(text: str) -> str:
    if text.lower() in _YES:
        return "true"
    if text.lower() in _NO:
        return "false"
    raise BadField("The column allows_virtualization must be yes or no.")


#: Every column. A further field of an extension or a phone needs its line here, and no more.
COLUMNS = {
    "organization": Column(Of.NAME, fields.ORGANIZATION_CODE.check),
    "number": Column(Of.NAME, fields.SHORT_NUMBER.check),
    "name": Column(Of.EXTENSION, fields.DISPLAY_NAME.check),
    "account_code": Column(Of.EXTENSION, fields.ACCOUNT_CODE.check),
    "mailbox": Column(Of.EXTENSION, fields.MAILBOX.check),
    "allows_virtualization": Column(Of.EXTENSION, _yes_or_no),
    "phone": Column(Of.NAME, fields.PHONE_NAME.check),
    "node": Column(Of.NAME, fields.NODE_NAME.check),
    "emergency_number": Column(Of.PHONE, fields.EMERGENCY_NUMBER.check),
    "emergency_location": Column(Of.PHONE, fields.EMERGENCY_LOCATION.check),
}
_REQUIRED = ("organization", "number")
#: Columns that say something of the phone, so that a row without one is a mistake.
_OF_PHONE = ("node", *(name for name, column in COLUMNS.items() if column.of is Of.PHONE))


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line of the file; `code` is stable."""

    line: int
    code: str
    message: str


class BadFile(Invalid):
    """The file cannot be imported."""

    code = "bad_file"


class Desk(NamedTuple):
    """A row of the file: the names in it, and the fields it gives of its extension and of its phone."""

    line: int
    organization: str
    number: str
    phone: str | None
    node: str | None
    extension_fields: dict[str, str]
    phone_fields: dict[str, str]


@contextmanager
def open_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file of desks, or a pipe. Raises BadFile."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadFile(f"It cannot be read: {error.strerror}.") from None
    with file, nullcontext(file) if file.seekable() else keep(file) as desks:
        yield desks


@contextmanager
def keep(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Keep what comes from a pipe in a file, for it is read twice. Raises BadFile."""
    with TemporaryFile() as kept:
        left = MAX_PIPED
        try:
            while piece := stream.read(min(_PIECE, left)):
                kept.write(piece)
                left -= len(piece)
            if not left:
                raise BadFile(f"More than {MAX_PIPED} bytes came.")
            kept.flush()
        except OSError as error:
            raise BadFile(f"It cannot be read and kept in {gettempdir()}: {error.strerror}.") from None
        yield kept


def read_file(file: BinaryIO, encoding: str = "utf-8-sig") -> Iterator[Desk | Fault]:
    """Read the rows from the file's beginning, and what is wrong with those that are none.

    Raises BadFile for the whole file.
    """
    try:
        file.seek(0)
        if file.read(2) in _UTF_16:
            encoding = "utf-16"
        file.seek(0)
        text = io.TextIOWrapper(file, encoding, newline="")
        try:
            yield from _read(text)
        finally:
            text.detach()  # the file stays open, for it is its owner's
    except (UnicodeError, LookupError):
        named = encoding.removesuffix("-sig").upper()
        raise BadFile(
            f"It is not {named} text: save it as `CSV UTF-8`, or name its encoding (--encoding cp1252)."
        ) from None
    except csv.Error as error:
        raise BadFile(f"It is not CSV: {error}.") from None
    except OSError as error:
        raise BadFile(f"It cannot be read: {error.strerror}.") from None


def _read(file: TextIO) -> Iterator[Desk | Fault]:
    lines = _bounded_lines(file)
    first, line = next(lines, ""), 1
    if not first:
        raise BadFile("It is empty.")
    delimiter = max(_DELIMITERS, key=first.count)
    if named := _NAMED_DELIMITER.fullmatch(first):
        delimiter, first, line = named[1], next(lines, ""), 2
    header = [name.strip().lower() for name in next(csv.reader([first], delimiter=delimiter), [])]
    header = header[: max((place for place, name in enumerate(header, 1) if name), default=0)]
    _check_header(header)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    above = line + 1  # lines that are not the reader's, and the one to come
    line = above
    for count, cells in enumerate(reader):
        if count >= MAX_ROWS:
            raise BadFile(f"It has more than {MAX_ROWS} rows.")
        if any(cell.strip() for cell in cells):
            yield from _row(line, header, cells)
        line = reader.line_num + above


def _bounded_lines(file: TextIO) -> Iterator[str]:
    while line := file.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise BadFile(f"It has a line of {MAX_LINE} characters or more.")
        yield line


def _check_header(header: list[str]) -> None:
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or not header:
        raise BadFile(
            f"Its first line must name the columns; unknown: {', '.join(repr(name[:40]) for name in unknown[:5]) or 'all'}."
            f" Columns are: {', '.join(COLUMNS)}."
        )
    missing = [name for name in _REQUIRED if name not in header]
    if missing:
        raise BadFile(f"Its first line lacks the columns: {', '.join(missing)}.")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise BadFile(f"Its first line names columns twice: {', '.join(twice)}.")


def _row(line: int, header: list[str], cells: list[str]) -> Iterator[Desk | Fault]:
    if any(cell.strip() for cell in cells[len(header) :]):
        yield Fault(line, "bad_value", f"it has {count_of(len(cells), 'cell')}, the header {len(header)}")
        return
    texts = ((name, read_cell(cell)) for name, cell in zip(header, cells, strict=False))
    given = {name: text for name, text in texts if text}
    faults = [Fault(line, "bad_value", f"{name} is empty") for name in _REQUIRED if name not in given]
    if "phone" not in given:
        faults += [Fault(line, "bad_value", f"{name} without a phone") for name in _OF_PHONE if name in given]
    values: dict[str, str] = {}
    for name, text in given.items():
        try:
            values[name] = COLUMNS[name].check(text)
        except BadField as error:
            faults.append(Fault(line, error.code, error.detail.rstrip(".")))
    if faults:
        yield from faults
    else:
        yield _desk(line, values)


def _desk(line: int, values: dict[str, str]) -> Desk:
    def given(of: Of) -> dict[str, str]:
        return {name: value for name, value in values.items() if COLUMNS[name].of is of}

    return Desk(
        line, values["organization"], values["number"], values.get("phone"), values.get("node"),
        given(Of.EXTENSION), given(Of.PHONE),
    )  # fmt: skip
