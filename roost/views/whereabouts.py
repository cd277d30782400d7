"""Where an extension rings and why; who a phone acts as."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg.rows import dict_row

from roost.database import Database, query
from roost.directory.errors import UnknownExtension, UnknownPhone
from roost.directory.fields import ExtensionKey, extension_key


class Why(StrEnum):
    """Why an extension rings where it does, or nowhere: the words of the view `rings`."""

    AT_HOME = "at_home"
    VIRTUALIZED = "virtualized"
    #: Nowhere: another extension sits on its phone.
    HOSTS_GUEST = "hosts_guest"
    #: Nowhere: it has no phone, and sits on none.
    NO_PHONE = "no_phone"
    PHONE_DISABLED = "phone_disabled"
    EXTENSION_DISABLED = "extension_disabled"
    ORGANIZATION_DISABLED = "organization_disabled"


@dataclass(frozen=True, slots=True)
class ExtensionPlace:
    """Where an extension rings: `phone` on `node`, or nowhere (both None).

    `since`: when that began, None if it was never otherwise as far as the journal goes; `until`: when the stay
    ends by itself. `guest` sits on its own phone, since `guest_since`. `locked_until` is None unless it is locked now.
    """

    extension: str
    name: str
    why: Why
    phone: str | None
    node: str | None
    since: datetime | None
    until: datetime | None
    own_phone: str | None
    own_node: str | None
    guest: str | None
    guest_name: str | None
    guest_since: datetime | None
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class PhonePlace:
    """Who a phone acts as (None: it is not provisioned, or disabled), and where its own extension rings meanwhile.

    `locked_until` is None unless it is locked now.
    """

    phone: str
    organization: str
    node: str
    enabled: bool
    acts_as: str | None
    acts_as_name: str | None
    base: str | None
    base_name: str | None
    base_phone: str | None
    base_node: str | None
    guest: str | None
    guest_name: str | None
    since: datetime | None
    until: datetime | None
    locked_until: datetime | None


def where_is_extension(database: Database, key: str) -> ExtensionPlace:
    """Look up one extension, `0001*001`. Raises BadExtensionKey, UnknownExtension."""
    named = ExtensionKey.parse(key)
    row = _row(database, "where_is_extension", named._asdict())
    if row is None:
        raise UnknownExtension(f"({key})")
    return ExtensionPlace(**row | {"extension": str(named), "why": Why(row["why"])})


def where_is_phone(database: Database, phone: str) -> PhonePlace:
    """Look up one phone. Raises UnknownPhone."""
    row = _row(database, "where_is_phone", {"phone": phone})
    if row is None:
        raise UnknownPhone(f"({phone})")

    def key(number: str | None) -> str | None:
        return number and extension_key(row["organization"], number)

    return PhonePlace(
        phone=row["phone"], organization=row["organization"], node=row["node"], enabled=row["enabled"],
        acts_as=key(row["acts_as"]), acts_as_name=row["acts_as_name"], base=key(row["base"]), base_name=row["base_name"],
        base_phone=row["base_phone"], base_node=row["base_node"], guest=key(row["guest"]), guest_name=row["guest_name"],
        since=row["guest_since"], until=row["stay_ends"],
        locked_until=row["locked_until"],
    )  # fmt: skip


def _row(database: Database, statement: str, params: dict[str, Any]) -> dict[str, Any] | None:
    with database.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query(statement), params).fetchone()
