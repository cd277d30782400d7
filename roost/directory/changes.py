"""What may be set on the things of the directory, and how it travels to PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any, Literal, NamedTuple, TypedDict

from roost.directory.fields import RULES
from roost.directory.rules import NumberRule, TextRule


class OrganizationFields(TypedDict, total=False):
    """What may be set on an organization; None takes an end of stays away."""

    name: str
    enabled: bool
    policy: str
    max_stay: timedelta | None
    daily_return: time | None
    timezone: str
    lock_after: int
    lock_for: timedelta
    phone_lock_after: int
    allows_weak_codes: bool


class ExtensionFields(TypedDict, total=False):
    """What may be set on an extension; an end of stays that is None is the organization's."""

    name: str
    enabled: bool
    allows_virtualization: bool
    account_code: str
    mailbox: str
    max_stay: timedelta | None
    daily_return: time | None


class NewPhoneFields(TypedDict, total=False):
    """What may be set on a new phone. `base` is a key such as `0001*001`, or None for no base extension."""

    base: str | None
    emergency_number: str
    emergency_location: str
    enabled: bool


class PhoneFields(NewPhoneFields, total=False):
    """What may be set on a phone."""

    node: str


class NodeFields(TypedDict, total=False):
    """What may be set on a node. `secret` is in clear here, and sealed before it is stored.

    `options` are those of the node's kind; one that is None is as if it had never been set.
    """

    host: str
    port: int
    secret: str
    options: Mapping[str, object]
    enabled: bool


class By(NamedTuple):
    """Who asks for a change that the journal keeps: the door it came by, and a name."""

    origin: Literal["web", "api", "cli"]
    actor: str


def checked(given: Mapping[str, object]) -> dict[str, Any]:
    """Check the given fields; give them with intervals and times as the text PostgreSQL reads."""
    columns: dict[str, Any] = {}
    for field, value in given.items():
        match value, RULES.get(field):
            case str() as text, TextRule() as rule:
                columns[field] = rule.check(text)
            case _, NumberRule() as rule:
                columns[field] = rule.check(value)
            case timedelta() as duration, _:
                columns[field] = f"{duration.total_seconds():f} seconds"
            case time() as wall_clock, _:
                columns[field] = wall_clock.isoformat()
            case _:
                columns[field] = value
    return columns
