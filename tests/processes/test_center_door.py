"""Who is counted at a center as somebody who is not let in, and who only looked whether somebody listens."""

from __future__ import annotations

import asyncio

from localcluster import ports
from roost.settings import Settings
from tests.cluster import Cluster
from workers.center.measures import CALLS, NOT_LET_IN
from workers.center.server import Center


async def _knock(center: Center, *said: bytes) -> None:
    """Connect once for each of these, say it, and wait until the center has closed; who says nothing closes first."""
    serving = asyncio.create_task(center.serve(drain=1))
    while not center.port:  # noqa: ASYNC110 - it says so in no other way
        await asyncio.sleep(0.01)
    for words in said:
        reader, writer = await asyncio.open_connection(ports.LOOPBACK, center.port)
        if words:
            writer.write(words)
        else:
            writer.write_eof()
        await reader.read()
        writer.close()
    center.stop()
    await serving


def test_only_who_speaks_is_told_of_as_not_let_in(cluster: Cluster) -> None:
    new = {"center_allow": "10.0.0.0/8", "center_port": ports.free_port()}
    settings = Settings.model_validate(cluster.product.settings.model_dump() | new)
    counted = CALLS.labels(NOT_LET_IN)
    before = counted._value.get()
    asyncio.run(_knock(Center(cluster.client, settings), b"", b""))
    assert counted._value.get() == before
    asyncio.run(_knock(Center(cluster.client, settings), b"agi_network: yes\n"))
    assert counted._value.get() == before + 1
