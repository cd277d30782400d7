"""What goes wrong: each fault by its name. A fault is begun on the stage, and says how it is healed.

The names are those of `--faults`; a prefix such as `bind` stands for all that begin with it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from chaos.load import Load
from chaos.stage import Stage

Heal = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault may touch. `hold`: seconds the fault will be held, for those that need to know."""

    stage: Stage
    load: Load
    dice: random.Random
    hold: float


Begin = Callable[[Scene], Heal]

#: All faults, filled by the modules that define them.
FAULTS: dict[str, Begin] = {}
#: The faults that only make sense on three brokers.
NEEDS_THREE_BROKERS: set[str] = set()
#: The faults that ask something of the machine; left out of `all`, to be named.
ON_DEMAND: set[str] = set()


class UnknownFault(ValueError):
    """There is no such fault."""


def fault(name: str, *, three_brokers: bool = False, on_demand: bool = False) -> Callable[[Begin], Begin]:
    """Define a fault."""

    def note(begin: Begin) -> Begin:
        define(name, begin)
        if three_brokers:
            NEEDS_THREE_BROKERS.add(name)
        if on_demand:
            ON_DEMAND.add(name)
        return begin

    return note


def define(name: str, begin: Begin) -> None:
    """Define a fault whose name is made up of parts."""
    FAULTS[name] = begin


def chosen(wanted: str, brokers: int) -> list[str]:
    """The names that a list such as `bind,node-killed` or `all` stands for. Raises UnknownFault."""
    possible = [name for name in FAULTS if brokers > 1 or name not in NEEDS_THREE_BROKERS]
    names: list[str] = []
    for part in wanted.split(","):
        if part == "all":
            found = [name for name in possible if name not in ON_DEMAND]
        else:
            found = [name for name in possible if name == part or name.startswith(f"{part}-")]
        if not found:
            raise UnknownFault(f"{part}; there are: {', '.join(possible)}")
        names += [name for name in found if name not in names]
    return names


def nothing() -> None:
    """Nothing is left to heal."""
