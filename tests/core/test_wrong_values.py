"""Whatever is wrong with a value, at any door, people are told in words: never a pattern, and nothing in the words of a library."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from roost.errors import SettingMissing
from roost.pbx.kinds import BadOption, kinds
from roost.settings import Settings, settings
from roost.wrong_values import in_words
from workers.web.api import access, calls, cluster, events, people  # noqa: F401 - so that all models are known
from workers.web.api.models import Given

#: What a person has no use for.
A_PROGRAMMERS = re.compile(
    r"[\^\\]|\{\d|\[[^]]*-|(?<!A )(Input|String|Value|value) (should|is|error)|regex|pattern|pydantic|unable to|Assertion|None\b"
)
TEXTS = ("", "x y", "\x01", "-1", "1e9", "nan", "é", "9" * 20, "x" * 500, "1.2.3.4/33", "https://", "0", "{}")
VALUES: tuple[object, ...] = (
    *TEXTS,
    -1,
    1.5,
    float("inf"),
    10**30,
    True,
    None,
    [],
    ["", 1],
    {},
    {"x": 1},
    b"\xff",
)


def test_of_every_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = set()
    for name in (f"ROOST_{field.upper()}" for field in Settings.model_fields):
        for text in filter(None, TEXTS):
            settings.cache_clear()
            with monkeypatch.context() as there:
                there.setenv(name, text)
                try:
                    settings()
                except SettingMissing as error:
                    said.add(str(error).partition(name)[2])
    settings.cache_clear()
    assert len(said) > 10
    assert [each for each in said if A_PROGRAMMERS.search(each) or not re.match(" (must|is) ", each)] == []


def test_of_every_option_of_a_node() -> None:
    said = set()
    for kind in kinds().values():
        for name in (*kind.options.model_fields, "strange"):
            for value in VALUES:
                try:
                    kind.parse({name: value})
                except BadOption as error:
                    said.add(str(error))
    assert len(said) > 5
    assert [each for each in said if A_PROGRAMMERS.search(each)] == []


def _models(above: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in above.__subclasses__():
        yield model
        yield from _models(model)


def test_of_every_field_that_a_program_gives() -> None:
    said: set[str] = set()
    for model in _models(Given):
        for name in (*model.model_fields, "strange"):
            for value in VALUES:
                try:
                    model.model_validate({name: value})
                except ValidationError as error:
                    said.update(in_words(each) for each in error.errors())
    assert len(said) > 20
    assert [each for each in said if A_PROGRAMMERS.search(each)] == []
