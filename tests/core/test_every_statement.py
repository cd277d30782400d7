"""What any statement reads does not grow with an organization, a node's table or the journal, but for those that are named here with the reason."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files

from psycopg.types.json import Jsonb

from tests.core.reading import MANY_DESKS, fill, rows_read
from tests.world import World

#: Most rows that a statement may read, of 20,000 keys, 10,000 desks, and as many calls and entries of the journal. A page has 50.
MOST = 400
#: Parts of other statements, which include them.
_PARTS = {
    "in_scope",
    "journal_matches",
    "list_served_ids",
    "organization_doing",
    "serves_many",
    "since_it_has_its_code",
}
#: These read the file that is imported, in temporary tables, and what its rows name.
_IMPORTS = {
    "add_import_extensions", "add_import_phones", "compare_import", "copy_import", "count_import_changes", "list_import_changes",
    "list_import_faults", "lock_import_extensions", "lock_import_phones", "lock_import_places", "release_import_phones", "set_import_extensions",
    "set_import_phones", "stage_import",
}  # fmt: skip
#: What these read grows, and why it may.
GROWS = {
    "count_belongings": "asked before something is removed",
    "count_desks": "for a tenth of the time at most (desk_counts.py)",
    "count_held_keys": "once an audit, or a full send",
    "count_keys": "once an audit, or a full send",
    "count_oddities": "roost doctor",
    "find_unfit_phone": "a change of what a node serves",
    "list_all_phones": "for those who look on",
    "list_all_routes": "for those who look on",
    "list_hidden_extensions": "roost doctor",
    "list_long_rows": "roost doctor",
    "list_node_status": "the changes that a node lacks, counted up to 10,000",
    "list_nodes": "the phones of each",
    "list_organizations": "the extensions and phones of each",
    "mark_organization_removed": "counted once, as a removal begins",
    "remove_organization": "of one that was found empty",
    "rename_organization": "a longer code: no row may become too long",
}

_JOURNAL = """
INSERT INTO journal (request_id, at, origin, operation, organization, extension, phone, outcome)
SELECT 'r' || i, now() - i * interval '1 minute', 'api', 'virtualize', '0001', lpad((i % 8000)::text, 6, '0'),
       'desk-1-' || lpad((i % 8000)::text, 6, '0'), CASE WHEN i % 2 = 0 THEN 'virtualized' ELSE 'returned' END FROM generate_series(1, 10000) i;
INSERT INTO person (login, role, password_hash) VALUES ('ana', 'operator', '');
INSERT INTO call (id, seen_at) SELECT 'c' || i, now() - i * interval '1 second' FROM generate_series(1, 10000) i;
INSERT INTO route (key, organization_id, version) SELECT key, organization_id, row_number() OVER ()
FROM (SELECT key, organization_id FROM rings UNION ALL SELECT key, organization_id FROM acts_as) every
"""


#: Where a parameter is something else than in most statements.
_ELSE: dict[str, dict[str, object]] = {
    "add_extension": {"number": "999999"},
    "add_organization": {"code": "0009"},
    "add_person": {"login": "new", "role": "administrator", "number": None},
    "add_phone": {"name": "new"},
    "add_token": {"lifetime": None},
    **{key: {"after": ""} for key in ("export_desks", "list_nodes", "list_organizations")},
    "list_people": {"after": "", "organization": None},
    "list_phones": {"after": "", "organization": None, "node": None},
    "list_tokens": {"organization": None},
    "mark_node_sending": {"keys": 1},
    "note_audit": {"keys": 1},
    "record_refusal": {"request_id": "new", "outcome": "expired"},
    "unlock_extension": {"request_id": "new"},
    "unlock_phone": {"request_id": "new"},
}


def _given(world: World) -> dict[str, object]:
    """Every parameter that any statement has, by its name."""
    desk = world.value("SELECT min(name) FROM phone")
    key = "e/0001*000007"
    now = datetime.now(UTC)
    return {
        "access": "read", "actor": "", "address": "127.0.0.1", "after": 0, "after_number": "", "after_organization": "", "ahead": None,
        "alone": False, "asked": "x", "asked_from": None, "at": now, "audit_every": 1e6, "audit_often": Jsonb({}), "audit_silence": 30.0,
        "base_id": None, "before": "", "before_id": "", "began_at": now, "behind": None, "bound_from": "x", "bound_to": "x", "browser": b"b",
        "changes": Jsonb({}), "code": "0001", "code_hash": "", "days": 365, "delay": 1.0, "drift": 0, "enabled": True, "entries": 50,
        "error": "", "expires_at": None, "extension": None, "failure": "", "feature_code": "*30", "forgetful": [], "hashes": [b"h"],
        "host": "127.0.0.1", "id": 1, "idle": 60.0, "jobs": "[]", "keys": [key], "kind": "asterisk", "kinds": ["asterisk"], "known": False,
        "lifetime": 60.0, "limit": 51, "login": "nobody", "longest_delay": 900.0, "made_at": now, "made_by": "", "memory": 60.0, "most": 50, "name": desk, "new": "acme",
        "node": "n1", "node_id": world.value("SELECT min(id) FROM pbx_node"), "node_ids": [world.value("SELECT min(id) FROM pbx_node")], "nodes": ["n1"], "new_hash": None, "now_please": False, "number": "000007", "numbers": ["000007"],
        "only": None, "operation": "virtualize", "options": Jsonb({}), "organization": "0001", "organizations": ["0001"], "origin": "api",
        "outcome": None, "password_hash": "", "patterns": Jsonb({}), "person_id": world.value("SELECT min(id) FROM person"), "phone": None, "phones": [desk], "port": 1, "reason": "",
        "reasons": [""], "request_id": "r7", "role": "operator", "search": None, "seconds": 60.0, "secret": b"", "serves_all": True,
        "silence": 30.0, "since": None, "skip": 0, "skip_held": False, "stage": "e", "token_hash": b"h", "total": 1, "unseen_for": None, "until": None,
        "username": "", "version": 19_990, "versions": [19_990],
    }  # fmt: skip


def test_what_a_statement_reads_does_not_grow(world: World) -> None:
    world.node()
    fill(world, MANY_DESKS + ";" + _JOURNAL)
    given = _given(world)
    names = {file.name.removesuffix(".sql") for file in files("roost").joinpath("queries").iterdir()}
    read = {
        name: rows_read(world, name, given | _ELSE.get(name, {}))
        for name in sorted(names - _PARTS - _IMPORTS)
    }
    grows = {name: rows for name, rows in read.items() if rows > MOST and name not in GROWS}
    assert not grows
    assert GROWS.keys() <= read.keys()
