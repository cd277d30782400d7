"""The texts of the pages, in one catalogue a language: `<language>.toml` beside this file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

#: Marks that turn the direction of all that follows (Unicode's UAX 9, 2.1 to 2.5).
_NO_TURNS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


class TextMissing(KeyError):
    """The catalogue has no such text."""


@cache
def catalogue(language: str = "en") -> dict[str, str]:
    """Every text by its dotted name."""
    return dict(_flat("", tomllib.loads(files(__name__).joinpath(f"{language}.toml").read_text("utf-8"))))


def text(name: str, /, **values: object) -> str:
    """One text, with its `{places}` filled; no name in them may turn the words around it. Raises TextMissing."""
    filled = {
        place: value.translate(_NO_TURNS) if isinstance(value, str) else value
        for place, value in values.items()
    }
    try:
        return catalogue()[name].format(**filled)
    except KeyError as error:
        raise TextMissing(f"{name}: {error}") from None


def _flat(prefix: str, table: dict[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            pairs += _flat(f"{prefix}{name}.", value)
        else:
            pairs.append((prefix + name, value))
    return pairs
