"""The ids of requests that carry a secret code, which bind the sealed code to what it is for.

The box that holds the code opens for its request id alone (`roost/seal.py`), and the id says of what else it is: a try of its
extension, its phone and its call; a code that is set, of its extension. A request that was changed on its way does not fit its id, and
the id cannot be changed, for it is in the box. So the box looks as ever, and workers of 0.1.0 open it. Ids of 0.1.0 say nothing, and
are taken as they come.
"""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256

#: `…/try-~<token>~<mark>`. The token is of one try alone, or of all deliveries of one.
_TRY = re.compile(r"/try-~([A-Za-z0-9_-]{12,20})~([A-Za-z0-9_-]{20})")
#: Between the id of who asks to set a code and its mark.
_CODE = "~code~"
_SET_CODE = re.compile(rf"(.+){_CODE}([A-Za-z0-9_-]{{20}})")


def try_id(call: str, phone: str, number: str, key: str | None = None) -> str:
    """The id of one try; with a `key`, the same for each that is sent with it."""
    token = secrets.token_urlsafe(9) if key is None else _digest(key)
    return f"{call}/try-~{token}~{_digest(token, call, phone, number)}"


def try_fits_its_id(request_id: str, call: str, phone: str, number: str) -> bool:
    """Whether a try is what its id says; an id of 0.1.0 says nothing."""
    bound = _TRY.fullmatch(request_id[request_id.rfind("/") :])
    return bound is None or bound[2] == _digest(bound[1], call, phone, number)


def set_code_id(asked: str, organization: str, number: str) -> str:
    """The id of a request to set a code; `asked` is the id that another request of the same asker would have."""
    return f"{asked}{_CODE}{_digest(asked, organization, number)}"


def set_code_fits_its_id(request_id: str, organization: str, number: str) -> bool:
    """Whether a code is for the extension that its id says; an id of 0.1.0 says nothing."""
    bound = _SET_CODE.fullmatch(request_id)
    return bound is None or bound[2] == _digest(bound[1], organization, number)


def asked_id(request_id: str) -> str:
    """The id without what binds it: what `set_code_id` was given, or the id itself."""
    bound = _SET_CODE.fullmatch(request_id)
    return request_id if bound is None else bound[1]


def bound_ids(asked: str) -> tuple[str, str]:
    """Byte by byte, the ids that `set_code_id` makes of this one are from the first of these to before the second."""
    return f"{asked}{_CODE}", f"{asked}{_CODE[:-1]}\x7f"


def _digest(*parts: str) -> str:
    """120 bits of SHA-256: nobody finds other parts that give the same."""
    return urlsafe_b64encode(sha256("\0".join(parts).encode()).digest()[:15]).decode()
