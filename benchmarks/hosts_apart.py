"""Roost in a network namespace whose loopback is slow and fast by turns; prints what it measured as a line of JSON. `benchmarks.scenarios.apart` runs it."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.load import at_quantile
from benchmarks.paced import noop_latencies, paced_binds
from benchmarks.slow_loopback import held_for
from benchmarks.stage import POSTGRES, Rig, Stage
from benchmarks.usage import spent
from benchmarks.watch import Watcher
from localcluster import ports
from localcluster.postgres import Postgres
from localcluster.rabbitmq import RabbitCluster
from tasks.client import Client

ROUND_TRIP = "a round trip, p50"
_NODES = 2
_PACE = 10

#: What a run measured, by what it is.
Found = dict[str, float]


def measure(folder: Path, one_way: float, runs: int, seconds: float) -> dict[str, list[Found]]:
    """`near` and `apart` by turns, in each run; milliseconds, and moves a second."""
    found: dict[str, list[Found]] = {"near": [], "apart": []}
    with ExitStack() as open_now:
        rig = Rig(
            folder,
            open_now.enter_context(Postgres(folder / "postgres", options=POSTGRES)),
            open_now.enter_context(RabbitCluster(folder / "rabbitmq")),
        )
        stage = open_now.enter_context(
            Stage(rig, "apart", extensions=6_000, simulated=_NODES, counts={"verify": 0, "center": 0})
        )
        client = open_now.enter_context(Client(stage.settings))
        echo = open_now.enter_context(_echo())
        stage.use(stage.nodes)
        stage.callers.run("bind", callers=8, seconds=seconds / 2)  # warm
        for _ in range(runs):
            found["near"].append(_once(stage, client, echo, seconds))
            with held_for(one_way) as holder:
                began = spent({"holder": holder})
                found["apart"].append(_once(stage, client, echo, seconds))
                cores = spent({"holder": holder}).cores_since(began)["holder"]
                found["apart"][-1]["holding the packets, cores"] = cores
    return found


def _once(stage: Stage, client: Client, echo: Callable[[], float], seconds: float) -> Found:
    trips = sorted(echo() for _ in range(200))
    found = {
        ROUND_TRIP: at_quantile(trips, 0.5),
        "no-op, one caller, p50": at_quantile(noop_latencies(client, stage.settings, seconds), 0.5),
    }
    for callers in (1, 8, 64):
        load = stage.callers.run("bind", callers=callers, seconds=seconds)
        if callers == 1:
            found["a move, one caller, p50"] = load.latency(0.5)
        else:
            found[f"moves, {callers} callers"] = load.per_second
        stage.settle()
    with Watcher(stage.nodes) as watcher:
        moves = paced_binds(
            client, stage.settings, watcher, movers=stage.own_movers, per_second=_PACE, seconds=2 * seconds
        )
    found[f"{_PACE} moves a second: answered, p50"] = at_quantile(moves.answered, 0.5)
    found[f"{_PACE} moves a second: from the answer to both nodes, p50"] = at_quantile(
        moves.after_answer, 0.5
    )
    return found


@contextlib.contextmanager
def _echo() -> Iterator[Callable[[], float]]:
    """A connection to somebody who says what he hears; gives how many milliseconds it takes."""
    with socket.create_server((ports.LOOPBACK, 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    with near, far:
        for each in (near, far):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def repeat() -> None:
            while data := far.recv(64):
                far.sendall(data)

        def ask() -> float:
            asked = time.perf_counter()
            near.sendall(b"?")
            near.recv(64)
            return (time.perf_counter() - asked) * 1e3

        thread = threading.Thread(target=repeat)
        thread.start()
        try:
            yield ask
        finally:
            near.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=5)


def main() -> None:
    """With a folder, seconds of one way, runs, seconds of a run. Its loopback is down at first."""
    folder, one_way, runs, seconds = sys.argv[1:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    print(json.dumps(measure(Path(folder), float(one_way), int(runs), float(seconds))))


if __name__ == "__main__":
    main()
