"""The files of a kit, by their place in its folder."""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from roost.errors import Invalid
from roost.hidden_folders import is_at_home
from roost.pbx.kinds import kinds
from workers.processes import PROCESSES

#: Where secrets are: written once, for its owner alone, and never shown or replaced.
ENV = ".env"
UNITS = "systemd"

#: Paths that systemd, honcho and a shell read alike, without quotes.
_PLAIN = re.compile(r"[A-Za-z0-9/._+@=-]+")


#: What useradd and systemd take as the name of an account (systemd.io, "User/Group Name Syntax").
_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,30}")


class AccountNotPlain(Invalid):
    """The name of the account must be letters, digits, dots, dashes and underscores, 31 at most, the first a letter or underscore."""

    code = "bad_value"


class PathNotPlain(Invalid):
    """A path in a unit may hold letters, digits and `/._+@=-` alone."""

    code = "bad_value"


def kit(folder: Path, *, program: Path, user: str, keys: str) -> dict[str, str]:
    """Every file's text, by its path below `folder`. `program` is the command `roost`, `user` whom the units run as.

    `keys` are lines for `.env`. Raises PathNotPlain, AccountNotPlain.
    """
    if not _ACCOUNT.fullmatch(user):
        raise AccountNotPlain
    for path in (folder, program):
        if not _PLAIN.fullmatch(str(path)):
            raise PathNotPlain(f"Take another folder than {path}.")
    made = {
        ENV: _template("env").substitute(keys=keys),
        "Procfile": "".join(f"{kind}: {program} run {kind}\n" for kind in PROCESSES),
        f"{UNITS}/roost.target": _read("roost.target"),
    }
    at_home = is_at_home(folder) or is_at_home(program)
    for kind, process in PROCESSES.items():
        name = unit_file(kind)
        made[f"{UNITS}/{name}"] = _template("unit").substitute(
            name=unit(kind), kind=kind, what=process.what, program=program, user=user, folder=folder,
            protect_home="read-only" if at_home else "yes",
        )  # fmt: skip
    for kind, side in pbx_sides().items():
        for source in sorted((each for each in side.iterdir() if each.is_file()), key=lambda each: each.name):
            made[f"{kind}/{source.name}"] = source.read_text(encoding="utf-8")
    return made


def unit_file(kind: str) -> str:
    """The unit's file: a template where a machine may have several."""
    return f"roost-{kind}{'@' if PROCESSES[kind].several else ''}.service"


def unit(kind: str, number: int = 1) -> str:
    """The unit's name: `roost-web`, `roost-bind@2`."""
    return f"roost-{kind}{f'@{number}' if PROCESSES[kind].several else ''}"


def _template(name: str) -> Template:
    return Template(_read(name))


def _read(name: str) -> str:
    return files("workers.kit").joinpath(name).read_text(encoding="utf-8")


def pbx_sides() -> dict[str, Traversable]:
    """The folder of what each kind of PBX needs on its side, by the kind; those that need nothing have none."""
    # In an installed package the folders lie beside this module; in a checkout, at the top.
    packaged = files("workers.kit").joinpath("pbx")
    places = {
        kind: packaged.joinpath(kind) if packaged.is_dir() else Path(__file__).parents[2] / kind
        for kind in kinds()
    }
    return {kind: place for kind, place in places.items() if place.is_dir()}
