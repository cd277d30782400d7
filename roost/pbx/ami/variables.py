"""What an Asterisk answers to `Getvar`: global variables, and functions that ask for no channel. It needs the class `reporting`.

Several are asked for by one `Getvar` of `EVAL(...)`, for which Asterisk wants the class `system` too: an action costs its answer, a packet of
its own, and both sides a turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from roost.pbx.ami.codec import MAX_LINE, fields_of, unnumbered
from roost.pbx.ami.session import AmiSession

#: Bytes of a question and of an answer that Asterisk neither refuses nor cuts: it has 1,024 for either.
_MOST = MAX_LINE - 64
#: Variables asked for at once, of which most answers have fewer bytes than that.
_AT_ONCE = 12
#: Between two values; where one holds it, they are asked for one by one.
_BETWEEN = "|"


def may_read(session: AmiSession) -> bool:
    """Whether this user may ask at all. Call inside a deadline."""
    return session.may("Getvar")


def read_variables(session: AmiSession, names: Sequence[str]) -> list[str]:
    """The value of each; empty where there is none. Call inside a deadline.

    Asterisk evaluates the names, so they are made of what was checked.
    """
    groups = list(_groups(names))
    values: list[str] = []
    unclear: list[int] = []
    for group, told in zip(groups, _ask(session, list(map(_together, groups))), strict=True):
        parts = [told] if len(group) == 1 else told.split(_BETWEEN)
        if len(parts) != len(group) or len(told.encode("utf-8", "surrogateescape")) > _MOST:
            unclear += range(len(values), len(values) + len(group))
            parts = [""] * len(group)
        values += parts
    for place, value in zip(unclear, _ask(session, [names[place] for place in unclear]), strict=True):
        values[place] = value
    return values


def _groups(names: Sequence[str]) -> Iterator[list[str]]:
    """The names, as many together as one question holds."""
    group: list[str] = []
    size = 0
    for name in names:
        more = len(f"${{{name}}}{_BETWEEN}".encode())
        if group and (size + more > _MOST or len(group) == _AT_ONCE):
            yield group
            group, size = [], 0
        group.append(name)
        size += more
    if group:
        yield group


def _together(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"EVAL({_BETWEEN.join(f'${{{name}}}' for name in names)})"


def _ask(session: AmiSession, names: Sequence[str]) -> list[str]:
    values = [""] * len(names)

    def hear(place: int, message: bytes) -> None:
        values[place] = fields_of(message).get("Value", "")

    session.ask_many(names, _encode, hear)
    return values


def _encode(name: str) -> bytes:
    return unnumbered("Getvar", {"Variable": name})
