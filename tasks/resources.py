"""What the tasks of one process share, made at first use: after the fork, and only what this process needs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from roost.binding import Binding
from roost.database import Database
from roost.settings import settings
from roost.stays import Stays
from roost.verifying import Verifying
from tasks.announcer import Announcer

#: Connections of one worker process: as many as a bind worker has threads, and one for its announcer.
DATABASE_CONNECTIONS = 9

T = TypeVar("T")
_making = threading.RLock()


def once(make: Callable[[], T]) -> Callable[[], T]:
    """Made at the first call, once, though several threads come first."""
    kept = cache(make)

    def get() -> T:
        with _making:
            return kept()

    return get


@once
def database() -> Database:
    """The pool of this process."""
    return Database(
        settings().need("database_url"), size=DATABASE_CONNECTIONS, name="roost-worker", one_plan=True
    )


@once
def binding() -> Binding:
    """The operations that move extensions."""
    return Binding(database(), settings())


@once
def verifying() -> Verifying:
    """The operations that see secret codes."""
    return Verifying(database(), settings())


@once
def stays() -> Stays:
    """What ends by itself."""
    return Stays(database(), settings())


@once
def announcer() -> Announcer:
    """The thread that numbers what this process changed, and wakes the pushes."""
    return Announcer(database())
