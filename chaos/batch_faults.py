"""What happens while moves are settled together: their worker or the broker dies with half of them answered; and a broker that takes no messages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg

from chaos.faults import Heal, Scene, fault
from chaos.message_faults import a_move, publish, task_message
from chaos.process_faults import broker_killed, start_all
from localcluster.process import wait_until
from tasks.topology import BIND

#: More than all bind workers are sent ahead.
_MANY = 200


def _amid_a_batch(scene: Scene) -> None:
    """Send many moves at once; return when some are in the journal, so that some are fetched, some answered, and some neither."""
    moves = [a_move(scene, datetime.now(UTC)) for _ in range(_MANY)]
    publish(scene.stage.door_url, BIND, [task_message("roost.virtualize", move) for move in moves])
    wait_until(_is_recorded(scene, [str(move["request_id"]) for move in moves]), 10.0, "some of many moves")


def _is_recorded(scene: Scene, ids: list[str]) -> Callable[[], bool]:
    def is_recorded() -> bool:
        with psycopg.connect(scene.stage.database_url) as connection:
            found = connection.execute("SELECT FROM journal WHERE request_id = ANY (%s) LIMIT 1", (ids,))
            return found.rowcount > 0

    return is_recorded


@fault("batch-workers-killed")
def workers_killed(scene: Scene) -> Heal:
    """Every bind worker dies with half of many moves answered."""
    workers = list(scene.stage.product.of_kind("bind"))
    _amid_a_batch(scene)
    for worker in workers:
        worker.kill()
    return lambda: start_all(workers)


@fault("batch-broker-killed")
def broker_killed_amid_a_batch(scene: Scene) -> Heal:
    """Every RabbitMQ node dies while half of many moves are fetched."""
    _amid_a_batch(scene)
    return broker_killed(scene)


@fault("broker-memory-alarm")
def memory_alarm(scene: Scene) -> Heal:
    """RabbitMQ has no memory left: it answers questions, and takes no messages."""
    nodes = scene.stage.rabbitmq.nodes

    def set_limit(part: str) -> None:
        for node in nodes:
            node.ctl("set_vm_memory_high_watermark", part)

    set_limit("0")
    return lambda: set_limit("0.6")
