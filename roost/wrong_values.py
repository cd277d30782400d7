"""What is wrong with a value that pydantic refused, in words. Its own are for programmers, and a pattern tells nobody what to write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import AfterValidator, SecretStr

#: By the type of the error (docs.pydantic.dev, "Validation Errors"), or by how that begins; `{…}` is from its context.
_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not known",
    "string_too_short": "must have {min_length} characters or more",
    "string_too_long": "must have {max_length} characters or fewer",
    "string_pattern_mismatch": "is not written as it must be",
    "string": "must be a text",
    "too_short": "must have {min_length} items or more",
    "too_long": "must have {max_length} items or fewer",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "int": "must be a whole number",
    "float": "must be a number",
    "finite_number": "must be a number",
    "bool": "must be true or false",
    "ip_v": "must be networks as 10.1.0.0/16, or addresses as 10.1.0.5",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "datetime": "must be a time as 2026-03-02T14:05:00Z",
    "timezone": "must name its time zone, as 2026-03-02T14:05:00Z does",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model": "must be an object",
    "json_invalid": "is not JSON: {error}",
    "none_required": "must be null",
}
#: The longest beginning counts.
_BEGINNINGS = sorted(_WORDS, key=len, reverse=True)


def in_words(error: Mapping[str, Any]) -> str:
    """What an error of `ValidationError.errors()` says, to stand behind the name of the field; never the value."""
    kind = error["type"]
    begins = next((each for each in _BEGINNINGS if kind.startswith(each)), None)
    if begins is None:
        return str(error["msg"]).removeprefix("Value error, ").rstrip(".")  # what a rule of ours says
    context = error.get("ctx", {})
    shown = {name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()}
    return _WORDS[begins].format_map(shown)


def written_as(pattern: str, words: str) -> AfterValidator:
    """What a text must be: the pattern of all of it, and the same in words, which is what a person hears."""

    def check(given: str | SecretStr) -> str | SecretStr:
        text = given.get_secret_value() if isinstance(given, SecretStr) else given
        if re.fullmatch(pattern, text) is None:
            raise ValueError(f"must be {words}")
        return given

    return AfterValidator(check)
