"""Every error Roost raises: a stable code that crosses AGI, API and CLI alike; the docstring is its message.

Whether something is tried again is decided by the class alone: `Unavailable` passes with time, the rest do not.
"""

from __future__ import annotations

from typing import ClassVar

from roost.wording import shown


class RoostError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str = "") -> None:
        message = (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(f"{message} {detail}".strip())
        self.detail = detail


class Invalid(RoostError):
    """The input is not valid."""

    code = "invalid"


class BadText(Invalid):
    """The text holds what no text can: a NUL, or half a character."""

    code = "bad_value"


class NotFound(RoostError):
    """There is no such thing."""

    code = "not_found"


class Conflict(RoostError):
    """It clashes with what is there already."""

    code = "conflict"


class SettingMissing(RoostError):
    """A setting is missing or unusable."""

    code = "setting"


class NodeRefused(RoostError):
    """The PBX node refused the login or a command."""

    code = "node_refused"

    def __init__(self, detail: str = "") -> None:
        super().__init__(shown(detail))


class Unavailable(RoostError):
    """A part Roost needs is not reachable now; the same request may be sent again."""

    code = "unavailable"


class DatabaseUnavailable(Unavailable):
    """PostgreSQL is not reachable now."""

    code = "database_unavailable"


class DatabaseTooSlow(DatabaseUnavailable):
    """PostgreSQL took longer over this than it may; nothing was changed."""

    code = "database_too_slow"


class DatabaseReadOnly(DatabaseUnavailable):
    """PostgreSQL takes no changes now: it is a standby, or was set so; nothing was changed."""

    code = "database_read_only"


class RightMissing(DatabaseUnavailable):
    """The role of this process may not do that at PostgreSQL."""

    code = "database_role"


class BrokerUnavailable(Unavailable):
    """RabbitMQ, or every worker behind it, did not answer in time."""

    code = "broker_unavailable"


class NodeUnavailable(Unavailable):
    """The PBX node is not reachable now."""

    code = "node_unavailable"

    def __init__(self, detail: str = "") -> None:
        super().__init__(shown(detail))
