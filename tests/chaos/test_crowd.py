"""The crowd that makes the nodes' tables large is what it would be if it had been added one by one."""

from __future__ import annotations

import psycopg

from chaos.people import CROWD, add_crowd
from roost.nodes.routes import announce, news_since
from roost.pbx.node import ActsAs, Rings
from tests.world import World


def test_a_crowd_is_numbered_and_told_like_others(world: World, database_url: str) -> None:
    world.office("001")
    before = announce(world.database).numbered
    with psycopg.connect(database_url, autocommit=True) as connection:
        add_crowd(connection, 20)
    with world.database.connection() as connection:
        told = news_since(connection, before, before + 40).changes
    assert {type(change) for change in told} == {Rings, ActsAs}
    assert {change.extension for change in told if isinstance(change, Rings)} == {
        f"{CROWD}*{n:07}" for n in range(1, 21)
    }
    assert len(told) == 40
    world.sit("001", "desk001")
    world.desk("002")
    assert announce(world.database).numbered > 0, "numbering goes on after it"
