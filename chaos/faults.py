"""What goes wrong: each fault by its name. A fault is begun on the stage, and says how it is healed.

The names are those of `--faults`; a prefix such as `bind` stands for all that begin with it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from pathlib import Path

from chaos.load import Load
from chaos.stage import Stage
from localcluster.process import ServiceFailed

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
#: What a stage may have, and a fault may need: three brokers, or a real PBX of a kind.
THREE_BROKERS = "three brokers (--rabbitmq 3)"
ASTERISK, FREEPBX, KAMAILIO = "Asterisk (--asterisk)", "FreePBX (--freepbx)", "Kamailio (--kamailio)"
#: What each fault needs that not every stage has.
NEEDS: dict[str, str] = {}
#: What must be installed for some: a file, and Debian's package that brings it.
FILES: dict[str, tuple[Path, str]] = {}
#: The faults that ask something of the machine; left out of `all`, to be named.
ON_DEMAND: set[str] = set()


class UnknownFault(ValueError):
    """There is no such fault."""


def fault(name: str, *, needs: str | None = None, on_demand: bool = False) -> Callable[[Begin], Begin]:
    """Define a fault."""

    def note(begin: Begin) -> Begin:
        define(name, begin, needs=needs)
        if on_demand:
            ON_DEMAND.add(name)
        return begin

    return note


def define(
    name: str, begin: Begin, *, needs: str | None = None, file: tuple[Path, str] | None = None
) -> None:
    """Define a fault whose name is made up of parts."""
    FAULTS[name] = begin
    if needs:
        NEEDS[name] = needs
    if file:
        FILES[name] = file


def check_installed(names: Iterable[str]) -> None:
    """Raise ServiceFailed unless all that these faults need is installed: better now than an hour later."""
    packages = {FILES[name][1] for name in names if name in FILES and not FILES[name][0].exists()}
    if packages:
        raise ServiceFailed(f"some faults need more: apt-get install {' '.join(sorted(packages))}")


def chosen(wanted: str, has: Container[str] = ()) -> list[str]:
    """The names that a list such as `bind,node-killed` or `all` stands for, on a stage that has this. Raises UnknownFault."""
    possible = [name for name in FAULTS if name not in NEEDS or NEEDS[name] in has]
    names: list[str] = []
    for part in wanted.split(","):
        if part == "all":
            found = [name for name in possible if name not in ON_DEMAND]
        else:
            found = [name for name in possible if name == part or name.startswith(f"{part}-")]
        if not found:
            raise UnknownFault(_why_not(part, possible))
        names += [name for name in found if name not in names]
    return names


def _why_not(part: str, possible: list[str]) -> str:
    asks = sorted({need for name, need in NEEDS.items() if name.startswith(part)})
    return f"{part} needs {' and '.join(asks)}" if asks else f"{part}; there are: {', '.join(possible)}"


def nothing() -> None:
    """Nothing is left to heal."""
