"""The id of a try at a secret code, which binds the sealed code to its extension, its phone and its call.

The box that holds the code opens for its request id alone (`roost/seal.py`), and the id says of what else it is: a try whose
extension, phone or call was changed on its way does not fit its id, and the id cannot be changed, for it is in the box. So the box
looks as ever, and workers of 0.1.0 open it. Tries of 0.1.0 have ids that say nothing, and are taken as they come.
"""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256

#: `…/try-~<token>~<mark>`. The token is of one try alone, or of all deliveries of one.
_BOUND = re.compile(r"/try-~([A-Za-z0-9_-]{12,20})~([A-Za-z0-9_-]{20})")


def try_id(call: str, phone: str, number: str, key: str | None = None) -> str:
    """The id of one try; with a `key`, the same for each that is sent with it."""
    token = secrets.token_urlsafe(9) if key is None else _digest(key)
    return f"{call}/try-~{token}~{_mark(token, call, phone, number)}"


def fits_its_id(request_id: str, call: str, phone: str, number: str) -> bool:
    """Whether a try is what its id says; an id of 0.1.0 says nothing."""
    bound = _BOUND.fullmatch(request_id[request_id.rfind("/") :])
    return bound is None or bound[2] == _mark(bound[1], call, phone, number)


def _mark(token: str, call: str, phone: str, number: str) -> str:
    return _digest(f"{token}\0{call}\0{phone}\0{number}")


def _digest(text: str) -> str:
    """120 bits of SHA-256: nobody finds other parts that give the same."""
    return urlsafe_b64encode(sha256(text.encode()).digest()[:15]).decode()
