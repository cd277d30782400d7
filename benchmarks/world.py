"""The cluster's people and phones, made by the thousand: one organization, one phone for each extension.

Every third extension is a mover; the two phones after its own are where it sits in turn, and nobody else sits there.
"""

from __future__ import annotations

import psycopg
from psycopg.types.json import Jsonb

from roost.directory.node_options import columns_of
from roost.moves.secret_codes import hash_code
from roost.pbx.kinds import default_kind, kind_named
from roost.pbx.node import NodeAddress
from roost.seal import seal
from roost.settings import Settings

ORGANIZATION = "0001"
CODE, WRONG_CODE = "123456", "654321"


def mover(number: int) -> tuple[str, tuple[str, str]]:
    """The mover's extension, and the names of its two phones."""
    return f"{3 * number:07}", (f"p{3 * number + 1:07}", f"p{3 * number + 2:07}")


def code_of(organization: int) -> str:
    """The code of an organization, counted from 0; ORGANIZATION is the first."""
    return f"{organization + 1:04}"


def populate(url: str, settings: Settings, extensions: int, organizations: int = 1) -> None:
    """Fill an empty database; each organization has its share of the extensions, in order. Triggers are off meanwhile, so that a million takes a minute; the log is written whole."""
    code_hash = hash_code(settings.need("code_pepper"), CODE)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in _POPULATE:
            connection.execute(
                statement,
                {
                    "n": extensions, "organizations": organizations, "hash": code_hash, "kind": default_kind(),
                },
            )  # fmt: skip
        connection.execute("SET session_replication_role = origin")
        connection.execute("VACUUM ANALYZE")


def add_node(url: str, settings: Settings, name: str, address: NodeAddress) -> None:
    """Register a node, switched off; every phone stays homed on the node `home`, which nobody pushes to."""
    sealed = seal(settings.need("seal_public_key"), "node", address.secret.get_secret_value()).encode()
    options = columns_of(kind_named(address.kind).parse(address.options))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO pbx_node (name, kind, host, port, username, options, secret, enabled, audited_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, false, clock_timestamp())",
            (
                name,
                address.kind,
                address.host,
                address.port,
                options["username"],
                Jsonb(options["options"]),
                sealed,
            ),
        )


_POPULATE = (
    (
        "INSERT INTO organization (code, policy, lock_after, phone_lock_after)"
        " SELECT lpad(i::text, 4, '0'), 'refuse', 1000, 1000 FROM generate_series(1, %(organizations)s::int) i"
    ),
    (
        "INSERT INTO pbx_node (name, kind, host, port, username, secret, enabled)"
        " VALUES ('home', %(kind)s, '127.0.0.1', 1, '', '', false)"
    ),
    (
        "INSERT INTO extension (organization_id, number, name, allows_virtualization, code_hash, code_set_at)"
        " SELECT o.id, lpad(i::text, 7, '0'), 'Person ' || i, true, %(hash)s, now()"
        " FROM generate_series(0, %(n)s - 1) i"
        " JOIN organization o ON o.code = lpad((1 + i::bigint * %(organizations)s / %(n)s)::text, 4, '0') ORDER BY i"
    ),
    (
        "INSERT INTO phone (organization_id, name, node_id, base_id)"
        " SELECT organization_id, 'p' || number, (SELECT id FROM pbx_node WHERE name = 'home'), id FROM extension"
    ),
    (
        "INSERT INTO route (key, organization_id, version) SELECT key, organization_id, row_number() OVER ()"
        " FROM (SELECT key, organization_id FROM rings UNION ALL SELECT key, organization_id FROM acts_as) every"
    ),
)
