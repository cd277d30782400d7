"""What an Asterisk answers to `Getvar`: global variables, and functions that ask for no channel. It needs the class `reporting`."""

from __future__ import annotations

from collections.abc import Sequence

from roost.pbx.ami.codec import fields_of, unnumbered
from roost.pbx.ami.session import AmiSession


def may_read(session: AmiSession) -> bool:
    """Whether this user may ask at all. Call inside a deadline."""
    return session.may("Getvar")


def read_variables(session: AmiSession, names: Sequence[str]) -> list[str]:
    """The value of each; empty where there is none. Call inside a deadline.

    Asterisk evaluates the names, so they are made of what was checked.
    """
    values = [""] * len(names)

    def hear(place: int, message: bytes) -> None:
        values[place] = fields_of(message).get("Value", "")

    session.ask_many(names, _encode, hear)
    return values


def _encode(name: str) -> bytes:
    return unnumbered("Getvar", {"Variable": name})
