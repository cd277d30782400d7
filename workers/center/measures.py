"""What a center counts: calls by what they came to, and how many are in progress of how many."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import Counter, Gauge
from prometheus_client.registry import Collector

from roost.moves.outcomes import Outcome

#: How a call can end without an outcome being announced.
HUNG_UP, TOO_LONG, NO_CALL, NOT_LET_IN, NO_ROOM = "hung_up", "deadline", "no_call", "not_let_in", "no_room"
#: A phone that has as many calls as one may have.
TOO_MANY = "too_many_of_a_phone"

CALLS = Counter(
    "roost_calls", "Calls that ended, by what was announced, or why nothing was. `unavailable`: the caller heard sorry.",
    ["outcome"], registry=None,
)  # fmt: skip
# Each is there from the start: what appears only when it happens first shows no increase then.
for _outcome in (*Outcome, HUNG_UP, TOO_LONG, NO_CALL, NOT_LET_IN, NO_ROOM, TOO_MANY):
    CALLS.labels(str(_outcome))


def of_calls(in_progress: Callable[[], int], most: int) -> list[Collector]:
    """What a center exports of its calls."""
    now = Gauge("roost_calls_in_progress", "Calls that are led now.", registry=None)
    now.set_function(in_progress)
    limit = Gauge("roost_calls_limit", "Calls that this center leads at once.", registry=None)
    limit.set(most)
    return [CALLS, now, limit]
