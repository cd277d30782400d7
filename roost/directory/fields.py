"""What each field of the directory may hold: the rule, and the rule in words.

The schema refuses the same; checked here, a person hears which field is wrong and what it may hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time, timedelta
from typing import NamedTuple

from roost.errors import Invalid


class BadField(Invalid):
    """A value is not valid."""

    code = "bad_value"


class BadExtensionKey(Invalid):
    """An extension is written as `0001*001`: organization, star, short number."""

    code = "bad_extension"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a text field may hold."""

    name: str
    pattern: re.Pattern[str]
    words: str
    #: Bytes of its UTF-8, where a node's wire bounds them.
    most_bytes: int = 1000

    def check(self, text: str) -> str:
        """Give the text itself. Raises BadField."""
        if self.pattern.fullmatch(text) is None or len(text.encode()) > self.most_bytes:
            raise BadField(f"The {self.name} must be {self.words}.")
        return text


def _rule(name: str, pattern: str, words: str) -> Rule:
    return Rule(name, re.compile(pattern), words)


_NO_CONTROL = "[^\x00-\x1f\x7f-\x9f]"

ORGANIZATION_CODE = _rule("organization code", "[A-Za-z0-9]{1,16}", "1 to 16 letters and digits")
SHORT_NUMBER = _rule("short number", "[0-9]{1,16}", "1 to 16 digits")
PHONE_NAME = _rule(
    "phone name", "[A-Za-z0-9._-]{1,64}", "1 to 64 letters, digits, dots, dashes and underscores"
)
NODE_NAME = _rule(
    "node name", "[A-Za-z0-9._-]{1,64}", "1 to 64 letters, digits, dots, dashes and underscores"
)
DISPLAY_NAME = _rule("name", _NO_CONTROL + "{0,64}", "at most 64 characters without control characters")
ACCOUNT_CODE = _rule(
    "account code", "[A-Za-z0-9._-]{0,32}", "at most 32 letters, digits, dots, dashes and underscores"
)
MAILBOX = _rule("mailbox", "[A-Za-z0-9._@-]{0,64}", "at most 64 letters, digits, and . _ @ -")
EMERGENCY_NUMBER = _rule("emergency number", "[+0-9]{0,32}", "at most 32 digits, with a + if need be")
EMERGENCY_LOCATION = Rule(
    "emergency location",
    re.compile(_NO_CONTROL + "{0,256}"),
    "at most 256 bytes of UTF-8 without control characters",
    most_bytes=256,
)
POLICY = _rule("policy", "refuse|displace", "`refuse` or `displace`")
HOST = _rule("host", "[A-Za-z0-9._:-]{1,253}", "a host name or an IP address")
NODE_SECRET = _rule("node secret", r"[\x20-\x7e]{1,200}", "1 to 200 printable ASCII characters")

#: Wrong codes in a row that may be said to lock.
LOCK_AFTER = range(1, 1001)

#: The rule of each text field that a caller may change, by its name in the schema.
RULES = {
    "name": DISPLAY_NAME,
    "policy": POLICY,
    "account_code": ACCOUNT_CODE,
    "mailbox": MAILBOX,
    "emergency_number": EMERGENCY_NUMBER,
    "emergency_location": EMERGENCY_LOCATION,
    "host": HOST,
}


class ExtensionKey(NamedTuple):
    """An extension as people and nodes name it; `str()` gives `0001*001`."""

    organization: str
    number: str

    def __str__(self) -> str:
        return f"{self.organization}*{self.number}"

    @classmethod
    def parse(cls, text: str) -> ExtensionKey:
        """Read `0001*001`. Raises BadExtensionKey."""
        organization, star, number = text.partition("*")
        if not (
            star
            and ORGANIZATION_CODE.pattern.fullmatch(organization)
            and SHORT_NUMBER.pattern.fullmatch(number)
        ):
            raise BadExtensionKey
        return cls(organization, number)


def extension_key(organization: str | None, number: str | None) -> str | None:
    """`0001*001`; only the number where the organization is not known."""
    return f"{organization}*{number}" if organization and number else number


_DURATION = re.compile(r"(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")
_WALL_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def parse_duration(text: str) -> timedelta:
    """Read `8h`, `1d12h`, `90m` or `30s`. Raises BadField."""
    match = _DURATION.fullmatch(text.strip().lower())
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0, 0)
    duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not duration:
        raise BadField("A duration is written as `8h`, `1d12h`, `90m` or `30s`, and is longer than nothing.")
    return duration


def parse_wall_clock(text: str) -> time:
    """Read `18:30`. Raises BadField."""
    match = _WALL_CLOCK.fullmatch(text.strip())
    if match is None:
        raise BadField("A time of day is written as `18:30`.")
    return time(int(match[1]), int(match[2]))


def format_duration(duration: timedelta) -> str:
    """Write what `parse_duration` reads."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"


def check_lock_after(given: object) -> int:
    """Give the number of wrong codes that lock, also from the text of a form. Raises BadField."""
    number = int(given) if isinstance(given, str) and re.fullmatch("[0-9]{1,4}", given) else given
    if not isinstance(number, int) or number not in LOCK_AFTER:
        raise BadField(
            f"The number of wrong codes that lock must be from {LOCK_AFTER[0]} to {LOCK_AFTER[-1]}."
        )
    return number
