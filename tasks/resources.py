"""What the tasks of one process share, made at first use: after the fork, and only what this process needs."""

from __future__ import annotations

from functools import cache

from roost.binding import Binding
from roost.database import Database
from roost.settings import settings
from roost.stays import Stays
from roost.verifying import Verifying
from tasks.announcer import Announcer


@cache
def database() -> Database:
    """The pool of this process."""
    return Database(settings().need("database_url"), name="roost-worker")


@cache
def binding() -> Binding:
    """The operations that move extensions."""
    return Binding(database(), settings())


@cache
def verifying() -> Verifying:
    """The operations that see secret codes."""
    return Verifying(database(), settings())


@cache
def stays() -> Stays:
    """What ends by itself."""
    return Stays(database(), settings())


@cache
def announcer() -> Announcer:
    """The thread that numbers what this process changed, and wakes the pushes."""
    return Announcer(database())
