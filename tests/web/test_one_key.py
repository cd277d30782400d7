"""One key for two requests that are made at the same time: one of them is done, and the other is not told that it was."""

from __future__ import annotations

import asyncio

from roost.directory.fields import ExtensionKey
from roost.moves.at_most_once import RequestIdReused
from roost.moves.requests import Answer
from roost.people.access import Asker, Right
from tests.celery.test_lost_workers import phone_held
from tests.web.office import Office
from tests.web.watched_client import WatchedClient
from tests.world import new_id
from workers.web.asking import Asking


async def _both(
    asking: Asking, client: WatchedClient, office: Office
) -> tuple[Answer | BaseException, Answer | BaseException]:
    """An extension is put on a phone that nobody can change yet; with the same key, it is brought home."""
    client.given = asyncio.Queue()
    asker, key = Asker(id=f"token:{new_id()}", name="a program", origin="api", right=Right.OPERATE), new_id()
    extension = ExtensionKey("0001", "001")
    with phone_held(office.cluster, "desk003"):
        first = asyncio.create_task(asking.virtualize(asker, key, extension, "desk003"))
        assert await client.given.get() == "roost.virtualize"
        second = asyncio.create_task(asking.return_home(asker, key, extension))
        assert await client.given.get() == "roost.return"
    return await asyncio.gather(first, second, return_exceptions=True)


def test_only_who_was_first_hears_what_came_of_it(office: Office) -> None:
    product = office.cluster.product
    with WatchedClient(product.settings) as client:
        asking = Asking(client, office.cluster.database, product.settings)
        first, second = asyncio.run(_both(asking, client, office))
    assert isinstance(first, Answer), first
    assert first.outcome == "virtualized"
    assert isinstance(second, RequestIdReused), second
    assert office.world.guests() == {"desk003": "001"}
