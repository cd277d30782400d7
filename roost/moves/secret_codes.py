"""Secret codes: 4 to 8 digits, kept as argon2id over HMAC-SHA-256 with a pepper.

So few digits are no secret to who steals the table; the pepper, which is not in the database, makes them one.
Parameters: RFC 9106 and the OWASP password storage cheat sheet (19 MiB, t=2, p=1).
"""

from __future__ import annotations

import hmac

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from roost.directory.fields import SECRET_CODE
from roost.errors import Invalid

#: Digits of a code.
SHORTEST, LONGEST = SECRET_CODE.least, SECRET_CODE.most

#: For secret codes and for passwords of people alike.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class BadCode(Invalid):
    """A secret code is 4 to 8 digits."""

    code = "bad_code"


def is_code(digits: str) -> bool:
    """Whether this could be a secret code."""
    return SECRET_CODE.allows(digits)


def hash_code(pepper: str, digits: str, hasher: PasswordHasher = HASHER) -> str:
    """The text that is stored for a code; what it costs to compare stands in it. Raises BadCode."""
    if not is_code(digits):
        raise BadCode
    return hasher.hash(_peppered(pepper, digits))


def code_matches(pepper: str, code_hash: str, digits: str) -> bool:
    """Whether the keyed digits are the code; what cannot be a code costs no hashing."""
    if not is_code(digits):
        return False
    try:
        return HASHER.verify(code_hash, _peppered(pepper, digits))
    except (VerificationError, InvalidHashError):
        return False


def _peppered(pepper: str, digits: str) -> bytes:
    return hmac.digest(pepper.encode(), digits.encode(), "sha256")
