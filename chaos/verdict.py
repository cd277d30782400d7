"""What a run came to."""

from __future__ import annotations

from dataclasses import dataclass, field

from chaos.resources import Sample


@dataclass(slots=True)
class FaultReport:
    """What one fault came to, the worst of all times it came; times in seconds."""

    times: int = 0
    worst_to_heal: float = 0.0
    diverged: int = 0


#: What must be 0, and what it means.
ZEROS = {
    "lost": "answered yes, not in the database",
    "doubled": "one request id, two effects or two answers",
    "broken": "an invariant violated at any moment",
    "late": "took effect after its time limit",
    "diverged": "a node that differs 10 s after healing",
    "disallowed": "an outcome the model does not allow",
    "unsettled": "a repeat of the same id did not settle it",
    "grown": "a process that uses ever more (runs of 5 min)",
}


@dataclass(slots=True)
class Verdict:
    """What a run came to. The first five, and the three after them, must be 0."""

    lost: int = 0
    doubled: int = 0
    broken: int = 0
    late: int = 0
    diverged: int = 0
    #: Outcomes that the model does not allow in the order of the journal.
    disallowed: int = 0
    #: Requests that a repeat of the same id did not settle after healing.
    unsettled: int = 0
    #: Processes that use ever more threads, connections or memory; only a long run tells.
    grown: int = 0
    asked: int = 0
    answered: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    journal: int = 0
    looks: int = 0
    worst_to_heal: float = 0.0
    faults: dict[str, FaultReport] = field(default_factory=dict)
    #: What the processes used before each fault but the first, and in the end.
    curve: list[Sample] = field(default_factory=list)
    #: The first findings, in words.
    findings: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether all that must be 0 is 0."""
        return not any(getattr(self, name) for name in ZEROS)
