"""PBX nodes that die, forget, go back in time, answer slowly or wrongly; and pushes that end half way."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing

from psycopg.types.json import Jsonb

from chaos.faults import ASTERISK, Heal, Scene, define, fault
from chaos.nodes import Node, SimulatedNode, StagedAsterisk, StoredNode
from chaos.observer import connect
from localcluster.process import ServiceFailed, wait_until
from localcluster.simulator import inject
from roost.database import query
from roost.pbx import row_text
from roost.pbx.ami import astdb
from roost.pbx.node import Cursor

#: So often something that happens by chance is tried.
_TRIES = 5


def simulated(scene: Scene) -> list[SimulatedNode]:
    """The simulated nodes."""
    return [node for node in scene.stage.nodes.values() if isinstance(node, SimulatedNode)]


def asterisks(scene: Scene) -> list[StagedAsterisk]:
    """The Asterisks."""
    return [node for node in scene.stage.nodes.values() if isinstance(node, StagedAsterisk)]


def one(scene: Scene) -> SimulatedNode:
    """Any simulated node: those do wrong what they are told to."""
    return scene.dice.choice(simulated(scene))


def define_process_faults(
    kind: str, some: Callable[[Scene], Sequence[Node]], needs: str | None = None
) -> None:
    """What can befall the process of any PBX."""

    def killed(scene: Scene) -> Heal:
        node = scene.dice.choice(some(scene))
        node.process.kill()
        return node.process.start

    def frozen(scene: Scene) -> Heal:
        node = scene.dice.choice(some(scene))
        node.process.pause()
        return node.process.resume

    define(f"{kind}-killed", killed, needs=needs)
    define(f"{kind}-frozen", frozen, needs=needs)


def define_store_faults(
    kind: str, some: Callable[[Scene], Sequence[StoredNode]], needs: str | None = None
) -> None:
    """What can befall the file in which a PBX keeps its table."""

    def store_deleted(scene: Scene) -> Heal:
        node = scene.dice.choice(some(scene))
        node.process.kill()
        node.forget()
        return node.process.start

    def restored_older(scene: Scene) -> Heal:
        node = scene.dice.choice(some(scene))
        node.process.stop()  # an orderly end commits: this is the older copy
        copy = node.keep_copy()
        node.process.start()

        def heal() -> None:
            node.process.kill()
            node.go_back_to(copy)
            node.process.start()

        return heal

    define(f"{kind}-store-deleted", store_deleted, needs=needs)
    define(f"{kind}-restored-older", restored_older, needs=needs)


define_process_faults("node", simulated)
define_store_faults("node", simulated)
define_process_faults("asterisk", asterisks, ASTERISK)
define_store_faults("asterisk", asterisks, ASTERISK)


@fault("asterisk-lost-last-second", needs=ASTERISK)
def asterisk_lost_last_second(scene: Scene) -> Heal:
    """An Asterisk dies right after it acknowledged a push, which AstDB had not committed."""
    node = scene.dice.choice(asterisks(scene))
    for _ in range(_TRIES):
        acknowledged = _next_cursor(node)
        node.process.kill()
        stored = stored_cursor(node)
        if stored is None or stored.version < acknowledged.version:
            return node.process.start
        node.process.start()  # it happened to commit in between
    raise ServiceFailed(f"{node.name} lost nothing, in {_TRIES} tries")


def _next_cursor(node: Node) -> Cursor:
    """The cursor of the next push that the node takes."""
    seen: list[Cursor] = []

    def moved() -> bool:
        cursor = node.cursor()
        if cursor is not None and cursor not in seen:
            seen.append(cursor)
        return len(seen) > 1

    wait_until(moved, 20.0, f"a push to {node.name}")
    return seen[-1]


@fault("node-lost-last-second")
def node_lost_last_second(scene: Scene) -> Heal:
    """A PBX loses the writes it acknowledged since its last commit, again and again."""
    nodes = simulated(scene)
    for node in nodes:
        inject(node.address.port, "lose-last-second")

    def heal() -> None:
        for node in nodes:
            inject(node.address.port, "lose-last-second")

    return heal


@fault("node-memory-lost")
def node_memory_lost(scene: Scene) -> Heal:
    """A PBX forgets everything while it runs."""
    node = one(scene)
    inject(node.address.port, "lose-memory")
    return lambda: inject(node.address.port, "lose-memory")


def _define_mode(name: str, mode: str, **fields: object) -> None:
    def begin(scene: Scene) -> Heal:
        node = one(scene)
        inject(node.address.port, mode, **fields)
        return lambda: inject(node.address.port, "none")

    define(f"node-{name}", begin)


_define_mode("slow", "slow", Seconds=2)
_define_mode("answers-errors", "error")
_define_mode("hangs", "hang")
_define_mode("drops-connections", "drop-connection")


def _define_refusal(name: str, mode: str) -> None:
    """A refusal is asked about again after minutes, but at once when an operator has changed the node: so it is healed."""

    def begin(scene: Scene) -> Heal:
        node = one(scene)
        inject(node.address.port, mode)

        def heal() -> None:
            inject(node.address.port, "none")
            with connect(scene.stage) as connection:
                connection.execute(query("change_node"), {"name": node.name, "changes": Jsonb({})})

        return heal

    define(f"node-{name}", begin)


_define_refusal("denies", "deny")
_define_refusal("refuses-login", "refuse-login")


@fault("push-killed-half-way")
def push_killed_half_way(scene: Scene) -> Heal:
    """The push workers die while a node has taken the first half of a push."""
    node = one(scene)
    pushes = list(scene.stage.product.of_kind("push"))
    _push_half(node)
    for process in pushes:
        process.kill()

    def heal() -> None:
        inject(node.address.port, "none")
        for process in pushes:
            process.launch()
        for process in pushes:
            process.await_ready()

    return heal


def _push_half(node: SimulatedNode) -> None:
    """Let the node lose its memory, and hang amid the push of all of it.

    A move that comes between the two may use up what the node still takes; then it hangs with nothing, and all begins again.
    """
    for tries_left in reversed(range(_TRIES)):
        inject(node.address.port, "hang", After=12)
        inject(node.address.port, "lose-memory")  # so that the next push has many parts
        try:
            wait_until(lambda: 0 < _size(node) < 15, 10.0, "half a push")
            return
        except ServiceFailed:
            if not tries_left or _size(node):
                raise
            inject(node.address.port, "none")


def _size(node: StoredNode) -> int:
    """How many entries the node holds; its store on disk says so about once a second."""
    with sqlite3.connect(f"file:{node.store}?mode=ro", uri=True) as store:
        return int(store.execute("SELECT count(*) FROM astdb").fetchone()[0])


def stored_cursor(node: StoredNode) -> Cursor | None:
    """The cursor on the disk of an Asterisk that does not run."""
    key = f"/{astdb.FAMILY}/{row_text.CURSOR_KEY}"
    with closing(sqlite3.connect(node.store)) as store:
        row = store.execute("SELECT value FROM astdb WHERE key = ?", [key]).fetchone()
    return Cursor.parse(row[0]) if row else None
