"""Secret codes that everybody tries first: about a tenth of those of four digits.

What people choose, and what a guesser tries, is known: all digits alike, runs, repeats, years, dates, lines on the keypad
(Bonneau, Preibusch, Anderson: A birthday present every eleven wallets?, FC 2012). That refusing about a tenth is the balance
between what guessers lose and what owners put up with: Markert and others, This PIN Can Be Easily Guessed, IEEE S&P 2020.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise

#: Lines on the keypad, and its four corners, each also the other way round.
_LINES = ("123", "456", "789", "147", "258", "369", "159", "357", "2580", "1397", "3971", "9713", "7139")
_ON_KEYPAD = re.compile("(?:" + "|".join(line for one in _LINES for line in (one, one[::-1])) + ")+")
_REPEATED = re.compile(r"(\d+?)\1+|(?:(\d)\2)+")
#: In which orders people write a date of so many digits.
_DATES = {
    4: ("%d%m", "%m%d"),
    6: ("%d%m%y", "%m%d%y", "%y%m%d"),
    8: ("%d%m%Y", "%m%d%Y", "%Y%m%d"),
}
_YEARS = range(1900, 2100)
#: The year of a date that names none: it has a 29 February.
_LEAP_YEAR = "2000"


def is_weak(digits: str, number: str) -> bool:
    """Whether a code of 4 to 8 digits is one of them; `number` is the short number of its extension."""
    return (
        _REPEATED.fullmatch(digits) is not None  # 1111, 1212, 123123, 112233
        or _is_run(digits)
        or (len(digits) == 4 and int(digits) in _YEARS)
        or any(_is_date(digits, order) for order in _DATES.get(len(digits), ()))
        or _ON_KEYPAD.fullmatch(digits) is not None
        or _is_of_number(digits, number)
    )


def _is_run(digits: str) -> bool:
    """1234, 8765, 7890, 2468."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(digits)}
    return steps in ({1}, {9}, {2}, {8})


def _is_date(digits: str, order: str) -> bool:
    if "%y" not in order.lower():
        digits, order = _LEAP_YEAR + digits, "%Y" + order
    try:
        return datetime.strptime(digits, order).replace(tzinfo=UTC).year in _YEARS
    except ValueError:
        return False


def _is_of_number(digits: str, number: str) -> bool:
    """The number itself, a part of it, or repeated; with zeros before it."""
    return digits in number * len(digits) or digits.lstrip("0") == number.lstrip("0")
