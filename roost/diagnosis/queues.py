"""The queues: whether they are there, who serves them, and what was set aside. Who asks the broker is elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from roost.finding import Finding, Level
from roost.wording import count_of

#: Waiting requests above this are more than a busy moment; `monitoring/alerts.yml` has the same number.
MANY = 100
#: Before what mends a fault; what stands in brackets, such as the system's words of a file, may have a colon of its own.
_MEND = re.compile(r": (?![^()]*\))")


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue as the broker sees it. `served_by`: the worker that consumes it; empty: nobody should."""

    name: str
    served_by: str
    exists: bool
    messages: int = 0
    consumers: int = 0


def check_queues(queues: Iterable[QueueState]) -> Iterator[Finding]:
    """Look at each queue."""
    served = []
    for queue in queues:
        if not queue.exists:
            # A worker declares its queues when it starts.
            worker = queue.served_by or "push"
            yield Finding(
                "queues",
                Level.ERROR,
                f"The queue {queue.name} does not exist.",
                f"Start a `{worker}` worker.",
            )
        elif not queue.served_by:
            yield from _set_aside(queue)
        elif not queue.consumers:
            yield Finding(
                "queues", Level.ERROR, f"Nobody serves the queue {queue.name} ({queue.messages} waiting).",
                f"Start a `{queue.served_by}` worker. If one runs, its log says what keeps it.",
            )  # fmt: skip
        elif queue.messages > MANY:
            yield Finding(
                "queues", Level.WARNING, f"{queue.messages} requests wait in the queue {queue.name}.",
                f"Add a `{queue.served_by}` worker.",
            )  # fmt: skip
        else:
            served.append(queue.name)
    if served:
        yield Finding("queues", Level.OK, f"Served: {', '.join(served)}.")


def broker_away(why: str) -> Finding:
    """RabbitMQ, which cannot be used. `why` is a sentence with what mends it behind a colon, as `tasks/broker.py` writes them."""
    what, *more = _MEND.split(why, maxsplit=1)
    mend = "".join(more)
    return Finding(
        "broker", Level.ERROR, f"RabbitMQ cannot be used, so nothing can be moved; calls still route. {what.rstrip('.')}.",
        mend[:1].upper() + mend[1:] or "See RabbitMQ's own log.",
    )  # fmt: skip


def check_login(*, is_shared: bool) -> Iterator[Finding]:
    """Look at what the login at RabbitMQ is good for."""
    if is_shared:
        yield Finding(
            "broker", Level.NOTE,
            "This login at RabbitMQ is good for everything: whoever has it can move anybody and set codes, also from a center.",
            "Give each kind of process its own: `roost broker setup` prints how.",
        )  # fmt: skip


def _set_aside(queue: QueueState) -> Iterator[Finding]:
    if queue.messages:
        yield Finding(
            "queues", Level.WARNING, f"{count_of(queue.messages, 'message')} set aside in the queue {queue.name}: workers died on each.",
            "Look at the workers' logs, then at the messages; purge the queue when they are understood.",
        )  # fmt: skip
