"""The catalogue of texts: nothing is missing, nothing is left over, and no template says anything of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.errors import Unavailable
from roost.moves.outcomes import Outcome
from workers.web.pages.render import templates
from workers.web.texts import TextMissing, catalogue, text

_WEB = Path(__file__).parent.parent.parent / "workers" / "web"
_TEMPLATES = sorted((_WEB / "templates").glob("*.html"))
_USED = re.compile(r"""(?:\bt|\btext)\(\s*f?["']([a-z_.]+)["' ~{)]""")
#: Groups whose names are made of codes.
_BY_CODE = ("outcome.", "reason.", "origin.", "operation.", "queue_names.", "process_names.", "fault.")


def used() -> set[str]:
    sources = [*_TEMPLATES, *_WEB.rglob("*.py")]
    return {name for source in sources for name in _USED.findall(source.read_text(encoding="utf-8"))}


def test_every_text_that_is_used_is_there() -> None:
    missing = {name for name in used() if not any(known.startswith(name) for known in catalogue())}
    assert missing == set()


def test_a_list_that_is_cut_off_says_so() -> None:
    said = templates().get_template("parts.html").module.first_only  # type: ignore[attr-defined]  # a macro
    assert "The first 1000 are shown here" in said(range(1000))
    assert said(range(999)) == ""


def test_every_text_is_used() -> None:
    sources = " ".join(source.read_text(encoding="utf-8") for source in [*_TEMPLATES, *_WEB.rglob("*.py")])
    left = [
        name for name in catalogue()
        if not name.startswith(_BY_CODE) and name not in sources and not re.search(_prefix(name), sources)
    ]  # fmt: skip
    assert left == []


def _prefix(name: str) -> str:
    """How a template writes a name that ends with a code: `t('people.role_' ~ role)`."""
    group, _, last = name.rpartition(".")
    stem = last[: last.find("_") + 1]
    return rf"""['"]{re.escape(group)}\.({re.escape(stem)})?['"] ~"""


def test_every_outcome_has_words() -> None:
    never_shown = {Outcome.CODE_NEEDED, Outcome.CODE_RIGHT, Outcome.COMPARE_AGAIN, Outcome.NOTED}
    assert {f"outcome.{outcome}" for outcome in set(Outcome) - never_shown} <= catalogue().keys()


def test_what_is_not_available_is_told_in_words_of_its_own() -> None:
    """On the page; streams and programs hear the code, and no page talks to a node or a center."""
    known = {"unavailable", "node_unavailable", "center_unavailable", "too_many_viewers"}
    assert {
        f"fault.{kind.code}" for kind in _all_of(Unavailable) if kind.code not in known
    } <= catalogue().keys()


def _all_of(kind: type[Unavailable]) -> Iterator[type[Unavailable]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _all_of(each)


@pytest.mark.parametrize("template", _TEMPLATES, ids=lambda path: path.name)
def test_no_template_says_anything_of_its_own(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    for pattern in (r"\{#.*?#\}", r"\{%.*?%\}", r"\{\{.*?\}\}", r"<!doctype.*?>", r"<[^>]*>"):
        source = re.sub(pattern, " ", source, flags=re.DOTALL)
    words = set(re.findall(r"[A-Za-z]{2,}", source)) - {"Roost", "amp"}
    assert words == set()


def test_a_text_that_is_missing_is_an_error() -> None:
    with pytest.raises(TextMissing):
        text("nothing.here")
    with pytest.raises(TextMissing):
        text("desks.away")
