"""People who ask all the time: calls to two centers, and the task door; some of them several times over."""

from __future__ import annotations

import random
import secrets
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import BaseModel

from chaos.names import NUMBERS, POLICIES, PROBE, WITHOUT_DESK, phone_name
from chaos.people import CODE, WRONG_CODE
from localcluster.caller import call
from roost.errors import BrokerUnavailable
from roost.moves.outcomes import Outcome
from roost.moves.requests import Answer, Dial, Return, Virtualize
from tasks.client import Client

#: Seconds between two requests of one person, at most.
PAUSE = 0.25
#: Dialled by mistake.
NOBODY = "99"
#: Seconds the harness waits for an answer when it looks whether all is settled.
SETTLE_DEADLINE = 10.0


@dataclass
class Asked:
    """One request: by which ids the journal knows it, what was asked of which phone, and every answer heard."""

    request_id: str
    phone: str | None
    #: A call's request ids begin with its `request_id`.
    is_call: bool
    keyed_wrong: bool = False
    #: To ask the same again; None for a call.
    again: tuple[str, BaseModel] | None = None
    answers: list[Answer | Outcome] = field(default_factory=list)

    @property
    def outcomes(self) -> set[Outcome]:
        """What was heard, silence and "unavailable" left out."""
        heard = {answer.outcome if isinstance(answer, Answer) else answer for answer in self.answers}
        return heard - {Outcome.UNAVAILABLE}


class Load:
    """Starts with `start`; `pause` returns when nobody asks any more."""

    def __init__(self, client: Client, centers: list[str], *, people: int, seed: int) -> None:
        self._client = client
        self._centers = centers
        self._asked: list[Asked] = []
        self._lock = threading.Lock()
        self._go = threading.Event()
        self._ended = threading.Event()
        self._busy = threading.Semaphore(people)
        self._people = people
        self._pairs = ThreadPoolExecutor(2 * people, "both-centers")
        self._threads = [
            threading.Thread(
                target=self._live, args=(random.Random(seed * 1000 + n),), name=f"person-{n}", daemon=True
            )
            for n in range(people)
        ]

    @property
    def asked(self) -> list[Asked]:
        """Every request so far."""
        with self._lock:
            return list(self._asked)

    def start(self) -> None:
        """Everybody begins."""
        self._go.set()
        for thread in self._threads:
            thread.start()

    def pause(self) -> None:
        """Nobody asks until `go_on`; returns when the last answer was heard or given up."""
        self._go.clear()
        for _ in range(self._people):
            self._busy.acquire()

    def go_on(self) -> None:
        """Everybody asks again."""
        self._busy.release(self._people)
        self._go.set()

    def stop(self) -> None:
        """Everybody leaves."""
        self._ended.set()
        self._busy.release(self._people)  # of whoever was paused
        self._go.set()
        for thread in self._threads:
            if thread.ident is not None:  # it was started
                thread.join(60)
        self._pairs.shutdown()

    def settle(self) -> list[Asked]:
        """Ask once more what was asked through the door and not answered; who still hears nothing is returned."""
        open_ones = [asked for asked in self.asked if asked.again and not asked.outcomes]
        for asked in open_ones:
            self._send(asked, 1, SETTLE_DEADLINE)
        return [asked for asked in open_ones if not asked.outcomes]

    def probe(self, center: int) -> bool:
        """Whether a call through this center moves somebody, with a code, and brings them home."""
        phone = phone_name(PROBE, NUMBERS[center])
        sat = self._call(phone, f"*30{NUMBERS[center + 2]}", (CODE,), (self._centers[center],))
        left = self._call(phone, "*30", (), (self._centers[center],))
        return sat.outcomes <= _FINE and left.outcomes <= _FINE and bool(sat.outcomes) and bool(left.outcomes)

    def remember(self, asked: Asked) -> None:
        """Note a request that somebody else makes."""
        with self._lock:
            self._asked.append(asked)

    # --- one person ---

    def _live(self, dice: random.Random) -> None:
        kept: list[Asked] = []
        while not self._ended.is_set():
            self._go.wait()
            with self._busy:
                if self._go.is_set() and not self._ended.is_set():
                    self._ask_something(dice, kept)
            time.sleep(dice.uniform(0, PAUSE))

    def _ask_something(self, dice: random.Random, kept: list[Asked]) -> None:
        organization = dice.choice([code for code in POLICIES if code != PROBE])
        phone = phone_name(organization, dice.choice(NUMBERS))
        number = NOBODY if dice.random() < 0.03 else dice.choice((*NUMBERS, WITHOUT_DESK))
        chance = dice.random()
        if chance < 0.4:
            codes = dice.choices(((CODE,), (WRONG_CODE, CODE), (WRONG_CODE,) * 3), (16, 3, 1))[0]
            both = self._centers if dice.random() < 0.3 else [dice.choice(self._centers)]
            self._call(phone, f"*30{dice.choice(('', number))}", codes, tuple(both))
        elif chance < 0.5 and kept:
            self._send(dice.choice(kept), 1)
        else:
            asked = self._new_request(dice, organization, phone, number)
            kept[:] = [*kept[-9:], asked]
            self._send(asked, dice.choice((1, 1, 1, 5)))

    def _call(self, phone: str, dialled: str, codes: tuple[str, ...], centers: tuple[str, ...]) -> Asked:
        uniqueid = secrets.token_hex(8)
        asked = Asked(f"n1/{uniqueid}/", phone, is_call=True, keyed_wrong=WRONG_CODE in codes)
        self.remember(asked)

        def place(center: str) -> Outcome | None:
            try:
                heard = call(center, phone, dialled, codes, uniqueid=uniqueid)
            except OSError:  # the center is down or frozen: the dialplan would say "unavailable"
                return None
            return Outcome(heard.outcome) if heard.outcome else None

        asked.answers += [outcome for outcome in self._pairs.map(place, centers) if outcome is not None]
        return asked

    def _new_request(self, dice: random.Random, organization: str, phone: str, number: str) -> Asked:
        request_id = secrets.token_hex(8)
        base = {"request_id": request_id, "made_at": datetime.now(UTC)}
        request: BaseModel
        match dice.randrange(4):
            case 0:
                task, request = "roost.dial", Dial(call=f"door/{request_id}", phone=phone, **base)  # type: ignore[arg-type]  # by name
            case 1:
                task = "roost.return"
                request = Return(origin="api", organization=organization, number=number, **base)  # type: ignore[arg-type]  # by name
            case _:
                task = "roost.virtualize"
                request = Virtualize(
                    origin="api", organization=organization, number=number, phone=phone, **base  # type: ignore[arg-type]  # by name
                )  # fmt: skip
        asked = Asked(request_id, phone, is_call=False, again=(task, request))
        self.remember(asked)
        return asked

    def _send(self, asked: Asked, times: int, deadline: float | None = None) -> None:
        assert asked.again is not None  # only door requests are sent
        futures = [self._client.submit(*asked.again, deadline=deadline) for _ in range(times)]
        asked.answers += [answer for answer in map(_heard, futures) if answer is not None]


#: What a probe may hear: another probe may have been cut short, and left its extension where it was.
_FINE = {
    Outcome.VIRTUALIZED,
    Outcome.RETURNED,
    Outcome.ALREADY_HERE,
    Outcome.NOTHING_TO_RETURN,
    Outcome.OCCUPIED,
}


def _heard(future: Future[Answer]) -> Answer | None:
    try:
        return future.result()
    except BrokerUnavailable:
        return None
