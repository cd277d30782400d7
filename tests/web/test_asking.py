"""The way from the page and the API to the workers, when the clock or the database is not as it should be."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from roost.directory.fields import ExtensionKey
from roost.moves.database_clock import DatabaseClock
from roost.people.access import Asker, Right
from tests.web.office import Office
from tests.world import new_id
from workers.web.asking import Asking

EXTENSION = ExtensionKey("0001", "001")


def a_program() -> Asker:
    """Somebody who has asked for nothing yet."""
    return Asker(id=f"token:{new_id()}", name="a program", origin="api", right=Right.OPERATE)


def test_after_a_quiet_while_the_databases_time_is_asked_anew(office: Office) -> None:
    """What was heard long ago is ahead by now, on a machine whose clock runs faster than the database's."""
    cluster, quiet_until_now = office.cluster, timedelta(hours=10)
    clock = DatabaseClock(lambda: time.monotonic() + passed.total_seconds())
    passed = timedelta()
    clock.observe(office.world.now() - quiet_until_now + timedelta(seconds=3))
    passed = quiet_until_now
    asking = Asking(cluster.client, cluster.database, cluster.product.settings, clock)
    answer = asyncio.run(asking.return_home(a_program(), None, EXTENSION))
    assert answer.outcome == "nothing_to_return"
