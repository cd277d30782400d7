"""What the tasks of one process share, made at first use: after the fork, and only what this process needs."""

from __future__ import annotations

from roost.database import Database
from roost.moves.binding import Binding
from roost.moves.ending_stays import Stays
from roost.moves.verifying import Verifying
from roost.settings import settings
from tasks.announcer import Announcer
from tasks.at_first_use import at_first_use

#: Connections of one worker process at most: one for each thread of a bind worker with `--concurrency 8`, and one for its announcer.
DATABASE_CONNECTIONS = 21


@at_first_use
def database() -> Database:
    """The pool of this process."""
    return Database(
        settings().need("database_url"), size=DATABASE_CONNECTIONS, name="roost-worker", one_plan=True, long_waits=1,
    )  # fmt: skip


@at_first_use
def binding() -> Binding:
    """The operations that move extensions."""
    return Binding(database(), settings())


@at_first_use
def verifying() -> Verifying:
    """The operations that see secret codes."""
    return Verifying(database(), settings())


@at_first_use
def stays() -> Stays:
    """What ends by itself."""
    return Stays(database(), settings())


@at_first_use
def announcer() -> Announcer:
    """The thread that numbers what this process changed, and wakes the pushes."""
    return Announcer(database())
