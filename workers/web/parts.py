"""What every request of this process shares."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from roost.database import Database
from roost.directory import Directory
from roost.sessions import Sessions
from roost.settings import Settings
from roost.tokens import Tokens
from roost.users import People
from tasks.queues import Queues
from workers.web.asking import Asking
from workers.web.known_tokens import KnownTokens
from workers.web.live.hub import Hub
from workers.web.live.pulse import Pulse
from workers.web.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Parts:
    """Made once, when the process starts."""

    settings: Settings
    database: Database
    directory: Directory
    people: People
    sessions: Sessions
    tokens: Tokens
    known_tokens: KnownTokens
    asking: Asking
    hub: Hub
    metrics: Metrics
    queues: Queues
    pulse: Pulse


async def parts_of(connection: HTTPConnection) -> Parts:
    """The parts of the process that serves this request; a dependency, and async so that it costs no thread."""
    parts = connection.app.state.parts
    assert isinstance(parts, Parts)
    return parts
