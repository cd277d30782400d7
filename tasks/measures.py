"""Metrics of tasks and of questions to the workers, counted where they happen; each kind of process exports its own (`workers/metrics`).

No label holds a secret, what people choose, or anything of which there is no bounded number: no organization, extension or phone.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # its author typed the rest

#: From a millisecond to the longest that a caller waits, and the ten seconds after which a request is too old.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
#: A wait in a queue that is longer than this, or negative by more than clocks differ, says that a clock is wrong.
LONGEST_WAIT = 3600.0

TASKS = Counter("roost_tasks", "Tasks that were run.", ["task", "outcome"], registry=None)
TASK_SECONDS = Histogram(
    "roost_task_duration_seconds", "How long a task ran.", ["task"], buckets=SECONDS, registry=None
)
TASK_WAIT = Histogram(
    "roost_task_wait_seconds", "From sending a task to running it, by the clocks of both machines.", ["task"],
    buckets=SECONDS, registry=None,
)  # fmt: skip
REDELIVERED = Counter(
    "roost_tasks_redelivered", "Tasks that came once more: a worker or its connection was lost.", ["task"], registry=None
)  # fmt: skip
BUSY = Gauge("roost_threads_busy", "Threads that run a task.", registry=None)
SWEPT = Gauge("roost_sweep_last_timestamp_seconds", "When this process last swept.", registry=None)

PUSHES = Counter("roost_pushes", "Pushes to a node, by what they came to.", ["node", "result"], registry=None)
PUSHED = Counter("roost_pushed_changes", "Changes that a node was sent.", ["node"], registry=None)
MENDED = Counter(
    "roost_audits_mended_rows", "Rows that audits of a node found different, and mended.", ["node"], registry=None
)  # fmt: skip

ANSWERED = Histogram(
    "roost_answer_duration_seconds", "From a question to the workers to its answer.", ["task"], buckets=SECONDS, registry=None
)  # fmt: skip
UNANSWERED = Counter(
    "roost_questions_unanswered", "Questions to the workers that nobody answered in time.", ["task"], registry=None
)  # fmt: skip
RESENT = Counter("roost_questions_resent", "Questions that were sent once more.", ["task"], registry=None)


def stamp() -> str:
    """When a task is sent, as its message says it."""
    return f"{time.time():.6f}"


def ran(request: Any, task: str, outcome: str, began: float) -> None:
    """Count a task that was run; `request` is Celery's, `began` of `time.perf_counter`."""
    TASKS.labels(task, outcome).inc()
    TASK_SECONDS.labels(task).observe(time.perf_counter() - began)
    if (request.delivery_info or {}).get("redelivered"):
        REDELIVERED.labels(task).inc()


def waited(sent_at: Any, task: str, until: float) -> None:
    """Count how long a task waited in its queue, until then of `time.time`, if its message says when it was sent."""
    with suppress(TypeError, ValueError):
        seconds = until - float(sent_at)
        if abs(seconds) < LONGEST_WAIT:
            TASK_WAIT.labels(task).observe(max(0.0, seconds))
