"""Tokens of the API: what each opens, and for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from roost.directory.errors import UnknownOrganization
from roost.people.access import Right
from roost.people.tokens import BadToken, Tokens
from tests.world import World


def test_a_token_has_a_scope_and_an_end(world: World) -> None:
    world.organization()
    tokens = Tokens(world.database)
    number, secret = tokens.add("pbx", Right.OPERATE, "0001", lifetime=timedelta(hours=1), made_by="boss")
    asker = tokens.find(secret)
    assert (asker.origin, asker.right, asker.organization, asker.number) == (
        "api",
        Right.OPERATE,
        "0001",
        None,
    )
    assert tokens.token(number).used_at is not None
    world.sql("UPDATE token SET expires_at = now()")
    with pytest.raises(BadToken):
        tokens.find(secret)
    world.sql("UPDATE token SET expires_at = NULL")
    tokens.remove(number)
    with pytest.raises(BadToken):
        tokens.find(secret)
    with pytest.raises(UnknownOrganization):
        tokens.add("x", Right.READ, "0009")


@pytest.mark.parametrize(
    "secret", ["", "x", "roost_", "roost_" + "a" * 43, "roost_" + "a" * 10_000, "roost_\udcff"]
)
def test_what_is_no_token_opens_nothing(world: World, secret: str) -> None:
    with pytest.raises(BadToken):
        Tokens(world.database).find(secret)
