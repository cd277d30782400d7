"""Virtualize and return: who sits where. One statement each, at most once a request id; the rules are in `roost/functions`."""

from __future__ import annotations

from datetime import datetime

from roost.database import Database
from roost.moves.at_most_once import AtMostOnce
from roost.moves.outcomes import Outcome
from roost.moves.requests import Answer, Dial, Return, Try, Virtualize
from roost.settings import Settings


class Binding:
    """The operations that move extensions."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._settings = settings
        self._once = AtMostOnce(database, settings)

    def dial(self, request: Dial) -> Answer:
        """A call to the Center: a return, a refusal, or CODE_NEEDED, which is not recorded."""
        return self._once.settle(
            "dial",
            request,
            "virtualize" if request.number else "return",
            {"organization": None, "extension": request.number or None, "phone": request.phone},
            phone_name=request.phone,
            short_number=request.number,
        )

    def refuse_call(self, request: Dial | Try, outcome: Outcome, organization: str) -> Answer:
        """Write down what a front door refused of a call, for an asker of this organization."""
        of = {"organization": organization, "extension": request.number or None, "phone": request.phone}
        return self._once.refuse(request, "virtualize" if request.number else "return", outcome, of)

    def virtualize(self, request: Virtualize) -> Answer:
        """Put the extension on the phone. A call needs the proof of its code; an administrator does not."""
        return self._once.settle(
            "virtualize",
            request,
            "virtualize",
            {"organization": request.organization, "extension": request.number, "phone": request.phone},
            phone_name=request.phone,
            short_number=request.number,
            organization_named=request.organization,
            call_id=request.call,
            proof_lifetime=self._settings.proof_lifetime,
        )

    def return_home(self, request: Return) -> Answer:
        """Bring the extension home, wherever it is."""
        return self._return(request, None, None)

    def end_stay(self, request: Return, phone_id: int, since: datetime) -> Answer:
        """Bring the extension home if it still sits on this phone since then; else nothing is recorded."""
        return self._return(request, phone_id, since)

    def _return(self, request: Return, only_phone: int | None, only_since: datetime | None) -> Answer:
        return self._once.settle(
            "return_home",
            request,
            "return",
            {"organization": request.organization, "extension": request.number, "phone": None},
            organization_code=request.organization,
            short_number=request.number,
            only_phone=only_phone,
            only_since=only_since,
        )
