"""Whatever text is given, on whichever way it reaches PostgreSQL, it is refused at most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from localcluster.postgres import Postgres
from roost.database import Database
from roost.directory import Directory
from roost.directory.node_scope import read_scope, set_scope
from roost.errors import RoostError
from roost.nodes.status import cluster_status, request_audit
from roost.people.access import Right
from roost.people.person import People, Role
from roost.people.sessions import Sessions
from roost.people.tokens import Tokens
from roost.seal import new_keys
from roost.settings import Settings
from roost.views.desks import list_spare_phones, read_desks
from roost.views.journal import journal_entries
from roost.views.occupants import who_was_on
from roost.views.whereabouts import where_is_extension, where_is_phone
from tests.world import World
from workers.web.api import (
    calls,  # noqa: F401 - so that all models are known
    cluster,  # noqa: F401
    people,  # noqa: F401
)

#: What no text may be: a NUL, half a character, and far too much.
BAD_TEXTS = ("a\x00", "\x00", "a\ud800", "\udce9", "x" * 100_000)
#: Every way on which a text reaches PostgreSQL, but for those whose field has a rule above.
READERS: dict[str, Callable[[World, str], object]] = {
    "organization": lambda w, t: Directory(w.database).organization(t),
    "organizations after": lambda w, t: Directory(w.database).organizations(after=t),
    "extension": lambda w, t: Directory(w.database).extension(t),
    "extensions of": lambda w, t: Directory(w.database).extensions(organization=t),
    "extensions like": lambda w, t: Directory(w.database).extensions(search=t),
    "phone": lambda w, t: Directory(w.database).phone(t),
    "phones of": lambda w, t: Directory(w.database).phones(organization=t),
    "phones on": lambda w, t: Directory(w.database).phones(node=t),
    "phones like": lambda w, t: Directory(w.database).phones(search=t),
    "phones after": lambda w, t: Directory(w.database).phones(after=t),
    "phone removed": lambda w, t: Directory(w.database).remove_phone(t),
    "node": lambda w, t: Directory(w.database).node(t),
    "node removed": lambda w, t: Directory(w.database).remove_node(t),
    "scope": lambda w, t: read_scope(w.database, t),
    "scope set": lambda w, t: set_scope(w.database, "n1", [t]),
    "status": lambda w, t: cluster_status(w.database, t),
    "audit": lambda w, t: request_audit(w.database, t),
    "desks": lambda w, t: read_desks(w.database, t),
    "desks like": lambda w, t: read_desks(w.database, "0001", search=t),
    "spare phones": lambda w, t: list_spare_phones(w.database, t),
    "where": lambda w, t: where_is_extension(w.database, t),
    "where is the phone": lambda w, t: where_is_phone(w.database, t),
    "who was on": lambda w, t: who_was_on(w.database, t, w.now()),
    "journal of": lambda w, t: journal_entries(w.database, organization=t),
    "person": lambda w, t: People(w.database).person(t),
    "people of": lambda w, t: People(w.database).people(t),
    "people after": lambda w, t: People(w.database).people(after=t),
    "password": lambda w, t: People(w.database).set_password("ann", t),
    "sign in": lambda w, t: Sessions(w.database, w.settings).sign_in(t, "a password of hers", "127.0.0.1"),
    "sign in with": lambda w, t: Sessions(w.database, w.settings).sign_in("ann", t, "127.0.0.1"),
    "tokens of": lambda w, t: Tokens(w.database).tokens(t),
    "token for": lambda w, t: Tokens(w.database).add("t", Right.READ, t),
    "token by": lambda w, t: Tokens(w.database).add("t", Right.READ, None, made_by=t),
}


@pytest.mark.parametrize("reader", READERS)
def test_no_text_is_more_than_a_refusal(text_world: World, reader: str) -> None:
    for text in BAD_TEXTS:
        with suppress(RoostError):  # what nobody has is not found, or the list is empty
            found = READERS[reader](text_world, text)
            assert found in (None, []) or reader in {"status", "desks", "token by"} or "after" in reader
            assert len(text) > 1000, reader


@pytest.fixture(scope="module")
def text_world(postgres: Postgres) -> Iterator[World]:
    """An office and a person, shared by the tests that only read."""
    url = postgres.create_database("texts", template="template_roost")
    public, private = new_keys()
    settings = Settings.model_validate(
        {"database_url": url, "code_pepper": "p" * 40, "seal_public_key": public, "seal_private_key": private}
    )
    database = Database(url, size=2)
    world = World(database, settings)
    world.office("001")
    People(database).add("ann", "a password of hers", Role.OPERATOR)
    yield world
    database.close()
    postgres.drop_database("texts")
