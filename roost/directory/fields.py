"""What each field may hold: its rule, which every door asks for, and the rule in words.

The schema refuses the same; checked here, a person hears which field is wrong and what it may hold.
"""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import NamedTuple

from roost.directory.rules import BadField, NumberRule, TextRule
from roost.errors import Invalid


class BadExtensionKey(Invalid):
    """An extension is written as `0001*001`: organization, star, short number."""

    code = "bad_extension"


_NO_CONTROL = r"[^\x00-\x1f\x7f-\x9f]"
_NAME_WORDS = "1 to 64 letters, digits, dots, dashes and underscores"

ORGANIZATION_CODE = TextRule(
    "organization code", "[A-Za-z0-9]{1,16}", "1 to 16 letters and digits", 16, least=1
)
SHORT_NUMBER = TextRule("short number", "[0-9]{1,16}", "1 to 16 digits", 16, least=1)
EXTENSION_KEY = TextRule(
    "extension", r"[A-Za-z0-9]{1,16}\*[0-9]{1,16}", "an organization, a star and a short number", 33, least=3
)
PHONE_NAME = TextRule("phone name", r"[A-Za-z0-9._\-]{1,64}", _NAME_WORDS, 64, least=1)
NODE_NAME = TextRule("node name", r"[A-Za-z0-9._\-]{1,64}", _NAME_WORDS, 64, least=1)
DISPLAY_NAME = TextRule(
    "name", _NO_CONTROL + "{0,64}", "at most 64 characters without control characters", 64, free=True
)
ACCOUNT_CODE = TextRule(
    "account code", r"[A-Za-z0-9._\-]{0,32}", "at most 32 letters, digits, dots, dashes and underscores", 32
)
MAILBOX = TextRule("mailbox", r"[A-Za-z0-9._@\-]{0,64}", "at most 64 letters, digits, and . _ @ -", 64)
EMERGENCY_NUMBER = TextRule("emergency number", r"[+0-9]{0,32}", "at most 32 digits, with a + if need be", 32)
EMERGENCY_LOCATION = TextRule(
    "emergency location", _NO_CONTROL + "{0,256}", "at most 256 bytes of UTF-8 without control characters", 256,
    most_bytes=256, free=True,
)  # fmt: skip
POLICY = TextRule("policy", "refuse|displace", "`refuse` or `displace`", 8, least=6)
#: No digits but those of Etc/GMT+2: PostgreSQL takes any name with a number behind it, and `UTC+3` for three hours west.
TIMEZONE = TextRule(
    "time zone", r"[A-Za-z_\-]+(\/[A-Za-z_\-]+)*|Etc\/GMT[+\-]?[0-9]{1,2}",
    "the name of a time zone, such as Europe/Bucharest", 64, least=1,
)  # fmt: skip
#: An address of IPv6 has two colons at least: a name with one is a name with a port behind it. No part of a name is empty, or longer than DNS
#: has them: the name could not even be looked up.
HOST = TextRule(
    "host", r"[A-Za-z0-9_\-]{1,63}(\.[A-Za-z0-9_\-]{1,63})*\.?|[0-9A-Fa-f.]*(:[0-9A-Fa-f.]*){2,8}", "a host name or an IP address, without a port", 253, least=1
)  # fmt: skip
NODE_SECRET = TextRule(
    "node secret", r"[\x20-\x7e]{1,200}", "1 to 200 printable ASCII characters", 200, least=1
)
SECRET_CODE = TextRule("secret code", "[0-9]{4,8}", "4 to 8 digits", 8, least=4)
#: Of a person, in small letters.
LOGIN = TextRule(
    "login", r"[a-z0-9][a-z0-9._@\-]{0,63}",
    "1 to 64 letters, digits, dots, dashes, underscores and @, the first a letter or digit", 64, least=1,
)  # fmt: skip
TOKEN_NAME = TextRule(
    "token's name", rf"{_NO_CONTROL}*[^\x00-\x1f\x7f-\x9f\s]{_NO_CONTROL}*", "1 to 64 characters without control characters, not all of them blank", 64,
    least=1, free=True,
)  # fmt: skip
#: Why something is asked for, and who asks: the journal keeps both.
REASON = TextRule(
    "reason", _NO_CONTROL + "{0,200}", "at most 200 characters without control characters", 200, free=True
)
SEARCH = TextRule(
    "search", _NO_CONTROL + "{0,64}", "at most 64 characters without control characters", 64, free=True
)
DURATION = TextRule(
    "duration", "([0-9]{1,5}d)?([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,6}s)?", "written as `8h`, `1d12h`, `90m` or `30s`", 25, least=2
)  # fmt: skip
WALL_CLOCK = TextRule("time of day", "([01]?[0-9]|2[0-3]):([0-5][0-9])", "written as `18:30`", 5, least=4)

PORT = NumberRule("port", 1, 65_535)
#: Wrong codes one after the other that lock an extension.
LOCK_AFTER = NumberRule("number of wrong codes that lock", 1, 1000)
#: The same of a phone, whatever extensions they were for.
PHONE_LOCK_AFTER = NumberRule("number of wrong codes that lock a phone", 1, 1000)

#: The rule of each field that a caller may change, by its name in the schema.
RULES: dict[str, TextRule | NumberRule] = {
    "name": DISPLAY_NAME,
    "policy": POLICY,
    "timezone": TIMEZONE,
    "lock_after": LOCK_AFTER,
    "phone_lock_after": PHONE_LOCK_AFTER,
    "account_code": ACCOUNT_CODE,
    "mailbox": MAILBOX,
    "emergency_number": EMERGENCY_NUMBER,
    "emergency_location": EMERGENCY_LOCATION,
    "host": HOST,
    "port": PORT,
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
        if not EXTENSION_KEY.allows(text):
            raise BadExtensionKey
        organization, _, number = text.partition("*")
        return cls(organization, number)


def extension_key(organization: str | None, number: str | None) -> str | None:
    """`0001*001`; only the number where the organization is not known."""
    return f"{organization}*{number}" if organization and number else number


def parse_duration(text: str) -> timedelta:
    """Read `8h`, `1d12h`, `90m` or `30s`. Raises BadField."""
    match = re.fullmatch(DURATION.pattern, text.strip().lower())
    parts = (int(part[:-1]) if part else 0 for part in match.groups()) if match else (0, 0, 0, 0)
    days, hours, minutes, seconds = parts
    duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not duration:
        raise BadField("A duration is written as `8h`, `1d12h`, `90m` or `30s`, and is longer than nothing.")
    return duration


def parse_wall_clock(text: str) -> time:
    """Read `18:30`. Raises BadField."""
    match = re.fullmatch(WALL_CLOCK.pattern, text.strip())
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
