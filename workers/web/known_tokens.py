"""Tokens that were looked up a moment ago: a program that asks often costs one look-up a second, and no thread."""

from __future__ import annotations

import time

from starlette.concurrency import run_in_threadpool

from roost.people.access import Asker
from roost.people.secret_tokens import hash_secret
from roost.people.tokens import Tokens

#: Seconds for which a look-up is good: a token that is ended elsewhere ends here within them.
FRESH = 1.0
#: Tokens that are kept; with more, all are forgotten and looked up again.
MOST = 1000


class KnownTokens:
    """Used on the event loop only."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._known: dict[bytes, tuple[float, Asker]] = {}

    async def find(self, secret: str) -> Asker:
        """Who shows this token. Raises BadToken."""
        hashed = hash_secret(secret)
        seen, asker = self._known.get(hashed, (0.0, None))
        if asker is not None and time.monotonic() - seen < FRESH:
            return asker
        # The age counts from before the look-up: what changes during it is not missed for longer.
        seen = time.monotonic()
        asker = await run_in_threadpool(self._tokens.find, secret)
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[hashed] = (seen, asker)
        return asker
