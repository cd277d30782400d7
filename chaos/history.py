"""The journal replayed against the model: every recorded outcome must be one the model allows in that order.

Two requests that touch the same rows are ordered by their locks, and `at` is taken under them: so the order of `at`
is the order in which they took effect. Only the refusal of a try at a code looks without locks: it may speak of a
moment shortly before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chaos.model import Office, Result
from roost.moves.outcomes import CHANGED, Outcome

#: How far back an unlocked look may lie: a transaction that idles longer is ended by PostgreSQL.
LOOKED_BACK = timedelta(seconds=4)
#: A request from further in the future is refused.
_FUTURE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Row:
    """One journal row, with the transaction that wrote it and the time it was committed."""

    request_id: str
    at: datetime
    made_at: datetime | None
    expires_at: datetime | None
    origin: str
    operation: str
    organization: str | None
    extension: str | None
    phone: str | None
    outcome: Outcome
    left_phone: str | None
    displaced: str | None
    tx: str
    committed_at: datetime | None

    @property
    def result(self) -> Result:
        """What it says."""
        return Result(self.outcome, self.extension, self.phone, self.left_phone, self.displaced)


#: What happened to one phone in one transaction: (transaction, phone, guest before, guest after).
Effect = tuple[str, str, str | None, str | None]

#: The phone on which a request was dialled, and whether a wrong code was keyed in its call; None: nobody knows it.
Knows = Callable[[str], tuple[str | None, bool] | None]

ROWS = """
SELECT j.request_id, j.at, j.made_at, j.expires_at, j.origin, j.operation, j.organization, j.extension, j.phone,
       j.outcome, j.left_phone, j.displaced, c.tx,
       CASE WHEN c.tx ^@ s.system_identifier::text THEN pg_xact_commit_timestamp(j.xmin) END AS committed_at
FROM journal j JOIN chaos_cause c USING (request_id), pg_control_system() s
ORDER BY j.at
"""
EFFECTS = "SELECT tx, phone, before, after FROM chaos_effect"


def disallowed(rows: Iterable[Row], offices: dict[str, Office], knows: Knows) -> list[str]:
    """Replay; what the model does not allow, in words. The offices end up as they must be."""
    replays = {code: _Replay(office) for code, office in offices.items()}
    found = []
    for row in rows:
        if row.outcome is Outcome.EXPIRED:
            if not _is_late(row):
                found.append(f"{row.request_id} expired in time")
        elif row.organization in replays:
            problem = replays[row.organization].take(row, knows(row.request_id))
            if problem:
                found.append(f"{row.at:%H:%M:%S.%f} {row.request_id} {row.operation}: {problem}")
        elif row.outcome in CHANGED:
            found.append(f"{row.request_id} moved somebody of no organization")
    return found


def late(rows: Iterable[Row]) -> list[str]:
    """The requests that took effect after their time limit, by the time of their commit."""
    return [
        f"{row.request_id} {row.outcome} {(row.committed_at or row.at) - row.expires_at} too late"
        for row in rows
        if row.outcome in CHANGED
        and row.expires_at is not None
        and (row.committed_at or row.at) > row.expires_at
    ]


def doubled(rows: Iterable[Row], effects: Iterable[Effect]) -> list[str]:
    """Effects that no journal row accounts for, rows whose transaction had another effect, in words.

    Requests that waited together share a transaction.
    """
    happened: dict[str, set[tuple[str, str | None, str | None]]] = {}
    for tx, phone, before, after in effects:
        happened.setdefault(tx, set()).add((phone, before, after))
    told: dict[str, set[tuple[str, str | None, str | None]]] = {}
    requests: dict[str, list[str]] = {}
    for row in rows:
        if row.outcome in CHANGED:
            told.setdefault(row.tx, set()).update(_effects_told(row))
            requests.setdefault(row.tx, []).append(f"{row.request_id} {row.outcome}")
    found = [
        f"{', '.join(requests[tx])} did not do just that"
        for tx, effects_told in told.items()
        if happened.pop(tx, set()) != effects_told
    ]
    return found + [f"transaction {tx} moved {moves} for no request" for tx, moves in happened.items()]


def _effects_told(row: Row) -> set[tuple[str, str | None, str | None]]:
    assert row.phone is not None  # what moved somebody names where
    if row.outcome is Outcome.RETURNED:
        return {(row.phone, row.extension, None)}
    told: set[tuple[str, str | None, str | None]] = {(row.phone, row.displaced, row.extension)}
    return told | ({(row.left_phone, row.extension, None)} if row.left_phone else set())


def _is_late(row: Row) -> bool:
    too_late = row.expires_at is not None and row.at > row.expires_at
    return too_late or (row.made_at is not None and row.made_at > row.at + _FUTURE)


class _Replay:
    """One organization's office, and who sat where in the last seconds."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._before: list[tuple[datetime, dict[str, str]]] = []

    def take(self, row: Row, known: tuple[str | None, bool] | None) -> str:
        """Let the row happen; what is wrong with it, or nothing."""
        if row.origin == "system":
            return "" if self._office.return_home(row.extension or "") == row.result else "nobody was there"
        phone, keyed_wrong = known or (row.phone, True)
        was = self._office.guests()
        result = self._ask(self._office, row, phone or row.phone or "")
        if result.outcome in CHANGED:
            self._before.append((row.at, was))
        if row.outcome is Outcome.WRONG_CODE and not keyed_wrong:
            return "a right code was refused"
        if result == row.result or (row.outcome not in CHANGED and result.outcome is row.outcome):
            return ""
        if "/try-" in row.request_id and row.outcome not in CHANGED:
            return self._looked_back(row, phone or "", was)
        return f"the model says {result}, the journal {row.result}"

    def _looked_back(self, row: Row, phone: str, was: dict[str, str]) -> str:
        """Whether the refusal was right a moment ago; then what the model did instead is undone."""
        self._put_back(was)
        wanted = None if row.outcome in {Outcome.WRONG_CODE, Outcome.DROPPED} else row.outcome
        for at, guests in self._before:
            if at >= row.at - LOOKED_BACK:
                # The tries and the wrong codes are the office's of now: those are counted under locks.
                then = self._office.with_guests(guests)
                if then.check_move(phone, row.extension or "", row.at) is wanted:
                    return (
                        ""
                        if self._ask(then, row, phone).outcome is row.outcome
                        else "the tries are miscounted"
                    )
        return f"{row.outcome} was never right in the last {LOOKED_BACK.seconds} s"

    def _put_back(self, guests: dict[str, str]) -> None:
        for phone in self._office.phones.values():
            phone.guest = guests.get(phone.name)

    @staticmethod
    def _ask(office: Office, row: Row, phone: str) -> Result:
        number = row.extension or ""
        if "/try-" in row.request_id:
            call = row.request_id.rpartition("/")[0]
            right = row.outcome not in {Outcome.WRONG_CODE, Outcome.DROPPED}
            return office.key(call, phone, number, right=right, at=row.at)
        if row.operation == "return":
            return office.star_30(phone) if row.origin == "call" else office.return_home(number)
        if row.origin == "call":
            return office.dial(phone, number, row.at)
        return office.move(phone, number, row.at)
