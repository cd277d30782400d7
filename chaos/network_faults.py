"""Networks that are cut or stalled between any two parts, and deaths at the boundaries of a job.

A boundary is met from outside: a stalled link holds a worker exactly there, and then the worker is killed.
"""

from __future__ import annotations

from chaos.faults import ASTERISK, FREEPBX, KAMAILIO, Heal, Scene, define, fault
from chaos.network import Flow
from chaos.process_faults import start_all

_TO_BROKER = ("center", "bind", "verify", "push", "beat", "door")
_TO_POSTGRES = ("bind", "verify", "push")


def _define_link_faults(kind: str, far: str, needs: str | None = None) -> None:
    def with_flow(flow: Flow) -> None:
        def begin(scene: Scene) -> Heal:
            network = scene.stage.network
            names = [name for name in network.names(kind, far) if name.startswith(kind)]
            network.set(flow, *names)
            return lambda: network.set(Flow.ALL, *names)

        define(f"net-{kind}-{far}-{'cut' if flow is Flow.NOTHING else 'stalled'}", begin, needs=needs)

    with_flow(Flow.NOTHING)
    with_flow(Flow.HELD)


for _kind in _TO_BROKER:
    _define_link_faults(_kind, "broker")
for _kind in _TO_POSTGRES:
    _define_link_faults(_kind, "postgres")
_define_link_faults("push", "n1")
_define_link_faults("push", "a1", ASTERISK)
_define_link_faults("push", "f1", FREEPBX)
_define_link_faults("push", "k1", KAMAILIO)


@fault("net-flapping")
def net_flapping(scene: Scene) -> Heal:
    """Every connection of every link ends at once; new ones are welcome."""
    scene.stage.network.drop(*scene.stage.network.links)
    return lambda: scene.stage.network.drop(*scene.stage.network.links)


def _define_boundary(name: str, kind: str, far: str, flow: Flow) -> None:
    """While the links to `far` hold bytes back, every worker of the kind stops at one place; there it dies."""

    def begin(scene: Scene) -> Heal:
        network = scene.stage.network
        names = [link for link in network.names(kind, far) if link.startswith(kind)]
        network.set(flow, *names)
        workers = list(scene.stage.product.of_kind(kind))

        def heal() -> None:
            for worker in workers:
                worker.kill()
            network.drop(*names)  # what was held is lost with its sender
            network.set(Flow.ALL, *names)
            start_all(workers)

        return heal

    define(name, begin)


for _kind in ("bind", "verify"):
    # It has the message, and PostgreSQL does not hear of it.
    _define_boundary(f"boundary-{_kind}-received", _kind, "postgres", Flow.HELD_OUT)
    # It has committed, and the answer does not leave.
    _define_boundary(f"boundary-{_kind}-committed", _kind, "broker", Flow.HELD_OUT)
    # It has answered, and the acknowledgement does not leave.
    _define_boundary(f"boundary-{_kind}-replied", _kind, "broker", Flow.NO_ACKS)
