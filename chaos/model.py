"""What virtualization means, as a small pure model of one organization: no database, no clock, no message.

It knows who sits where and what each request must come to, in the order the checks are made. Time enters only as
the moment a request takes effect.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from roost.moves.outcomes import Outcome


@dataclass(slots=True)
class Extension:
    """A person's identity. `wrong` counts wrong codes in a row, `wrong_on` are the phones on which they were keyed.

    `locks` counts locks with no right code in between.
    """

    number: str
    allows: bool = True
    has_code: bool = True
    enabled: bool = True
    wrong: int = 0
    wrong_on: frozenset[str] = frozenset()
    locks: int = 0
    locked_until: datetime | None = None


@dataclass(slots=True)
class Phone:
    """A device: its base extension and its guest, by number. Wrong codes are counted as on an extension."""

    name: str
    base: str | None
    guest: str | None = None
    enabled: bool = True
    wrong: int = 0
    locks: int = 0
    locked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What a request comes to, as the journal writes it."""

    outcome: Outcome
    extension: str | None = None
    phone: str | None = None
    left_phone: str | None = None
    displaced: str | None = None


@dataclass(slots=True)
class Office:
    """One organization. Every method is one request that takes effect now, and changes the office accordingly."""

    policy: str = "refuse"
    lock_after: int = 27
    phone_lock_after: int = 9
    lock_for: timedelta = timedelta(minutes=15)
    tries_per_call: int = 3
    extensions: dict[str, Extension] = field(default_factory=dict)
    phones: dict[str, Phone] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)

    # --- what is true ---

    def host_of(self, number: str) -> Phone | None:
        """The phone that hosts the extension."""
        return next((phone for phone in self.phones.values() if phone.guest == number), None)

    def own_phone(self, number: str) -> Phone | None:
        """The phone provisioned with the extension."""
        return next((phone for phone in self.phones.values() if phone.base == number), None)

    def rings(self, number: str) -> str | None:
        """The phone at which the extension rings."""
        host = self.host_of(number)
        if host is not None:
            return host.name
        own = self.own_phone(number)
        usable = own is not None and own.enabled and own.guest is None and self.extensions[number].enabled
        return own.name if own is not None and usable else None

    def acts_as(self, name: str) -> str | None:
        """The extension the phone speaks as."""
        phone = self.phones[name]
        return (phone.guest or phone.base) if self._provisioned(name) else None

    def guests(self) -> dict[str, str]:
        """Who is a guest where: {phone: number}."""
        return {phone.name: phone.guest for phone in self.phones.values() if phone.guest is not None}

    def broken(self) -> list[str]:
        """The invariants that do not hold."""
        guests = [phone.guest for phone in self.phones.values() if phone.guest is not None]
        found = [f"{number} is a guest twice" for number in set(guests) if guests.count(number) > 1]
        found += [
            f"{phone.name} hosts its own"
            for phone in self.phones.values()
            if phone.guest and phone.guest == phone.base
        ]
        found += [f"{number} is not of here" for number in guests if number not in self.extensions]
        return found

    # --- requests ---

    def check_move(
        self, name: str, number: str, at: datetime, *, by_administrator: bool = False
    ) -> Outcome | None:
        """Checks 1 to 8 in their order; None: only the code is left to check. A lock stops no administrator."""
        if not self._provisioned(name):
            return Outcome.UNKNOWN_PHONE
        phone = self.phones[name]
        extension = self.extensions.get(number)
        if extension is None or not extension.enabled:
            return Outcome.UNKNOWN_EXTENSION
        if phone.base == number:
            return Outcome.RETURNED if self.host_of(number) else Outcome.ALREADY_HERE
        if phone.guest == number:
            return Outcome.ALREADY_HERE
        assert phone.base is not None  # it is provisioned
        if not self.extensions[phone.base].allows:
            return Outcome.NOT_ALLOWED
        if phone.guest is not None and self.policy != "displace":
            return Outcome.OCCUPIED
        if not extension.has_code:
            return Outcome.NO_CODE
        if by_administrator:
            return None
        if phone.locked_until is not None and phone.locked_until > at:
            return Outcome.PHONE_LOCKED
        if extension.locked_until is not None and extension.locked_until > at:
            return Outcome.LOCKED
        return None

    def dial(self, name: str, number: str, at: datetime) -> Result:
        """`*30<number>`, before any code; CODE_NEEDED changes nothing."""
        if not number:
            return self.star_30(name)
        outcome = self.check_move(name, number, at)
        return self._settle(name, number, outcome or Outcome.CODE_NEEDED)

    def star_30(self, name: str) -> Result:
        """`*30`: the phone's guest returns, else its own extension comes home."""
        if not self._provisioned(name):
            return Result(Outcome.UNKNOWN_PHONE, None, name)
        phone = self.phones[name]
        if phone.guest is not None:
            guest, phone.guest = phone.guest, None
            return Result(Outcome.RETURNED, guest, name)
        assert phone.base is not None  # it is provisioned
        host = self.host_of(phone.base)
        if host is None:
            return Result(Outcome.NOTHING_TO_RETURN, phone.base, name)
        host.guest = None
        return Result(Outcome.RETURNED, phone.base, host.name)

    def key(self, call: str, name: str, number: str, *, right: bool, at: datetime) -> Result:
        """One try at the code in a call; a right one moves the extension."""
        outcome = self.check_move(name, number, at)
        if outcome is not None:
            return self._settle(name, number, outcome)
        if self.tries.get(call, 0) >= self.tries_per_call:
            return Result(Outcome.DROPPED, number, name)
        if right:
            self.unlock(self.extensions[number])
            self.unlock(self.phones[name])
            return self._occupy(name, number)
        self.tries[call] = self.tries.get(call, 0) + 1
        self._count_wrong(self.extensions[number], self.phones[name], at)
        last = self.tries[call] >= self.tries_per_call
        return Result(Outcome.DROPPED if last else Outcome.WRONG_CODE, number, name)

    def move(self, name: str, number: str, at: datetime) -> Result:
        """An administrator puts the extension on the phone, without the code."""
        outcome = self.check_move(name, number, at, by_administrator=True)
        return self._occupy(name, number) if outcome is None else self._settle(name, number, outcome)

    def return_home(self, number: str) -> Result:
        """The extension comes home, wherever it is."""
        if number not in self.extensions or not self.extensions[number].enabled:
            return Result(Outcome.UNKNOWN_EXTENSION, number)
        host = self.host_of(number)
        if host is None:
            return Result(Outcome.NOTHING_TO_RETURN, number)
        host.guest = None
        return Result(Outcome.RETURNED, number, host.name)

    def unlock(self, locked: Extension | Phone) -> None:
        """A right code, or an administrator, ends the streak of wrong codes and its lock."""
        locked.wrong, locked.locks, locked.locked_until = 0, 0, None
        if isinstance(locked, Extension):
            locked.wrong_on = frozenset()

    # --- what the system does by itself ---

    def send_home(self, names: Iterable[str]) -> list[Result]:
        """Whoever sits on these phones goes home."""
        sent = []
        for phone in [self.phones[name] for name in names]:
            if phone.guest is not None:
                sent.append(Result(Outcome.RETURNED, phone.guest, phone.name))
                phone.guest = None
        return sent

    def phones_about(self, number: str) -> list[str]:
        """The phones that host the extension, or are its own."""
        return [phone.name for phone in self.phones.values() if number in (phone.guest, phone.base)]

    def with_guests(self, guests: dict[str, str]) -> Office:
        """The same office with others sitting there."""
        phones = {name: replace(phone, guest=guests.get(name)) for name, phone in self.phones.items()}
        return replace(self, phones=phones)

    def _count_wrong(self, extension: Extension, phone: Phone, at: datetime) -> None:
        extension.wrong += 1
        extension.wrong_on |= {phone.name}
        phone.wrong += 1
        lasts = [self._lock_lasts(phone.locks)] if phone.wrong >= self.phone_lock_after else []
        extension.locked_until = phone.locked_until = None
        if extension.wrong >= self.lock_after:
            lasts_in_all = self._lock_lasts(extension.locks)
            if len(extension.wrong_on) == 1:
                lasts += [self._lock_lasts(phone.locks), lasts_in_all]
            else:
                extension.locked_until = at + lasts_in_all
            extension.wrong, extension.wrong_on, extension.locks = 0, frozenset(), extension.locks + 1
        if lasts:
            phone.wrong, phone.locks, phone.locked_until = 0, phone.locks + 1, at + max(lasts)

    def _lock_lasts(self, before: int) -> timedelta:
        return max(self.lock_for, min(self.lock_for * (1 << before), timedelta(days=1)))

    def _provisioned(self, name: str) -> bool:
        phone = self.phones.get(name)
        return (
            phone is not None
            and phone.enabled
            and phone.base is not None
            and self.extensions[phone.base].enabled
        )

    def _settle(self, name: str, number: str, outcome: Outcome) -> Result:
        """A refusal; or the homecoming of the phone's own extension, which needs no code."""
        host = self.host_of(number)
        if outcome is Outcome.RETURNED and host is not None:
            host.guest = None
            return Result(outcome, number, host.name)
        return Result(outcome, number, name)

    def _occupy(self, name: str, number: str) -> Result:
        phone, host = self.phones[name], self.host_of(number)
        if host is not None:
            host.guest = None
        displaced, phone.guest = phone.guest, number
        return Result(Outcome.VIRTUALIZED, number, name, host.name if host else None, displaced)
