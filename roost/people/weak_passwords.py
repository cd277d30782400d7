"""Passwords that are guessed first: lists of what people chose before, words, names, dates, keys in a row, and what is known of the person.

NIST SP 800-63B (3.1.1.2) asks for such a list, and for no rules about kinds of characters. Tries are limited (sign_in_limits.py), so what is
refused is what falls within a million guesses. See https://github.com/dropbox/zxcvbn, of which the library is a port.
"""

from __future__ import annotations

import re

from roost.errors import Invalid

#: So many characters are judged. With 16 the worst takes a tenth of a second, as long as to hash it; with 80, ten seconds.
_JUDGED = 16
_FEWEST_GUESSES = 1_000_000


class WeakPassword(Invalid):
    """Others try that password first: take several words that do not belong together, or let a program make one."""

    code = "weak_password"


def demand_strong(password: str, *known: str | None) -> None:
    """Raise WeakPassword for one that is guessed first by who knows this of its owner: login, name, organization."""
    # Its lists take 13 MB; most processes never ask.
    from zxcvbn import zxcvbn  # noqa: PLC0415

    words = [word for text in known if text for word in (text, *re.split(r"[^0-9A-Za-z]+", text)) if word]
    if zxcvbn(password[:_JUDGED], user_inputs=["roost", *words])["guesses"] < _FEWEST_GUESSES:
        raise WeakPassword
