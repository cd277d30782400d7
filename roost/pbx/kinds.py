"""The kinds of PBX a node may be: what each brings, and how they are found.

A kind is a folder here that exports `KIND`, or a package from elsewhere that names its own as an entry point of the
group `roost.pbx`. Nothing outside its folder names it.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

import roost.pbx
from roost.errors import Invalid, RoostError
from roost.finding import Finding
from roost.pbx.checked import CheckedNode, adapter_faults
from roost.pbx.messages import Messages, Registrations
from roost.pbx.node import Demands, FoundDesk, NodeAddress, PbxNode
from roost.wrong_values import in_words

#: Where packages from elsewhere name their kinds.
ENTRY_POINTS = "roost.pbx"
_NAME = re.compile("[a-z]{1,16}")


class UnknownKind(Invalid):
    """There is no such kind of PBX."""

    code = "unknown_kind"


class BadKind(RoostError):
    """A package brings a kind of PBX that cannot be used here; remove or mend it."""

    code = "bad_kind"


class BadOption(Invalid):
    """An option of the node is not valid."""

    code = "bad_option"


class NodeOptions(BaseModel):
    """What a kind must know to reach a node, besides its host, port and secret. Each kind declares its own fields.

    They are kept in clear and shown to operators.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


OptionsT = TypeVar("OptionsT", bound=NodeOptions)


@dataclass(frozen=True, slots=True)
class Examined(Generic[OptionsT]):
    """What the checks of a kind look at. `node` is what `connect` returned, None where the node was not reached or not logged in to."""

    name: str
    address: NodeAddress
    options: OptionsT
    node: PbxNode | None
    #: What centers take for the feature code.
    feature_code: str
    #: Phones that are homed there, or the first of them.
    phones: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PbxKind(Generic[OptionsT]):
    """What a kind brings.

    `name` is what nodes of the kind say in the database: 1 to 16 letters from a to z. `examine` gives what `roost doctor`
    should tell of a node.
    """

    name: str
    options: type[OptionsT]
    #: The usual control port, which may depend on the options.
    port: Callable[[OptionsT], int]
    #: Raises NodeUnavailable and NodeRefused; it and every call on what it returns end within so many seconds.
    connect: Callable[[NodeAddress, OptionsT, float], PbxNode]
    examine: Callable[[Examined[OptionsT]], Iterable[Finding]]
    #: What to look at when a node refuses us, and when an audit found what Roost had not written: a sentence each.
    if_refused: str
    if_drifted: str
    #: What is refused when it is set up, for its nodes could not be told of it.
    demands: Demands = field(default_factory=Demands)
    #: Seconds between two audits of a node, at most, whatever ROOST_AUDIT_EVERY says; None: as that says.
    audit_every: float | None = None
    #: Whether a restart empties a node's table: then every sweep looks at it.
    forgets: bool = False
    #: What a node (that `connect` returned) has set up by itself, for an import; None: its kind keeps no such thing.
    desks: Callable[[PbxNode], Iterable[FoundDesk]] | None = None
    #: The mailboxes and message lamps of a node (that `connect` returned); None: its kind knows none.
    messages: Callable[[PbxNode], Messages] | None = None
    #: Who registers at a node, heard over a connection of its own; as `connect`. NodeRefused: this login may not hear it.
    registrations: Callable[[NodeAddress, OptionsT, float], Registrations] | None = None
    #: Whether a new node is of this kind when nobody says of which.
    default: bool = False
    #: Whether there is a secret to log in with; without one, `NodeAddress.secret` is empty.
    has_secret: bool = True

    def parse(self, options: Mapping[str, object]) -> OptionsT:
        """Read a node's options. Raises BadOption, which says which are wrong, never their values."""
        try:
            return self.options.model_validate(options)
        except ValidationError as error:
            raise BadOption(" ".join(self._in_words(each) for each in error.errors())) from None

    def open(self, address: NodeAddress, deadline: float) -> CheckedNode:
        """Connect, and log in where the kind has a login; each call on what is returned ends within so many seconds, as this does.

        Raises NodeUnavailable, NodeRefused, and BadOption.
        """
        options = self.parse(address.options)
        with adapter_faults():
            return CheckedNode(self.connect(address, options, deadline))

    def _in_words(self, error: Mapping[str, Any]) -> str:
        name = ".".join(map(str, error["loc"])) or self.name
        if error["type"] == "extra_forbidden":
            known = ", ".join(self.options.model_fields) or "none"
            return f"{self.name} has no option {name!r}; it has: {known}."
        return f"{name}: {in_words(error)}."


@cache
def kinds() -> Mapping[str, PbxKind[Any]]:
    """Every kind, by name. They are looked for once in a process. Raises BadKind."""
    found: dict[str, PbxKind[Any]] = {}
    for module in pkgutil.iter_modules(roost.pbx.__path__, "roost.pbx."):
        if module.ispkg:
            kind = getattr(import_module(module.name), "KIND", None)
            if isinstance(kind, PbxKind):
                found[kind.name] = kind
    for point in entry_points(group=ENTRY_POINTS):
        try:
            kind = point.load()
        except Exception as error:
            raise BadKind(f"({point.name} = {point.value}: {error})") from error
        if not isinstance(kind, PbxKind) or not _NAME.fullmatch(kind.name) or kind.name in found:
            raise BadKind(f"({point.name} = {point.value})")
        found[kind.name] = kind
    return found


def kind_named(name: str) -> PbxKind[Any]:
    """Find a kind. Raises UnknownKind."""
    if name not in kinds():
        raise UnknownKind(f"({name!r}; known: {', '.join(kinds())})")
    return kinds()[name]


def default_kind() -> str:
    """The kind of a new node when nobody says of which."""
    return next(kind.name for kind in kinds().values() if kind.default)


def connect(address: NodeAddress, deadline: float) -> PbxNode:
    """Open a node of whichever kind, as `PbxKind.open` does. Raises UnknownKind besides."""
    return kind_named(address.kind).open(address, deadline)
