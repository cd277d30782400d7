"""Roost against the usual design, a Celery task for each bind and node: 100 binds a second, 16 nodes."""

from __future__ import annotations

from statistics import median

from benchmarks.effort import Effort
from benchmarks.load import at_quantile
from benchmarks.naive_tasks import BIND_TASK, QUEUE
from benchmarks.paced import Moves, paced_binds
from benchmarks.report import Report
from benchmarks.stage import Rig, Stage
from benchmarks.watch import Watcher
from tasks.client import Client

_PACE = 100
_NODES = 16
#: Seconds until a move counts as failed.
_PATIENCE = 300
_QUIET = {"verify": 0, "center": 0}


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """Every tenth bind is followed from its request to the last node; both with the same programs around them."""
    seconds = max(1.0, 2.5 * effort.seconds)
    with Stage(rig, "roost", extensions=12_000, simulated=_NODES, counts=_QUIET) as stage:
        stage.use(stage.nodes)
        ours = _converge(stage, seconds, None)
    quiet = _QUIET | {"push": 0, "beat": 0}
    stage = Stage(
        rig,
        "naive",
        extensions=12_000,
        simulated=_NODES,
        bind_program="benchmarks.naive_worker",
        counts=quiet,
    )
    stage.add_process("naive1", "benchmarks.naive_worker", QUEUE)
    with stage:
        naive = _converge(stage, seconds, BIND_TASK)
    report.ratio("vs_naive", median(ours.applied) / median(naive.applied))
    for name, moves in (("Roost", ours), ("a task for each bind and node", naive)):
        for quantile in (0.5, 0.99):
            report.figure(
                f"100 binds a second, 16 nodes, request to applied, {name}, p{quantile * 100:.0f}",
                at_quantile(moves.applied, quantile), "ms",
            )  # fmt: skip


def _converge(stage: Stage, seconds: float, task: str | None) -> Moves:
    # The usual design answers after a minute here: nobody asks again meanwhile, or its queues would only grow.
    patient = stage.settings.model_copy(update={"answer_resend_after": _PATIENCE})
    with Client(patient) as client, Watcher(stage.nodes, deadline=_PATIENCE) as watcher:
        return paced_binds(
            client, stage.settings, watcher, movers=stage.own_movers, per_second=_PACE, seconds=seconds,
            watch_every=10, task=task, deadline=_PATIENCE,
        )  # fmt: skip
