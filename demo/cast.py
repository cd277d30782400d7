"""Who plays: one organization, four extensions, their phones, and where each must ring when somebody sits somewhere."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from roost.moves.weak_codes import is_weak

ORGANIZATION = "0001"
ORGANIZATION_NAME = "Example Ltd"
NOWHERE = "-"
#: Who signs in to the page: one who may see and do everything.
OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Person:
    """An extension and its own phone. `shared`: others may sit there. `code` None: it never moves."""

    number: str
    name: str
    place: str
    phone: str
    shared: bool
    code: str | None = field(repr=False)

    @property
    def key(self) -> str:
        """`0001*001`."""
        return f"{ORGANIZATION}*{self.number}"

    @property
    def who(self) -> str:
        """`John, Marketing`."""
        return f"{self.name}, {self.place}" if self.place else self.name

    @property
    def label(self) -> str:
        """`001 John`."""
        return f"{self.number} {self.name}"


@dataclass(frozen=True, slots=True)
class View:
    """What a node holds: extension number -> `<node>/<phone>` or NOWHERE, and phone -> the number it speaks as."""

    rings: Mapping[str, str]
    speaks: Mapping[str, str]


class Cast:
    """`homes` says which node each phone is homed on. Codes are made anew each time."""

    def __init__(self, homes: Mapping[str, str]) -> None:
        self.homes = dict(homes)
        self.operator_password = secrets.token_urlsafe(9)
        self.john = Person("001", "John", "Marketing", "johns-phone", shared=False, code=new_code())
        self.ted = Person("002", "Ted", "Accounting", "teds-extra", shared=True, code=new_code())
        self.ann = Person("003", "Ann", "front desk", "front-desk", shared=False, code=new_code())
        self.room = Person("004", "Meeting room", "", "meeting-room", shared=True, code=None)

    @property
    def people(self) -> tuple[Person, ...]:
        """All, by number."""
        return (self.john, self.ted, self.ann, self.room)

    def view(self, seats: Mapping[str, str]) -> View:
        """What every node must hold while `seats` (phone -> the number that sits there) are taken."""
        hosts = {number: phone for phone, number in seats.items()}
        rings = {}
        for person in self.people:
            phone = hosts.get(person.number) or (person.phone if person.phone not in seats else None)
            rings[person.number] = f"{self.homes[phone]}/{phone}" if phone else NOWHERE
        return View(rings, {person.phone: seats.get(person.phone, person.number) for person in self.people})


def new_code() -> str:
    """A secret code of six digits, none that everybody tries first."""
    while True:
        code = f"{secrets.randbelow(10**6):06}"
        if not is_weak(code, ""):
            return code


def wrong_code(right: str) -> str:
    """Six digits that are not `right`."""
    return f"{(int(right) + 1 + secrets.randbelow(10**6 - 1)) % 10**6:06}"
