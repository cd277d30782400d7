"""Writes a kit: what is not there yet; what is there and differs stays, unless told otherwise."""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from roost.errors import RoostError
from workers.kit.files import ENV

_PRIVATE, _PUBLIC = 0o600, 0o644


class NotWritten(RoostError):
    """A file of the kit cannot be written."""

    code = "not_written"


class Became(StrEnum):
    """What became of a file."""

    WRITTEN = "written"
    SAME = "as it was"
    #: It differs from the kit's, and was left.
    KEPT = "kept"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Done:
    """One file of the kit, and how what is there differs from it, as a unified diff; nothing of secrets."""

    path: Path
    became: Became
    difference: str = ""


def write(folder: Path, kit: Mapping[str, str], *, replace: bool) -> Iterator[Done]:
    """Write each file of the kit. With `replace`, what differs too, but never `.env`. Raises NotWritten."""
    for name, text in kit.items():
        path = folder / name
        try:
            yield _write(path, text, replace=replace)
        except OSError as error:
            raise NotWritten(f"{error.filename or path}: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise NotWritten(f"{path}: what is there is not UTF-8 text.") from None


def _write(path: Path, text: str, *, replace: bool) -> Done:
    secret = path.name == ENV
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() and not path.is_symlink():
        _put(path, text, _PRIVATE if secret else _PUBLIC)
        return Done(path, Became.WRITTEN)
    if secret:
        return Done(path, Became.KEPT)
    there = path.read_text(encoding="utf-8")
    if there == text:
        return Done(path, Became.SAME)
    difference = "".join(
        difflib.unified_diff(
            there.splitlines(keepends=True), text.splitlines(keepends=True), f"{path} (yours)", f"{path} (Roost's)"
        )
    )  # fmt: skip
    if not replace:
        return Done(path, Became.KEPT, difference)
    _put(path, text, _PUBLIC)
    return Done(path, Became.REPLACED, difference)


def _put(path: Path, text: str, mode: int) -> None:
    """Whole or not at all: a process that starts meanwhile reads no half of it."""
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(handle, mode)
            file.write(text)
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
