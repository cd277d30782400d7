"""The way from the page and the API to the workers, when the clock or the database is not as it should be."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from chaos.network import Flow, Network
from localcluster import ports
from roost.database import Database
from roost.directory.fields import ExtensionKey
from roost.moves.database_clock import DatabaseClock
from roost.moves.requests import Answer
from roost.people.access import Asker, Right
from tests.celery.test_lost_workers import phone_held
from tests.web.office import Office
from tests.web.watched_client import WatchedClient
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


async def _move_while_the_database_goes(
    asking: Asking, client: WatchedClient, office: Office, network: Network
) -> Answer:
    client.given = asyncio.Queue()
    with phone_held(office.cluster, "desk003"):
        move = asyncio.create_task(asking.virtualize(a_program(), None, EXTENSION, "desk003"))
        assert await client.given.get() == "roost.virtualize"
        network.set(Flow.NOTHING, "web")
    return await move


def test_a_move_that_was_done_is_told_though_the_database_went_away_meanwhile(office: Office) -> None:
    product, network = office.cluster.product, Network()
    port = conninfo_to_dict(product.database_url)["port"]
    link = network.link("web", ports.LOOPBACK, int(str(port)))
    database = Database(make_conninfo(product.database_url, port=link.port))
    try:
        with WatchedClient(product.settings) as client:
            asking = Asking(client, database, product.settings)
            answer = asyncio.run(_move_while_the_database_goes(asking, client, office, network))
    finally:
        database.close()
        network.close()
    assert answer.outcome == "virtualized"
    assert office.world.guests() == {"desk003": "001"}
