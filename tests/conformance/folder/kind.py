"""The smallest kind of PBX there can be: a folder, a file for each row, one for the cursor. Nothing outside this folder knows of it.

It stands for a package from elsewhere: no login, no port that anybody listens on, rows of a bounded size, a table listed in pages.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, unquote

from pydantic import Field

from roost.errors import NodeRefused, NodeUnavailable
from roost.finding import Finding, Level
from roost.pbx.kinds import Examined, NodeOptions, PbxKind
from roost.pbx.node import (
    ActsAs,
    Change,
    Cursor,
    Gone,
    Key,
    Kind,
    NodeAddress,
    RefusedRow,
    Rings,
    key_of,
)

#: Bytes a row may have.
LONGEST = 1_500
#: Keys in a page of `keys`.
PAGE = 1_000
_KINDS: tuple[Kind, Kind] = ("e", "p")


class FolderOptions(NodeOptions):
    """Where it is, and how it is written."""

    folder: Annotated[str, Field(pattern="^/.*[^/]$")]
    style: Literal["short", "long"] = "short"


class FolderNode:
    """One folder; a `roost.pbx.node.PbxNode`."""

    def __init__(self, address: NodeAddress, options: FolderOptions, deadline: float) -> None:
        self._folder: Path | None = Path(options.folder)
        self._indent = 1 if options.style == "long" else None
        self._deadline = deadline
        with self._opened() as folder:
            if not folder.is_dir():
                raise FileNotFoundError(options.folder)
            for kind in _KINDS:
                (folder / kind).mkdir(exist_ok=True)

    def cursor(self) -> Cursor | None:
        with self._opened() as folder:
            stored = _read(folder / "cursor")
            return Cursor.parse(stored) if stored else None

    def apply(self, changes: Sequence[Change], cursor: Cursor | None) -> list[RefusedRow]:
        refused: dict[Key, str] = {}
        ends = time.monotonic() + self._deadline
        with self._opened() as folder:
            for change in changes:
                if time.monotonic() > ends:
                    raise NodeUnavailable("The folder is too slow.")
                file, row = (
                    _file(folder, key_of(change)),
                    json.dumps(change, indent=self._indent, ensure_ascii=False),
                )
                refused.pop(key_of(change), None)
                if isinstance(change, Gone):
                    file.unlink(missing_ok=True)
                elif len(row.encode()) > LONGEST:
                    refused[key_of(change)] = f"A row has more than {LONGEST} bytes."
                else:
                    file.write_text(row)
            if cursor is not None:
                (folder / "new").write_text(str(cursor))
                (folder / "new").replace(folder / "cursor")
        return [RefusedRow(key, reason) for key, reason in refused.items()]

    def read(self, keys: Sequence[Key]) -> dict[Key, Change | None]:
        with self._opened() as folder:
            rows = {key: _read(_file(folder, key)) for key in keys}
        return {key: _change(key, row) for key, row in rows.items() if row is not None}

    def keys(self, about: int) -> Iterator[list[Key]]:
        page: list[Key] = []
        with self._opened() as folder:
            for kind in _KINDS:
                with os.scandir(folder / kind) as files:
                    for file in files:
                        page.append((kind, unquote(file.name)))
                        if len(page) == PAGE:
                            yield page
                            page = []
        yield page

    def dump(self) -> dict[Key, Change | None]:
        return self.read([key for page in self.keys(0) for key in page])

    def health(self) -> str:
        with self._opened() as folder:
            return f"Folder {folder.stat().st_ino}"

    def close(self) -> None:
        self._folder = None

    @contextmanager
    def _opened(self) -> Iterator[Path]:
        try:
            if self._folder is None:
                raise NodeUnavailable("It is closed.")
            yield self._folder
        except PermissionError as error:
            raise NodeRefused(f"{error.strerror}.") from error
        except OSError as error:
            raise NodeUnavailable(f"{error.strerror}.") from error


def _file(folder: Path, key: Key) -> Path:
    return folder / key[0] / quote(key[1], safe="*")


def _read(file: Path) -> str | None:
    """A whole file; None if there is none in a folder that is there."""
    try:
        return file.read_text()
    except FileNotFoundError:
        if not file.parent.is_dir():
            raise
        return None


def _change(key: Key, row: str) -> Change | None:
    try:
        fields = json.loads(row)
        change = (Rings if key[0] == "e" else ActsAs)(*fields)
    except (ValueError, TypeError):
        return None
    return change if key_of(change) == key else None


def _examine(node: Examined[FolderOptions]) -> Iterator[Finding]:
    if node.node is not None and Path(node.options.folder).stat().st_mode & 0o002:
        yield Finding("nodes", Level.WARNING, "Everybody may write into the folder.", "chmod o-w")


KIND = PbxKind(
    name="folder",
    options=FolderOptions,
    port=lambda _options: 1,
    connect=FolderNode,
    examine=_examine,
    if_refused="Let Roost write there.",
    if_drifted="Find who else writes there.",
    has_secret=False,
)
