"""What can go wrong in a node, on demand: the action `SimFault`, with `Mode`, `Seconds` and `After`.

It is answered without a login, since it must also end a fault that refuses logins. A simulator answers it
only when it was started with `--faults`.

| mode | the node from then on |
|---|---|
| `none` | behaves again |
| `slow` | holds every answer back for `Seconds` |
| `error` | cannot write: DBPut and DBDel fail; with `Keys: x`, only of keys that begin with x |
| `deny` | denies every database action |
| `refuse-login` | refuses logins |
| `hang` | reads and answers nothing |
| `drop-connection` | closes a connection instead of answering |
| `lose-last-second` | at once: loses what it has not committed, and its connections, as after a `kill -9` |
| `lose-memory` | at once: loses everything, and its connections |

With `After: n` the next n database actions still work.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: Seconds `slow` holds back when it is not told.
DEFAULT_SECONDS = 1.0


class Mode(StrEnum):
    """A fault by the name it has on the wire."""

    NONE = "none"
    SLOW = "slow"
    ERROR = "error"
    DENY = "deny"
    REFUSE_LOGIN = "refuse-login"
    HANG = "hang"
    DROP_CONNECTION = "drop-connection"
    LOSE_LAST_SECOND = "lose-last-second"
    LOSE_MEMORY = "lose-memory"


@dataclass(slots=True)
class Fault:
    """The fault a node has now."""

    mode: Mode = Mode.NONE
    seconds: float = DEFAULT_SECONDS
    after: int = 0
    keys: str = ""

    @classmethod
    def parse(cls, fields: dict[str, str]) -> Fault:
        """Read the fields of a `SimFault`. Raises ValueError."""
        seconds = float(fields.get("seconds", DEFAULT_SECONDS))
        after = int(fields.get("after", 0))
        if not 0 <= seconds <= 3600 or after < 0:
            raise ValueError("Seconds or After is out of range")
        return cls(Mode(fields.get("mode", "")), seconds, after, fields.get("keys", ""))

    def strikes(self, *, database_action: bool) -> Mode:
        """The fault to commit on this action; NONE while `After` is not used up."""
        if self.mode is Mode.NONE or self.after == 0:
            return self.mode
        if database_action:
            self.after -= 1
        return Mode.NONE
