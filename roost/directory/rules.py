"""What a rule is, and how each door asks for it: the core, the models of messages and of the API, the inputs of a page.

A rule of text is also what `Annotated[str, RULE]` needs: pydantic then refuses what the core would, with the same words,
and the OpenAPI document shows its pattern and its length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from roost.errors import Invalid


class BadField(Invalid):
    """A value is not valid."""

    code = "bad_value"


@dataclass(frozen=True, slots=True)
class TextRule:
    """What a text field may hold; never half a character (a surrogate that stands alone)."""

    name: str
    #: Of the whole text. Written so that Python, PostgreSQL and a browser (its flag `v`) read it alike.
    pattern: str
    words: str
    #: Characters.
    most: int
    #: Bytes of its UTF-8, where a node's wire bounds them too.
    most_bytes: int | None = None
    least: int = 0
    #: Free text, in any script: it is taken in Unicode's normalization form C, so that what looks the same is the same.
    free: bool = False

    def allows(self, text: str) -> bool:
        """Whether the text, as it is, obeys the rule."""
        return (
            self.least <= len(text) <= self.most
            and re.fullmatch(self.pattern, text) is not None
            and not re.search("[\ud800-\udfff]", text)
            and (self.most_bytes is None or len(text.encode()) <= self.most_bytes)
        )

    def check(self, text: str) -> str:
        """Give the text; free text in normalization form C. Raises BadField."""
        if self.free and len(text) <= 4 * self.most:  # no longer one can become short enough
            text = normalize("NFC", text)
        if not self.allows(text):
            raise BadField(f"The {self.name} must be {self.words}.")
        return text

    @property
    def attributes(self) -> dict[str, object]:
        """The attributes of an HTML input that takes it."""
        return {"minlength": self.least, "maxlength": self.most, "pattern": self.pattern, "title": self.words}

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked_by_pydantic, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | {
            "pattern": f"^(?:{self.pattern})$",
            "minLength": self.least,
            "maxLength": self.most,
        }

    def _checked_by_pydantic(self, text: str) -> str:
        try:
            return self.check(text)
        except BadField as error:
            raise PydanticCustomError("bad_value", "{words}", {"words": error.detail}) from None


@dataclass(frozen=True, slots=True)
class NumberRule:
    """What a whole number may be: from `least` to `most`."""

    name: str
    least: int
    most: int

    def check(self, given: object) -> int:
        """Give the number, also from the text of a form. Raises BadField."""
        number = int(given) if isinstance(given, str) and re.fullmatch("[0-9]{1,9}", given) else given
        if not isinstance(number, int) or isinstance(number, bool) or not self.least <= number <= self.most:
            raise BadField(f"The {self.name} must be {self.words}.")
        return number

    @property
    def words(self) -> str:
        """The rule in words."""
        return f"from {self.least} to {self.most}"

    @property
    def attributes(self) -> dict[str, object]:
        """The attributes of an HTML input that takes it."""
        return {"type": "number", "min": self.least, "max": self.most}
