"""Why a change of the directory is refused, in words and with a stable code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import errors as pg

from roost.directory.rules import BadField
from roost.errors import Conflict, Invalid, NotFound, RoostError


class UnknownOrganization(NotFound):
    """There is no such organization."""

    code = "unknown_organization"


class UnknownExtension(NotFound):
    """There is no such extension."""

    code = "unknown_extension"


class UnknownPhone(NotFound):
    """There is no such phone."""

    code = "unknown_phone"


class UnknownNode(NotFound):
    """There is no such node."""

    code = "unknown_node"


class Duplicate(Conflict):
    """There is one already."""

    code = "duplicate"


class ExtensionHasPhone(Conflict):
    """The extension is the base of another phone; an extension has at most one."""

    code = "extension_has_phone"


class OtherOrganization(Conflict):
    """The phone and the extension belong to different organizations."""

    code = "other_organization"


class NodeHasPhones(Conflict):
    """The node still has phones."""

    code = "node_has_phones"


class NodeDoesNotServe(Conflict):
    """The node does not serve the phone's organization: let it, or home the phone elsewhere."""

    code = "node_serves_organization"


class OrganizationNotEmpty(Conflict):
    """The organization still has extensions or phones."""

    code = "organization_not_empty"


class OrganizationIsRemoved(Conflict):
    """The organization is being removed; that cannot be undone."""

    code = "organization_is_removed"


class TooLong(Invalid):
    """No node could store it: shorten the name, the mailbox or the emergency location."""

    code = "too_long"


_BY_CONSTRAINT: dict[str, type[RoostError]] = {
    "organization_code_key": Duplicate,
    "extension_organization_id_number_key": Duplicate,
    "phone_name_key": Duplicate,
    "pbx_node_name_key": Duplicate,
    "phone_base_id_key": ExtensionHasPhone,
    "person_login_key": Duplicate,
    "phone_organization_id_base_id_fkey": OtherOrganization,
    "phone_node_id_fkey": NodeHasPhones,
    "node_serves_organization": NodeDoesNotServe,
    "organization_is_removed": OrganizationIsRemoved,
}


@contextmanager
def in_words(subject: str) -> Iterator[None]:
    """Raise what the schema refuses as an error about `subject`, a name without secrets."""
    try:
        yield
    except pg.IntegrityError as error:
        constraint = error.diag.constraint_name or ""
        if constraint == "row_fits":
            raise TooLong(f"({subject}: {error.diag.message_primary})") from None
        if constraint in _BY_CONSTRAINT:
            raise _BY_CONSTRAINT[constraint](f"({subject})") from None
        raise BadField(f"({subject}: the database refuses it by {constraint})") from None
    except pg.InvalidParameterValue:
        raise BadField(f"PostgreSQL does not know the time zone of {subject}.") from None
    except pg.DataError as error:
        raise BadField(f"({subject}: {error.diag.message_primary})") from None
