"""What every request of this process shares."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from roost.database import Database
from roost.directory import Directory
from roost.people.person import People
from roost.people.sessions import Sessions
from roost.people.tokens import Tokens
from roost.settings import Settings
from tasks.processes import Processes
from tasks.queues import Queues
from workers.web.asking import Asking
from workers.web.known_tokens import KnownTokens
from workers.web.live.activity import Pulse
from workers.web.live.desk_counts import DeskCounting
from workers.web.live.hub import Fragments, Hub
from workers.web.live.seats import Seats
from workers.web.live.shared import Shared
from workers.web.metrics import Metrics
from workers.web.one_look import OneLook
from workers.web.pages.page_cache import PageCache
from workers.web.readiness import Ready


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
    seats: Seats
    metrics: Metrics
    queues: Queues
    readiness: OneLook[Ready]
    processes: Processes
    pulse: Pulse
    cluster: Shared[Fragments]
    page_cache: PageCache
    desk_counts: DeskCounting


async def parts_of(connection: HTTPConnection) -> Parts:
    """The parts of the process that serves this request; a dependency, and async so that it costs no thread."""
    parts = connection.app.state.parts
    assert isinstance(parts, Parts)
    return parts
