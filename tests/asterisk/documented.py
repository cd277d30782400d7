"""What docs/asterisk.md tells operators to write, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent

PAGE = (Path(__file__).parents[2] / "docs" / "asterisk.md").read_text()
_COMMENT = re.compile(r"(^|\s)\s*;.*$", re.MULTILINE)


def says(begins: str) -> str:
    """The one piece of code, in a line of a sample or in running text, that begins so."""
    samples = [line.strip() for block in _blocks() for line in block.splitlines()]
    found: set[str] = {
        piece for piece in [*samples, *re.findall("`([^`\n]+)`", PAGE)] if piece.startswith(begins)
    }
    (piece,) = found
    return piece


def sections(text: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The sections of a configuration file, by name, each with its settings; a name may come more than once."""
    for part in re.split(r"^(?=\[)", _COMMENT.sub("", text), flags=re.MULTILINE):
        if found := re.match(r"\[([^]]+)\]", part):
            pairs = (line.partition("=") for line in part.splitlines()[1:] if "=" in line)
            yield found[1], {name.strip(): value.strip(" >") for name, _, value in pairs}


def sample(of: str) -> str:
    """The sample in which this stands."""
    (block,) = (block for block in _blocks() if of in block)
    return block


def lines(of: str) -> str:
    """The section in which this stands, as it is written."""
    (section,) = (part for part in re.split(r"^(?=\[)", sample(of), flags=re.MULTILINE) if of in part)
    return section


def _blocks() -> list[str]:
    return list(map(dedent, re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL)))
