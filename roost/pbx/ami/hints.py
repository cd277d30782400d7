"""The hints of an Asterisk: what the busy lamp of an extension shows, read and changed over AMI.

Facts, tried on Asterisk 22:

- `DialplanExtensionAdd` asks for the class `system`, `Getvar` and `ExtensionStateList` for `reporting`.
- Whoever watches is told within milliseconds. It would make a context that is missing.
- `HINT()` of an extension that nobody watches is the text of a pattern's hint, with `${` in it; in a context that is missing, nothing.
  It makes no hint.
- To find a hint takes some 60 ns for each that its context has.
- A restart or a `dialplan reload` loses what was changed so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from roost.pbx.ami.codec import fields_of, unnumbered
from roost.pbx.ami.session import AmiSession, Failure
from roost.pbx.ami.variables import may_read, read_variables

#: Hints asked for one by one; for more, all are listed.
ONE_BY_ONE = 256
#: Seconds for which a list of all of them will do for whoever only suspects.
LATELY = 10.0


class Watched(NamedTuple):
    """An extension of a dialplan context, both made of what was checked: Asterisk evaluates them."""

    number: str
    context: str


class Hints:
    """The hints of the node at the other end of a session. Each step has a deadline of its own: many hints take long."""

    def __init__(self, session: AmiSession) -> None:
        self._session = session
        self._lately: dict[Watched, str] = {}
        self._listed_at = 0.0

    def readable(self) -> bool:
        """Whether this user may read them at all."""
        with self._session.deadline():
            return may_read(self._session)

    def read(self, places: Sequence[Watched], *, lately: bool = False) -> list[str]:
        """The hint of each; empty where there is none. Of many, those that are patterns and were never asked for are empty too.

        `lately`: of many, as they were some seconds ago will do; to list them anew for each piece of an audit would cost the most.
        """
        if len(places) > ONE_BY_ONE:
            if not lately or time.monotonic() > self._listed_at + LATELY:
                self._lately, self._listed_at = dict(self._listed()), time.monotonic()
            return [self._lately.get(place, "") for place in places]
        with self._session.deadline():
            return read_variables(self._session, [variable(place) for place in places])

    def put(self, hints: Sequence[tuple[Watched, str]]) -> list[Failure]:
        """Change hints, or make them; those that were not, by place."""
        self.forget()
        return self._session.ask_in_turns(hints, encode_add)

    def forget(self) -> None:
        """Hints were changed: what was listed is old."""
        self._listed_at = 0.0

    def _listed(self) -> Iterator[tuple[Watched, str]]:
        with self._session.deadline():
            messages = self._session.ask_list("ExtensionStateList", {})
        for message in messages:
            fields = fields_of(message)
            yield Watched(fields.get("Exten", ""), fields.get("Context", "")), fields.get("Hint", "")


def variable(place: Watched) -> str:
    """What an Asterisk is asked for to tell the hint of one place."""
    return f"HINT({place.number}@{place.context})"


def encode_add(hint: tuple[Watched, str]) -> bytes:
    """The action that changes a hint, or makes it."""
    (number, context), application = hint
    return unnumbered(
        "DialplanExtensionAdd",
        {
            "Context": context,
            "Extension": number,
            "Priority": "hint",
            "Application": application,
            "Replace": "yes",
        },
    )
