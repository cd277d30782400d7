"""One run: the stage is set, people ask, faults come one after another; then all is healed, and looked at."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import psycopg
from psycopg.rows import class_row
from pydantic import SecretStr

from chaos import history
from chaos.faults import FAULTS, Scene
from chaos.load import Asked, Load
from chaos.observer import Observer, change_by_hand, connect, differences, unnumbered, version_now
from chaos.people import settle_in
from chaos.resources import Sample, grown, sample
from chaos.stage import Stage
from chaos.verdict import FaultReport, Verdict
from localcluster.rabbitmq import own_user
from roost.moves.outcomes import CHANGED, Outcome
from tasks.client import Client

#: A node must have caught up so many seconds after healing.
CAUGHT_UP_WITHIN = 10.0
#: Of a large organization so many more are sent a second, to every node together, when all have forgotten everything.
SENT_A_SECOND = 1_000
#: The longest the harness waits until everything answers again.
HEALTHY_WITHIN = 60.0
_POLL = 0.1
_SHOWN = 20
#: Answers that speak of no request.
_NOT_RECORDED = {Outcome.BAD_REQUEST, Outcome.CODE_NEEDED, Outcome.NOTED}
_GUESTS = "SELECT p.name, e.number FROM phone p JOIN extension e ON e.id = p.guest_id"


@dataclass(frozen=True, slots=True)
class Pace:
    """For how many seconds faults are begun, how long each is held, and how long all is well between two of them.

    With `each`, every fault is begun once, however long it takes.
    """

    seconds: float
    hold: float
    calm: float = 1.0
    each: bool = False


class NotHealed(Exception):
    """After a fault was healed, something still does not work."""


class Run:
    """Use as `Run(...).go(...)`. `tell` hears one line for each thing that happens; `more` extensions make the nodes' tables large."""

    def __init__(
        self, stage: Stage, *, seed: int, people: int, tell: Callable[[str], None], more: int = 0
    ) -> None:
        self._stage = stage
        self._caught_up_within = CAUGHT_UP_WITHIN + more / SENT_A_SECOND
        self._dice = random.Random(seed)
        self._tell = tell
        self._offices = settle_in(stage, more)
        settings = stage.product.settings.model_copy(
            update={"broker_url": SecretStr(own_user(stage.door_url, "cli"))}
        )
        self._client = Client(settings)
        self._load = Load(self._client, stage.product.centers, people=people, seed=seed)
        self._observer = Observer(stage)
        self._verdict = Verdict()
        self._begun = time.monotonic()

    def go(self, names: list[str], pace: Pace) -> Verdict:
        """Begin faults in a random order, then look at everything."""
        self._load.start()
        self._observer.start()
        try:
            self._wait_healthy()
            self._wait_filled()
            self._have_faults(names, pace)
            self._wait_healthy()
            self._load.pause()
            self._find("unsettled", [f"{asked.request_id} hears nothing" for asked in self._load.settle()])
            change_by_hand(self._stage)
            self._find("diverged", self._wait_caught_up(all_numbered=True))
        finally:
            self._load.stop()
            self._observer.stop()
            self._client.close()
        self._judge()
        return self._verdict

    def _wait_filled(self) -> None:
        """The time of faults begins when every node has everything, however much that is."""
        self._tell("people are there, and calls work")
        within = HEALTHY_WITHIN + self._caught_up_within
        missing = self._wait_caught_up(within=within)
        if missing:
            raise NotHealed(f"The nodes were not filled within {within:g} s: {missing[0]}")
        self._tell("every node has everything")

    def _have_faults(self, names: list[str], pace: Pace) -> None:
        ends = time.monotonic() + pace.seconds
        left: list[str] = []
        while pace.each or time.monotonic() < ends:
            if not left:
                left = list(names)
                self._dice.shuffle(left)
            self._have_fault(left.pop(), pace.hold)
            time.sleep(pace.calm)
            self._verdict.curve.append(self._use())
            if pace.each and not left:
                return

    def _have_fault(self, name: str, hold: float) -> None:
        heal = FAULTS[name](Scene(self._stage, self._load, self._dice, hold))
        time.sleep(hold)
        heal()
        took, diverged = self._wait_healed()
        report = self._verdict.faults.setdefault(name, FaultReport())
        report.times += 1
        report.worst_to_heal = max(report.worst_to_heal, took)
        report.diverged += len(diverged)
        self._find("diverged", [f"{name}: {text}" for text in diverged])
        used = self._use()
        self._tell(
            f"{name}: healed in {took:.1f} s; {used.threads} threads, {used.sockets} sockets, {used.memory:.0f} MiB,"
            f" load {used.load:.0f}"
        )

    def _use(self) -> Sample:
        return sample(time.monotonic() - self._begun, self._stage.product.processes)

    def _wait_healed(self) -> tuple[float, list[str]]:
        """Seconds until every node has caught up and calls through each center work; how nodes differ in the end.

        The nodes are compared while nobody asks, and after a change that no process of ours made: while people ask,
        each announcement carries the news of others too, and would hide that the sweep has ended.
        """
        begun = time.monotonic()
        self._wait_caught_up()
        self._wait_healthy()
        took = time.monotonic() - begun
        self._load.pause()
        change_by_hand(self._stage)
        diverged = self._wait_caught_up(all_numbered=True)
        self._load.go_on()
        return took, diverged

    def _wait_caught_up(self, *, all_numbered: bool = False, within: float | None = None) -> list[str]:
        """Wait until no node differs, at most CAUGHT_UP_WITHIN, and the time that a whole table takes; how they differ then."""
        ends = time.monotonic() + (within or self._caught_up_within)
        while True:
            try:
                if all_numbered and unnumbered(self._stage):
                    found = [f"{unnumbered(self._stage)} changes have no number"]
                else:
                    version = version_now(self._stage)
                    found = [
                        text
                        for node in self._stage.nodes.values()
                        for text in differences(self._stage, node, version)
                    ]
            except psycopg.OperationalError as error:  # PostgreSQL is still coming back
                found = [str(error)]
            if not found or time.monotonic() > ends:
                return found
            time.sleep(_POLL)

    def _wait_healthy(self) -> None:
        """Return when a call through each center, with a code, does what it should."""
        ends = time.monotonic() + HEALTHY_WITHIN
        for center in range(len(self._stage.product.centers)):
            while not self._load.probe(center):
                if time.monotonic() > ends:
                    raise NotHealed(
                        f"Calls through center {center + 1} still fail after {HEALTHY_WITHIN:g} s."
                    )
                time.sleep(_POLL)

    # --- the verdict ---

    def _judge(self) -> None:
        with connect(self._stage) as connection:
            with connection.cursor(row_factory=class_row(history.Row)) as cursor:
                rows = [replace(row, outcome=Outcome(row.outcome)) for row in cursor.execute(history.ROWS)]
            effects = connection.execute(history.EFFECTS).fetchall()
            guests: dict[str, str] = dict(connection.execute(_GUESTS).fetchall())
        asked = self._load.asked
        self._find("lost", _lost(asked, rows))
        self._find("doubled", history.doubled(rows, effects) + _answered_differently(asked))
        self._find("late", history.late(rows))
        self._find("disallowed", history.disallowed(rows, self._offices, _what_is_known(asked)))
        told = {phone: guest for office in self._offices.values() for phone, guest in office.guests().items()}
        self._find(
            "disallowed", [f"the model ends with {told}, PostgreSQL with {guests}"] if told != guests else []
        )
        self._find("grown", grown(self._verdict.curve))
        self._verdict.broken, self._verdict.looks = self._observer.broken, self._observer.looks
        self._verdict.findings += self._observer.found
        self._verdict.asked = len(asked)
        self._verdict.answered = sum(bool(each.outcomes) for each in asked)
        self._verdict.outcomes = dict(
            Counter(outcome.value for each in asked for outcome in each.outcomes).most_common()
        )
        self._verdict.journal = len(rows)
        self._verdict.worst_to_heal = max(
            (fault.worst_to_heal for fault in self._verdict.faults.values()), default=0.0
        )

    def _find(self, kind: str, texts: list[str]) -> None:
        setattr(self._verdict, kind, getattr(self._verdict, kind) + len(texts))
        for text in texts[:_SHOWN]:
            self._verdict.findings.append(f"{kind}: {text}")
            self._tell(f"{kind}: {text}")


