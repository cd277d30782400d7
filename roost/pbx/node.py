"""What a PBX node is told, and the protocol every adapter speaks.

Each kind of PBX has an adapter (`roost.pbx.kinds`). All of them pass `tests/conformance`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from pydantic import SecretStr

Kind = Literal["e", "p"]
Key = tuple[Kind, str]


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """What a node is, where its control port is, and how to log in.

    `options` are those of its kind, which reads them; a kind without a login leaves `secret` empty.
    """

    kind: str
    host: str
    port: int
    secret: SecretStr
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a node has come: the lineage of the database it follows, and the version it has applied.

    A lineage is one life of a database: a copy that was restored, or promoted from a standby, is another one, whose versions
    mean other changes.

    It is stored in the node beside the routes, as `<lineage>:<version>`, so that a node that lost its
    memory lost its cursor too.
    """

    lineage: str
    version: int

    def __str__(self) -> str:
        return f"{self.lineage}:{self.version}"

    def follows(self, other: Cursor) -> bool:
        """Whether `other` is a point of the same lineage, not after this one."""
        return self.lineage == other.lineage and other.version <= self.version

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Read a stored cursor; None when it is not one."""
        lineage, colon, version = text.rpartition(":")
        if not (lineage and colon and version.isascii() and version.isdigit() and len(version) <= 19):
            return None
        return cls(lineage, int(version))


@dataclass(frozen=True, slots=True)
class Demands:
    """What every node of a kind needs of all that it is told of; what does not fit is refused when it is set up.

    `one_organization`: its numbers stand alone, so two organizations would share them. `phone_name` is a pattern for whole names of
    phones, written so that Python and PostgreSQL read it alike; `phone_words` says it.
    """

    one_organization: bool = False
    phone_name: str = ""
    phone_words: str = ""


class Rings(NamedTuple):
    """Where an extension rings now: a phone and its node, or nowhere (both None)."""

    extension: str
    node: str | None
    phone: str | None


class ActsAs(NamedTuple):
    """Who a phone speaks as now, and the emergency identity that stays the phone's own."""

    phone: str
    organization: str
    number: str
    name: str
    account_code: str
    mailbox: str
    base: str
    emergency_number: str
    emergency_location: str


class Gone(NamedTuple):
    """What the node has under this key is to be removed."""

    kind: Kind
    key: str


Change = Rings | ActsAs | Gone


def key_of(change: Change) -> Key:
    """The key a change is stored under."""
    if isinstance(change, Rings):
        return ("e", change.extension)
    if isinstance(change, ActsAs):
        return ("p", change.phone)
    return (change.kind, change.key)


class RefusedRow(NamedTuple):
    """A row that a node cannot hold, and why; the reason is for people, and shows no value."""

    key: Key
    reason: str


class FoundDesk(NamedTuple):
    """A desk that a PBX has set up by itself: an extension with its phone, and the phone's emergency identity.

    `fault`: why it can be none in Roost, and what to do; `number` then only names it.
    """

    number: str
    name: str = ""
    phone: str = ""
    emergency_number: str = ""
    emergency_location: str = ""
    fault: str = ""


class PbxNode(Protocol):
    """One connection to one node, used by one thread at a time.

    Every call ends within the deadline given at connect.
    Raises NodeUnavailable (try later) and NodeRefused (somebody must act).
    """

    def cursor(self) -> Cursor | None:
        """The node's own cursor; None when there is none, or not a readable one."""

    def apply(self, changes: Sequence[Change], cursor: Cursor | None) -> list[RefusedRow]:
        """Write every change, in order; when all are acknowledged, write the cursor, if one is given.

        What comes back are the rows that this node cannot hold: they alone are not written. A node that takes hardly
        anything is NodeUnavailable, and keeps its cursor.
        """

    def read(self, keys: Sequence[Key]) -> dict[Key, Change | None]:
        """What the node holds under these keys: None for a value that cannot be read; what it lacks is left out.

        It takes no longer for a large table than for a small one, and holds up no call meanwhile.
        """

    def keys(self, about: int) -> Iterator[list[Key]]:
        """The keys the node holds, a page at a time, each at least once; in a page, what was there when the page was read.

        `about` is how many there may be: with more than some thousands no page is the whole table, so that neither the node
        nor we hold all of it at once. Each page ends within the deadline.
        """

    def dump(self) -> dict[Key, Change | None]:
        """All the node holds, at once; None for a value that cannot be read. For small tables, and for looking on."""

    def health(self) -> str:
        """The PBX's name and version, in a short text."""

    def close(self) -> None:
        """Close the connection; never raises."""
