"""One id for two requests that are made at the same time: one of them is done, and the other is not told that it was."""

from __future__ import annotations

import asyncio
from functools import partial

import psycopg
import pytest

from roost.directory.fields import ExtensionKey
from roost.moves.at_most_once import RequestIdReused
from roost.moves.requests import Answer, Dial
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


async def _both_codes(asking: Asking, client: WatchedClient, office: Office) -> list[Answer | BaseException]:
    """Nobody can change the extension while it is given a code, with the same key the same code again, and another one."""
    client.given = asyncio.Queue()
    asker, key = Asker(id=f"token:{new_id()}", name="a program", origin="api", right=Right.OPERATE), new_id()
    extension = ExtensionKey("0001", "001")
    with psycopg.connect(office.cluster.product.database_url) as connection:
        connection.execute("SELECT FROM extension WHERE number = '001' FOR UPDATE")
        codes = [asyncio.create_task(asking.set_code(asker, key, extension, "24681")) for _ in range(2)]
        assert [await client.given.get() for _ in codes] == ["roost.set_code"] * 2
        codes.append(asyncio.create_task(asking.set_code(asker, key, extension, "83017")))
        await asyncio.wait(codes, return_when=asyncio.FIRST_COMPLETED)
        assert [code.done() for code in codes] == [False, False, True]
    return await asyncio.gather(*codes, return_exceptions=True)


def test_of_two_codes_only_who_gave_the_first_hears_that_it_is_set(office: Office) -> None:
    product = office.cluster.product
    with WatchedClient(product.settings) as client:
        asking = Asking(client, office.cluster.database, product.settings)
        first, same, other = asyncio.run(_both_codes(asking, client, office))
    for answer in (first, same):
        assert isinstance(answer, Answer), answer
        assert answer.outcome == "code_set"
    assert isinstance(other, RequestIdReused), other
    assert office.cluster.call("desk002", "*30001", "83017", "24681").outcome == "virtualized"


async def _both_calls(
    asking: Asking, client: WatchedClient, office: Office, number: str
) -> tuple[Answer | BaseException, Answer | BaseException]:
    """Two phones dial the same in calls of one name, while nobody can change the first one."""
    client.given = asyncio.Queue()
    call, made_at = new_id(), await asking.now()
    first, second = (
        Dial(request_id=f"{call}/dial", call=call, phone=phone, number=number, made_at=made_at)
        for phone in ("desk002", "desk003")
    )
    with phone_held(office.cluster, "desk002"):
        one = asyncio.create_task(asking.once(first, partial(asking.ask, "roost.dial", first)))
        assert await client.given.get() == "roost.dial"
        other = asyncio.create_task(asking.once(second, partial(asking.ask, "roost.dial", second)))
        assert await client.given.get() == "roost.dial"
    return await asyncio.gather(one, other, return_exceptions=True)


@pytest.mark.parametrize(
    ("number", "outcome", "left"), [("004", "code_needed", {"desk002": "001"}), ("", "returned", {})]
)
def test_a_call_never_hears_what_another_of_its_name_came_to(
    office: Office, number: str, outcome: str, left: dict[str, str]
) -> None:
    product = office.cluster.product
    office.world.sit("001", "desk002")
    office.world.sql("UPDATE organization SET policy = 'displace'")
    office.world.sit("002", "desk003")
    with WatchedClient(product.settings) as client:
        asking = Asking(client, office.cluster.database, product.settings)
        first, second = asyncio.run(_both_calls(asking, client, office, number))
    assert isinstance(first, Answer), first
    assert first.outcome == outcome
    assert isinstance(second, RequestIdReused), second
    assert office.world.guests() == left | {"desk003": "002"}
