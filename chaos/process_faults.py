"""Processes that die or freeze: workers, centers, beats, RabbitMQ, PostgreSQL; and clocks that are wrong."""

from __future__ import annotations

import os
from pathlib import Path

from chaos.faults import THREE_BROKERS, Heal, Scene, define, fault
from localcluster.process import SupervisedProcess

KINDS = ("bind", "verify", "push", "center", "beat")
_FAKETIME = Path(f"/usr/lib/{os.uname().machine}-linux-gnu/faketime/libfaketimeMT.so.1")


def _define_process_faults(kind: str) -> None:
    def one(scene: Scene) -> SupervisedProcess:
        return scene.dice.choice(list(scene.stage.product.of_kind(kind)))

    def killed(scene: Scene) -> Heal:
        process = one(scene)
        process.kill()
        return process.start

    def frozen(scene: Scene) -> Heal:
        process = one(scene)
        process.pause()
        return process.resume

    def all_killed(scene: Scene) -> Heal:
        processes = list(scene.stage.product.of_kind(kind))
        for process in processes:
            process.kill()
        return lambda: start_all(processes)

    define(f"{kind}-killed", killed)
    define(f"{kind}-frozen", frozen)
    define(f"{kind}s-all-killed", all_killed)


for _kind in KINDS:
    _define_process_faults(_kind)


def start_all(processes: list[SupervisedProcess]) -> None:
    """Start them together."""
    for process in processes:
        process.launch()
    for process in processes:
        process.await_ready()


@fault("broker-killed")
def broker_killed(scene: Scene) -> Heal:
    """Every RabbitMQ node dies at once."""
    scene.stage.rabbitmq.kill()

    def heal() -> None:
        for node in scene.stage.rabbitmq.nodes:
            node.process.launch()
        for node in scene.stage.rabbitmq.nodes:
            node.process.await_ready()

    return heal


@fault("broker-frozen")
def broker_frozen(scene: Scene) -> Heal:
    """Every RabbitMQ node freezes."""
    scene.stage.rabbitmq.pause()
    return scene.stage.rabbitmq.resume


@fault("broker-node-killed", needs=THREE_BROKERS)
def broker_node_killed(scene: Scene) -> Heal:
    """One of three RabbitMQ nodes dies."""
    node = scene.dice.choice(scene.stage.rabbitmq.nodes)
    node.kill()
    return node.start


@fault("broker-node-frozen", needs=THREE_BROKERS)
def broker_node_frozen(scene: Scene) -> Heal:
    """One of three RabbitMQ nodes freezes."""
    node = scene.dice.choice(scene.stage.rabbitmq.nodes)
    node.pause()
    return node.resume


@fault("queue-leader-killed", needs=THREE_BROKERS)
def queue_leader_killed(scene: Scene) -> Heal:
    """The node dies that leads the queue `bind`."""
    nodes = scene.stage.rabbitmq.nodes
    listed = nodes[0].ctl("list_queues", "-p", scene.stage.vhost, "name", "leader")
    leader = next(line.split()[1] for line in listed.splitlines() if line.split()[0] == "bind")
    node = next(node for node in nodes if leader.startswith(f"{node.name}@"))
    node.kill()
    return node.start


@fault("postgres-killed")
def postgres_killed(scene: Scene) -> Heal:
    """PostgreSQL dies, and recovers from its log when it is started."""
    scene.stage.postgres.kill()
    return scene.stage.postgres.start


@fault("postgres-frozen")
def postgres_frozen(scene: Scene) -> Heal:
    """PostgreSQL freezes."""
    scene.stage.postgres.pause()
    return scene.stage.postgres.resume


def _define_clock_fault(kind: str, seconds: int) -> None:
    def begin(scene: Scene) -> Heal:
        process = scene.dice.choice(list(scene.stage.product.of_kind(kind)))
        right = dict(process.environment or {})
        process.stop()
        # Only the time of day is off: who waits for a while still waits as long.
        process.environment = right | {
            "LD_PRELOAD": str(_FAKETIME), "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }  # fmt: skip
        process.start()

        def heal() -> None:
            process.stop()
            process.environment = right
            process.start()

        return heal

    define(f"clock-{kind}-{'ahead' if seconds > 0 else 'behind'}", begin, file=(_FAKETIME, "libfaketime"))


for _kind in KINDS:
    _define_clock_fault(_kind, 60)
    _define_clock_fault(_kind, -60)
