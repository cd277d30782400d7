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
        values[place] = value_of(message)

    session.ask_many(names, encode_variable, hear)
    return values


def value_of(message: bytes) -> str:
    """What an answer to `encode_variable` says; empty where there is none."""
    return fields_of(message).get("Value", "")


def encode_variable(name: str) -> bytes:
    """The action that asks for a variable, among others that are sent together."""
    return unnumbered("Getvar", {"Variable": name})
