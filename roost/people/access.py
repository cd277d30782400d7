"""Who may do what: one table of rules, for the page and the API alike.

Everybody who asks has a right (read, operate, administer) and a reach: one extension, one organization, or the
cluster. An owner operates one extension, an administrator administers one organization, an operator the cluster;
a token has the scope it was made with.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum, auto
from typing import Literal

from roost.errors import RoostError


class NotPermitted(RoostError):
    """You may not do this."""

    code = "not_permitted"


class Right(IntEnum):
    """What somebody may do within their reach; a higher one holds the lower ones."""

    READ = 1
    OPERATE = 2
    ADMINISTER = 3

    @classmethod
    def parse(cls, text: str) -> Right:
        """Read `read`, `operate` or `administer`."""
        return cls[text.upper()]


class Reach(IntEnum):
    """How much of the cluster something belongs to."""

    EXTENSION = 1
    ORGANIZATION = 2
    CLUSTER = 3


class Action(StrEnum):
    """Everything the page and the API can do."""

    SEE_EXTENSION = auto()
    RETURN = auto()
    SET_CODE = auto()
    ALLOW_VIRTUALIZATION = auto()
    SEE_ORGANIZATION = auto()
    VIRTUALIZE = auto()
    CALL = auto()
    CHANGE_EXTENSIONS = auto()
    CHANGE_PHONES = auto()
    CHANGE_POLICY = auto()
    IMPORT = auto()
    MANAGE_PEOPLE = auto()
    MANAGE_TOKENS = auto()
    SEE_CLUSTER = auto()
    AUDIT = auto()
    CHANGE_ORGANIZATIONS = auto()
    CHANGE_NODES = auto()


#: The least right, and what the thing that is acted on belongs to.
RULES: dict[Action, tuple[Right, Reach]] = {
    Action.SEE_EXTENSION: (Right.READ, Reach.EXTENSION),
    Action.RETURN: (Right.OPERATE, Reach.EXTENSION),
    Action.SET_CODE: (Right.OPERATE, Reach.EXTENSION),
    Action.ALLOW_VIRTUALIZATION: (Right.OPERATE, Reach.EXTENSION),
    Action.SEE_ORGANIZATION: (Right.READ, Reach.ORGANIZATION),
    Action.VIRTUALIZE: (Right.OPERATE, Reach.ORGANIZATION),
    Action.CALL: (Right.OPERATE, Reach.ORGANIZATION),
    Action.CHANGE_EXTENSIONS: (Right.ADMINISTER, Reach.ORGANIZATION),
    Action.CHANGE_PHONES: (Right.ADMINISTER, Reach.ORGANIZATION),
    Action.CHANGE_POLICY: (Right.ADMINISTER, Reach.ORGANIZATION),
    Action.IMPORT: (Right.ADMINISTER, Reach.ORGANIZATION),
    Action.MANAGE_PEOPLE: (Right.ADMINISTER, Reach.ORGANIZATION),
    Action.MANAGE_TOKENS: (Right.ADMINISTER, Reach.ORGANIZATION),
    Action.SEE_CLUSTER: (Right.READ, Reach.CLUSTER),
    Action.AUDIT: (Right.OPERATE, Reach.CLUSTER),
    Action.CHANGE_ORGANIZATIONS: (Right.ADMINISTER, Reach.CLUSTER),
    Action.CHANGE_NODES: (Right.ADMINISTER, Reach.CLUSTER),
}


@dataclass(frozen=True, slots=True)
class Asker:
    """A signed-in person or a token. `organization` None: the whole cluster; `number` None: all of its extensions.

    `id` (`person:7`, `token:3`) names them in request ids, `name` in the journal.
    """

    id: str
    name: str
    origin: Literal["web", "api"]
    right: Right
    organization: str | None = None
    number: str | None = None

    @property
    def reach(self) -> Reach:
        """How far this asker reaches."""
        if self.organization is None:
            return Reach.CLUSTER
        return Reach.ORGANIZATION if self.number is None else Reach.EXTENSION


def may(asker: Asker, action: Action, organization: str | None = None, number: str | None = None) -> bool:
    """Whether the asker may do this to a thing of this organization (None: of the cluster), of this extension."""
    right, belongs_to = RULES[action]
    if asker.right < right:
        return False
    if asker.reach is Reach.CLUSTER:
        return True
    if organization is None or organization != asker.organization or belongs_to is Reach.CLUSTER:
        return False
    return asker.reach is Reach.ORGANIZATION or (belongs_to is Reach.EXTENSION and number == asker.number)


def demand(asker: Asker, action: Action, organization: str | None = None, number: str | None = None) -> None:
    """Raise NotPermitted unless the asker may. Whether the thing exists is not looked at, and so not told."""
    if not may(asker, action, organization, number):
        raise NotPermitted
