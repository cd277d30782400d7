"""What the organizations, extensions and phones of the harness are called."""

from __future__ import annotations

#: Organizations whose people ask all the time, with their policies; and the one that is used to look for health.
POLICIES = {"1000": "refuse", "2000": "displace", "9999": "refuse"}
PROBE = "9999"
#: The one that is served by nodes which can serve no more than one.
ALONE = "2000"
NUMBERS = ("1", "2", "3", "4", "5", "6")
#: Has no phone of its own.
WITHOUT_DESK = "7"


def phone_name(organization: str, number: str) -> str:
    """The phone provisioned with an extension: digits, for there are kinds of PBX that know no other names."""
    return f"{organization}{number}"
