"""The processes of Roost: what each is for, and how many one machine has use for."""

from __future__ import annotations

from typing import NamedTuple


class Process(NamedTuple):
    """A module `workers.<name>`."""

    what: str
    #: Whether a machine may have use for several; a `verify` uses every core, and a second center or page needs a port of its own.
    several: bool = False


#: By name, in the order of the Procfile.
PROCESSES = {
    "center": Process("answers the calls of the feature code"),
    "bind": Process("moves extensions", several=True),
    "verify": Process("compares secret codes"),
    "push": Process("tells the PBX nodes", several=True),
    "beat": Process("asks for what is due"),
    "web": Process("the page and the API"),
}
