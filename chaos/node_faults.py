"""PBX nodes that die, forget, go back in time, answer slowly or wrongly; and pushes that end half way."""

from __future__ import annotations

import shutil
import socket
import sqlite3

from chaos.faults import Heal, Scene, define, fault
from chaos.stage import SimulatedNode
from localcluster import ports
from localcluster.process import wait_until


def one(scene: Scene) -> SimulatedNode:
    """Any node."""
    return scene.dice.choice(list(scene.stage.nodes.values()))


def inject(node: SimulatedNode, mode: str, **fields: object) -> None:
    """Tell a simulator what to do wrong from now on."""
    lines = ["Action: SimFault", f"Mode: {mode}", *(f"{name}: {value}" for name, value in fields.items())]
    with socket.create_connection((ports.LOOPBACK, node.port), timeout=5) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        answer = b""
        while b"Fault taken" not in answer:
            data = connection.recv(4096)
            if not data:
                break  # what loses its memory loses its connections too
            answer += data


@fault("node-killed")
def node_killed(scene: Scene) -> Heal:
    """A PBX dies; what it acknowledged in its last second is lost."""
    node = one(scene)
    node.process.kill()
    return node.process.start


@fault("node-frozen")
def node_frozen(scene: Scene) -> Heal:
    """A PBX freezes, with what was sent to it in its buffers."""
    node = one(scene)
    node.process.pause()
    return node.process.resume


@fault("node-store-deleted")
def node_store_deleted(scene: Scene) -> Heal:
    """A PBX dies, and comes back with an empty store."""
    node = one(scene)
    node.process.kill()
    node.store.unlink()
    return node.process.start


@fault("node-restored-older")
def node_restored_older(scene: Scene) -> Heal:
    """A PBX dies, and comes back with an older copy of its store."""
    node = one(scene)
    node.process.stop()  # an orderly end commits: this is the older copy
    copy = node.store.with_suffix(".older")
    shutil.copyfile(node.store, copy)
    node.process.start()

    def heal() -> None:
        node.process.kill()
        shutil.copyfile(copy, node.store)
        node.process.start()

    return heal


@fault("node-lost-last-second")
def node_lost_last_second(scene: Scene) -> Heal:
    """A PBX loses the writes it acknowledged since its last commit, again and again."""
    nodes = list(scene.stage.nodes.values())
    for node in nodes:
        inject(node, "lose-last-second")

    def heal() -> None:
        for node in nodes:
            inject(node, "lose-last-second")

    return heal


@fault("node-memory-lost")
def node_memory_lost(scene: Scene) -> Heal:
    """A PBX forgets everything while it runs."""
    node = one(scene)
    inject(node, "lose-memory")
    return lambda: inject(node, "lose-memory")


def _define_mode(name: str, mode: str, **fields: object) -> None:
    def begin(scene: Scene) -> Heal:
        node = one(scene)
        inject(node, mode, **fields)
        return lambda: inject(node, "none")

    define(f"node-{name}", begin)


_define_mode("slow", "slow", Seconds=2)
_define_mode("answers-errors", "error")
_define_mode("denies", "deny")
_define_mode("refuses-login", "refuse-login")
_define_mode("hangs", "hang")
_define_mode("drops-connections", "drop-connection")


@fault("push-killed-half-way")
def push_killed_half_way(scene: Scene) -> Heal:
    """The push workers die while a node has taken the first half of a push."""
    node = one(scene)
    inject(node, "hang", After=12)
    inject(node, "lose-memory")  # so that the next push has many parts
    pushes = list(scene.stage.product.of_kind("push"))
    wait_until(lambda: 0 < _size(node) < 15, 10.0, "half a push")
    for process in pushes:
        process.kill()

    def heal() -> None:
        inject(node, "none")
        for process in pushes:
            process.launch()
        for process in pushes:
            process.await_ready()

    return heal


def _size(node: SimulatedNode) -> int:
    """How many entries the node holds; its store on disk says so about once a second."""
    with sqlite3.connect(f"file:{node.store}?mode=ro", uri=True) as store:
        return int(store.execute("SELECT count(*) FROM astdb").fetchone()[0])
