"""Who is there: organizations, extensions, phones, nodes; and the same as offices of the model."""

from __future__ import annotations

import psycopg

from chaos.model import Extension, Office, Phone
from chaos.names import ALONE, NUMBERS, POLICIES, WITHOUT_DESK, phone_name
from chaos.nodes import Node
from chaos.stage import Stage
from localcluster import ports
from roost.database import Database
from roost.directory import Directory, fields
from roost.moves.secret_codes import hash_code
from roost.pbx.kinds import kind_named

#: Everybody's secret code, and one that nobody has.
CODE, WRONG_CODE = "4711", "0815"
#: The most that may be set: a load keys more wrong codes than any person, and locks are tried elsewhere.
LOCK_AFTER = fields.LOCK_AFTER.most

#: The harness' own record of every change of who sits where, and of every journal row, with the transaction that
#: made it; a restored database keeps what the old server did, so the server is a part of a transaction's name.
#: Whoever makes the change writes it with the harness' rights, for no process of Roost has any to these tables.
_EFFECTS = """
CREATE TABLE chaos_effect (tx text NOT NULL, phone text NOT NULL, before text, after text);
CREATE TABLE chaos_cause (tx text NOT NULL, request_id text PRIMARY KEY);
CREATE FUNCTION chaos_tx() RETURNS text LANGUAGE sql AS $$
    SELECT system_identifier || ':' || pg_current_xact_id() FROM pg_control_system()
$$;
CREATE FUNCTION chaos_note_effect() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO chaos_effect SELECT chaos_tx(), NEW.name,
        (SELECT number FROM extension WHERE id = OLD.guest_id), (SELECT number FROM extension WHERE id = NEW.guest_id);
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_effect AFTER UPDATE ON phone FOR EACH ROW
    WHEN (OLD.guest_id IS DISTINCT FROM NEW.guest_id) EXECUTE FUNCTION chaos_note_effect();
CREATE FUNCTION chaos_note_cause() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO chaos_cause SELECT chaos_tx(), NEW.request_id;
    RETURN NULL;
END $$;
CREATE TRIGGER chaos_cause AFTER INSERT ON journal FOR EACH ROW EXECUTE FUNCTION chaos_note_cause();
"""
#: An organization in which nobody moves.
CROWD = "5000"
#: Written without triggers, which would take minutes for a hundred thousand.
_CROWD = (
    "INSERT INTO organization (code) VALUES (%(organization)s)",
    (
        "INSERT INTO extension (organization_id, number, name) SELECT o.id, lpad(i::text, 7, '0'), 'Person ' || i"
        " FROM organization o, generate_series(1, %(more)s) i WHERE o.code = %(organization)s"
    ),
    (
        "INSERT INTO phone (organization_id, name, node_id, base_id) SELECT o.id, 'crowd' || e.number, (SELECT min(id) FROM pbx_node), e.id"
        " FROM organization o JOIN extension e ON e.organization_id = o.id WHERE o.code = %(organization)s"
    ),
)
#: Their keys are numbered as `announce` does it, which others wait for.
_CROWD_NUMBERED = (
    "SELECT pg_advisory_xact_lock(hashtextextended('roost announce', 0))",
    (
        "INSERT INTO route (key, organization_id, version)"
        " SELECT key, organization_id, (SELECT coalesce(max(version), 0) FROM route) + row_number() OVER ()"
        " FROM (SELECT key, organization_id, organization FROM rings UNION ALL SELECT key, organization_id, organization FROM acts_as) every"
        " WHERE organization = %(organization)s"
    ),
)


def settle_in(stage: Stage, more: int = 0) -> dict[str, Office]:
    """Fill the directory; the offices as the model knows them. `more` extensions, each with a phone, only make the nodes' tables large."""
    database = Database(stage.database_url, size=2)
    directory = Directory(database, stage.product.settings.need("seal_public_key"))
    for code, policy in POLICIES.items():
        directory.add_organization(code, policy=policy, lock_after=LOCK_AFTER, phone_lock_after=LOCK_AFTER)
    for node in stage.nodes.values():
        link = stage.network.links[f"push-{node.name}"]
        at = node.address
        directory.add_node(
            node.name, at.kind, ports.LOOPBACK, link.port, secret=at.secret.get_secret_value(), options=at.options,
            serves=[ALONE] if _serves_one(node) else None,
        )  # fmt: skip
    offices = {}
    for code, policy in POLICIES.items():
        served = [node.name for node in stage.nodes.values() if code == ALONE or not _serves_one(node)]
        office = offices[code] = Office(policy=policy, lock_after=LOCK_AFTER, phone_lock_after=LOCK_AFTER)
        for place, number in enumerate((*NUMBERS, WITHOUT_DESK)):
            directory.add_extension(f"{code}*{number}", name=f"Person {number}", allows_virtualization=True)
            office.extensions[number] = Extension(number)
            if number != WITHOUT_DESK:
                name = phone_name(code, number)
                directory.add_phone(
                    name, organization=code, node=served[place % len(served)], base=f"{code}*{number}"
                )
                office.phones[name] = Phone(name, number)
    database.close()
    code_hash = hash_code(stage.product.settings.need("code_pepper"), CODE)
    with psycopg.connect(stage.database_url, autocommit=True) as connection:
        connection.execute("UPDATE extension SET code_hash = %s, code_set_at = now()", [code_hash])
        connection.execute(_EFFECTS)
        if more:
            add_crowd(connection, more)
    return offices


def add_crowd(connection: psycopg.Connection[tuple[object, ...]], more: int) -> None:
    """Add so many extensions, each with a phone, and number their keys, in seconds. The connection is in autocommit mode."""
    parameters = {"organization": CROWD, "more": more}
    for statements in (("SET LOCAL session_replication_role = replica", *_CROWD), _CROWD_NUMBERED):
        with connection.transaction():
            for statement in statements:
                connection.execute(statement, parameters)
    connection.execute("VACUUM ANALYZE")


def _serves_one(node: Node) -> bool:
    return kind_named(node.address.kind).demands.one_organization
