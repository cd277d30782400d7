"""Virtualize and return: who sits where. One statement each, at most once a request id; the rules are in `roost/functions`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, assert_never

from roost.database import Database
from roost.moves.at_most_once import AtMostOnce, Wish
from roost.moves.outcomes import Outcome
from roost.moves.requests import Answer, Dial, Return, Try, Virtualize
from roost.settings import Settings

#: A request that moves an extension, or may.
Move = Dial | Virtualize | Return


class Stay(NamedTuple):
    """A stay that is to end: the extension, and on which phone it sits since when."""

    request: Return
    phone_id: int
    since: datetime


class Binding:
    """The operations that move extensions."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._settings = settings
        self._once = AtMostOnce(database, settings)

    def dial(self, request: Dial) -> Answer:
        """A call to the Center: a return, a refusal, or CODE_NEEDED, which is not recorded."""
        return self._once.settle(self._wish(request))

    def virtualize(self, request: Virtualize) -> Answer:
        """Put the extension on the phone. A call needs the proof of its code; an administrator does not."""
        return self._once.settle(self._wish(request))

    def return_home(self, request: Return) -> Answer:
        """Bring the extension home, wherever it is."""
        return self._once.settle(self._wish(request))

    def together(self, requests: Sequence[Move]) -> list[Answer]:
        """Do several in one transaction, in order; raises as `AtMostOnce.settle_together` does, and then none was done."""
        return self._once.settle_together([self._wish(request) for request in requests])

    def together_if_free(self, requests: Sequence[Move]) -> list[Answer | None]:
        """The same for those whose rows nobody holds; None for each of the others."""
        return self._once.settle_free([self._wish(request) for request in requests])

    def end_stay(self, stay: Stay) -> Answer:
        """Bring the extension home if it still sits on this phone since then; else nothing is recorded."""
        return self._once.settle(self._end(stay))

    def end_stays(self, stays: Sequence[Stay]) -> list[Answer | None]:
        """The same for several in one transaction, as `together_if_free`."""
        return self._once.settle_free([self._end(stay) for stay in stays])

    def _end(self, stay: Stay) -> Wish:
        wish = self._wish(stay.request)
        only = {"only_phone": stay.phone_id, "only_since": stay.since}
        return replace(wish, parameters={**wish.parameters, **only})

    def refuse_call(self, request: Dial | Try, outcome: Outcome, organization: str) -> Answer:
        """Write down what a front door refused of a call, for an asker of this organization."""
        of = {"organization": organization, "extension": request.number or None, "phone": request.phone}
        return self._once.refuse(request, "virtualize" if request.number else "return", outcome, of)

    def _wish(self, request: Move) -> Wish:
        match request:
            case Dial():
                return Wish(
                    "dial",
                    request,
                    "virtualize" if request.number else "return",
                    {"organization": None, "extension": request.number or None, "phone": request.phone},
                    {"phone_name": request.phone, "short_number": request.number},
                )
            case Virtualize():
                return Wish(
                    "virtualize",
                    request,
                    "virtualize",
                    {
                        "organization": request.organization,
                        "extension": request.number,
                        "phone": request.phone,
                    },
                    {
                        "phone_name": request.phone,
                        "short_number": request.number,
                        "organization_named": request.organization,
                        "call_id": request.call,
                        "proof_lifetime": self._settings.proof_lifetime,
                    },
                )
            case Return():
                return Wish(
                    "return_home",
                    request,
                    "return",
                    {"organization": request.organization, "extension": request.number, "phone": None},
                    {
                        "organization_code": request.organization,
                        "short_number": request.number,
                        "only_phone": None,
                        "only_since": None,
                    },
                )
            case _:
                assert_never(request)