def _lost(asked: list[Asked], rows: list[history.Row]) -> list[str]:
    """What was answered yes, and is not in the journal; through the door, any answer that is not."""
    recorded = {row.request_id: row.outcome for row in rows}
    by_call: dict[str, set[Outcome]] = {}
    for row in rows:
        by_call.setdefault(row.request_id.rpartition("/")[0] + "/", set()).add(row.outcome)
    found = []
    for each in asked:
        if each.is_call:
            missing = (each.outcomes & CHANGED) - by_call.get(each.request_id, set())
        else:
            missing = each.outcomes - _NOT_RECORDED - {recorded.get(each.request_id)}
        found += [f"{each.request_id} was answered {outcome}, which is not recorded" for outcome in missing]
    return found


def _answered_differently(asked: list[Asked]) -> list[str]:
    """One request id, two answers."""
    return [
        f"{each.request_id} was answered {each.outcomes}"
        for each in asked
        if not each.is_call and len(each.outcomes) > 1
    ]


def _what_is_known(asked: list[Asked]) -> history.Knows:
    by_id = {each.request_id: (each.phone, each.keyed_wrong) for each in asked}

    def knows(request_id: str) -> tuple[str | None, bool] | None:
        return by_id.get(request_id) or by_id.get(request_id.rpartition("/")[0] + "/")

    return knows
