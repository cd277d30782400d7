"""The desks of an organization as HTML, for the page and for its live changes: a card each, and the counts above them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlencode

from roost.directory.fields import SEARCH
from roost.views.desks import Desk, DeskCounts
from workers.web.live.hub import Fragments
from workers.web.pages.render import render

_PART = re.compile(r"[1-9][0-9]{0,6}")
_NUMBER = re.compile(r"[0-9]{1,16}")
#: Cards that are kept rendered.
_MOST_CARDS = 4096


class ShownPart(NamedTuple):
    """Which desks a page shows: a part of all, or of what a search finds.

    The part of all begins `behind` a number, or ends `ahead` of one; then `part` only says which one it is.
    """

    search: str = ""
    part: int = 1
    behind: str = ""
    ahead: str = ""

    @classmethod
    def of_address(cls, search: str, part: str, behind: str = "", ahead: str = "") -> ShownPart:
        """What an address asks for; a number that no address of ours has is taken for the first part."""
        number = int(part) if _PART.fullmatch(part) else 1
        return cls(
            "".join(character for character in search[: SEARCH.most] if character.isprintable()), number,
            behind if _NUMBER.fullmatch(behind) else "", ahead if _NUMBER.fullmatch(ahead) else "",
        )  # fmt: skip

    @property
    def address(self) -> str:
        """The query of an address that asks for this part."""
        asked = {"q": self.search, "part": str(self.part), "behind": self.behind, "ahead": self.ahead}
        return urlencode({name: value for name, value in asked.items() if value})

    def next(self, last: str) -> ShownPart:
        """The part after this one, whose last desk is `last`."""
        return ShownPart(self.search, self.part + 1, "" if self.search else last)

    def before(self, first: str) -> ShownPart:
        """The part before this one, whose first desk is `first`."""
        known = first if self.part > 2 and not self.search else ""
        return ShownPart(self.search, self.part - 1, "", known)


def render_desks(desks: Sequence[Desk], counts: DeskCounts, organization: str) -> Fragments:
    """Render the counts, and a card for each desk."""
    fragments = render_counts(counts)
    for desk in desks:
        fragments |= render_card(desk, organization)
    return fragments


def render_counts(counts: DeskCounts) -> Fragments:
    """Render the counts."""
    return {"desk-counts": render("desk_counts.html", counts=counts)}


def render_card(desk: Desk, organization: str) -> Fragments:
    """Render one card."""
    return {f"desk-{desk.number}": _card(desk, organization)}


@lru_cache(_MOST_CARDS)
def _card(desk: Desk, organization: str) -> str:
    return render("desk_card.html", desk=desk, code=organization)
