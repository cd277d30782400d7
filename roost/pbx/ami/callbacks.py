"""Which phones have an emergency number, so that the node alone can ring them when it is called back.

AstDB is searched by key, so beside the row of a phone there is `n/<emergency number>/<phone>`. What it says is only a hint: the dialplan
looks at the number in the phone's row, so an entry that a changed number left behind rings nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from roost.errors import NodeUnavailable
from roost.pbx.ami import astdb
from roost.pbx.ami.codec import fields_of, unnumbered
from roost.pbx.ami.session import ActionFailed, AmiSession
from roost.pbx.ami.table import NOT_FOUND
from roost.pbx.node import ActsAs, Change, Key, key_of
from roost.pbx.sound_rows import SoundRows


class Callbacks:
    """The index of the node at the other end of a session. Call inside its deadline."""

    def __init__(self, session: AmiSession) -> None:
        self._session = session

    def follow(self, changes: Sequence[Change]) -> None:
        """Write the entries of these phones; raises NodeUnavailable when one is not taken."""
        failures = self._session.ask_many(_indexed(changes), _encode_put)
        if failures:
            raise NodeUnavailable(f"It did not take whom to call back: {failures[0].message}")

    def astray(
        self,
        rows: Mapping[Key, Change | None],
        listed: Callable[[int], Container[str] | None] = lambda _: None,
    ) -> list[Key]:
        """The phones that have no entry. `listed` may give `entries` for so many phones; without it they are looked up one by one."""
        phones = _indexed(rows.values())
        known = listed(len(phones))
        if known is not None:
            return [key_of(phone) for phone in phones if _entry(phone)["Key"] not in known]
        found = self._session.ask_lists("DBGet", phones, _encode_get)
        return [key_of(phone) for phone, answer in zip(phones, found, strict=True) if isinstance(answer, str)]


def entries(session: AmiSession) -> dict[str, str]:
    """Every entry there is, by key. Call inside a deadline. AstDB is locked for a moment, some 3 ms for each thousand."""
    try:
        events = session.ask_list("DBGetTree", {"Family": astdb.FAMILY, "Key": "n"})
    except ActionFailed as error:
        if error.message == NOT_FOUND:
            return {}
        raise
    prefix = f"/{astdb.FAMILY}/"
    return {
        fields["Key"].removeprefix(prefix): "1" for event in events if "Key" in (fields := fields_of(event))
    }


def _indexed(rows: Iterable[Change | None]) -> list[ActsAs]:
    if isinstance(rows, SoundRows) and not rows.may_have_emergency_numbers:
        return []
    return [row for row in rows if isinstance(row, ActsAs) and row.emergency_number]


def _entry(phone: ActsAs) -> dict[str, str]:
    return {"Family": astdb.FAMILY, "Key": f"n/{phone.emergency_number}/{phone.phone}"}


def _encode_put(phone: ActsAs) -> bytes:
    return unnumbered("DBPut", _entry(phone) | {"Val": "1"})


def _encode_get(phone: ActsAs) -> bytes:
    return unnumbered("DBGet", _entry(phone))
