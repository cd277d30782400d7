"""What kinds of PBX demand of all that their nodes are told of, held where it is set up.

Looked at after the change and inside its transaction, so what is refused leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg.types.json import Jsonb

from roost.database import Connection, query
from roost.errors import Conflict, Invalid
from roost.pbx.kinds import kind_named, kinds


class OneOrganization(Conflict):
    """The node can serve one organization alone; say which: roost node serve NODE ORGANIZATION, or add it with --serve."""

    code = "one_organization"


class UnfitPhoneName(Invalid):
    """The phone's name is none that a node can be told of; remove the phone and add it under another name."""

    code = "unfit_phone_name"


def hold_demands(connection: Connection, phones: Sequence[str] | None = None) -> None:
    """Raise OneOrganization or UnfitPhoneName if a node cannot be told of what is set up now.

    `phones`: only these were added; None: anything may have changed.
    """
    demands = {kind.name: kind.demands for kind in kinds().values()}
    patterns = {name: demand.phone_name for name, demand in demands.items() if demand.phone_name}
    alone = [name for name, demand in demands.items() if demand.one_organization]
    connection.execute(query("lock_demands"), {"alone": phones is None})
    if phones is None:
        found = connection.execute(query("find_second_organization"), {"kinds": alone}).fetchone()
        if found is not None:
            node, kind, organizations = found
            raise OneOrganization(f"({node}, {kind}: {', '.join(organizations)})")
    parameters = {"patterns": Jsonb(patterns), "phones": None if phones is None else list(phones)}
    found = connection.execute(query("find_unfit_phone"), parameters).fetchone()
    if found is not None:
        phone, node, kind = found
        words = kind_named(kind).demands.phone_words
        raise UnfitPhoneName(f"({phone}: node {node}, {kind}, needs {words})")
