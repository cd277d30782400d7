"""Secret codes: checked against the tries of the call, set, and cleared.

Hashing is done outside every transaction: it takes tens of milliseconds of a core, and no row waits for it.
"""

from __future__ import annotations

import structlog

from roost.database import Database, query
from roost.errors import DatabaseUnavailable
from roost.moves.at_most_once import AtMostOnce, RequestIdReused, Wish
from roost.moves.bound_ids import set_code_fits_its_id, try_fits_its_id
from roost.moves.outcomes import Outcome
from roost.moves.requests import Answer, SetCode, Try
from roost.moves.secret_codes import code_matches, hash_code
from roost.moves.weak_codes import is_weak
from roost.seal import SealBroken, unseal
from roost.settings import Settings

#: How often a try compares, at most: a code that was replaced meanwhile is compared again.
_COMPARE_TRIES = 3

log = structlog.get_logger(__name__)


class Verifying:
    """The operations that see secret codes. Needs the private key and the pepper; during a change, also those before them."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._once = AtMostOnce(database, settings)
        self._private_keys = settings.private_keys
        self._peppers = settings.peppers

    def verify(self, request: Try) -> Answer:
        """One try. CODE_RIGHT is not recorded here: it leaves a proof, and `virtualize` records the request.

        Raises roost.seal.SealBroken when the code was sealed to another key, or for another request, extension, phone or call.
        """
        digits = unseal(self._private_keys, request.request_id, request.sealed_code)
        if not try_fits_its_id(request.request_id, request.call, request.phone, request.number):
            raise SealBroken
        for _ in range(_COMPARE_TRIES):
            answer = self._try(request, digits)
            if answer.outcome is not Outcome.COMPARE_AGAIN:
                return answer
        raise DatabaseUnavailable("The code is replaced all the time.")

    def _try(self, request: Try, digits: str) -> Answer:
        (compared,) = self._database.statement(
            query("read_code_hash"),
            {"request_id": request.request_id, "phone": request.phone, "number": request.number},
        )
        pepper = self._pepper_of(compared, digits) if compared is not None else None
        answer = self._once.settle(
            Wish(
                "try_code",
                request,
                "virtualize",
                {"organization": None, "extension": request.number, "phone": request.phone},
                {
                    "phone_name": request.phone,
                    "short_number": request.number,
                    "call_id": request.call,
                    "compared": compared,
                    "is_right": pepper is not None,
                    "nothing_keyed": not digits,
                    "tries_per_call": self._settings.tries_per_call,
                },
            )
        )
        if answer.outcome is Outcome.CODE_RIGHT and compared is not None and pepper != self._peppers[0]:
            self._hash_anew(request, compared, digits)
        return answer

    def _pepper_of(self, code_hash: str, digits: str) -> str | None:
        """The pepper over which these digits are the code; None: they are not."""
        return next((pepper for pepper in self._peppers if code_matches(pepper, code_hash, digits)), None)

    def _hash_anew(self, request: Try, code_hash: str, digits: str) -> None:
        """Keep the code over the present pepper; if that fails now, the next right try does it."""
        try:
            with self._database.connection() as connection:
                connection.execute(
                    query("hash_code_anew"),
                    {
                        "phone": request.phone, "number": request.number,
                        "before": code_hash, "code_hash": hash_code(self._peppers[0], digits),
                    },
                )  # fmt: skip
        except DatabaseUnavailable as error:
            log.warning("code_not_hashed_anew", request_id=request.request_id, why=error.code)

    def set_code(self, request: SetCode) -> Answer:
        """Set, replace or clear a code.

        Raises roost.moves.secret_codes.BadCode, roost.seal.SealBroken; RequestIdReused when another code was set or refused under this id.
        """
        digits, code_hash, weak = "", None, False
        if request.sealed_code is not None:
            digits = unseal(self._private_keys, request.request_id, request.sealed_code)
            if not set_code_fits_its_id(request.request_id, request.organization, request.number):
                raise SealBroken
            code_hash, weak = hash_code(self._peppers[0], digits), is_weak(digits, request.number)
        answer = self._once.settle(
            Wish(
                "set_code",
                request,
                "set_code" if code_hash else "clear_code",
                {"organization": request.organization, "extension": request.number, "phone": None},
                {
                    "organization_code": request.organization,
                    "short_number": request.number,
                    "new_hash": code_hash,
                    "is_weak": weak,
                },
            )
        )
        if answer.outcome is Outcome.COMPARE_AGAIN:
            self._check_same_code(request, digits)
            return answer.model_copy(update={"outcome": Outcome.CODE_SET})
        if answer.outcome is Outcome.WEAK_CODE and not weak:
            raise RequestIdReused
        return answer

    def _check_same_code(self, request: SetCode, digits: str) -> None:
        """Raise RequestIdReused if what this request has set is another code; once that is replaced, nobody knows."""
        with self._database.connection() as connection:
            row = connection.execute(query("read_code_set_by"), {"request_id": request.request_id}).fetchone()
        if row is not None and self._pepper_of(row[0], digits) is None:
            raise RequestIdReused
