"""What `roost doctor` looks at on a Kamailio."""

from __future__ import annotations

import re
from collections.abc import Iterator

from roost.finding import Finding, Level, is_public
from roost.pbx.kamailio.adapter import KamailioNode, State
from roost.pbx.kamailio.options import KamailioOptions
from roost.pbx.kinds import Examined
from roost.wording import count_of

OLDEST = (5, 6)
#: Seconds that its clock may differ from ours: call records say when.
CLOCK = 5
#: Rounds of a loop that one body may need.
LEAST_LOOPS = 2_000
#: What suits all but the largest.
ENOUGH_LOOPS = 1_000_000
_VERSION = re.compile(r"(\d+)\.(\d+)")


def examine(node: Examined[KamailioOptions]) -> Iterator[Finding]:
    """Look at how it is reached, at its version, its loops, its clock, and at what its own file says of it."""
    if is_public(node.address.host) and not node.options.tls:
        yield _warning(
            f"HTTP at the public address {node.address.host} is plain text.",
            f"Reach it by TLS (roost node set {node.name} --tls), over a private network, or through a tunnel.",
        )
    if isinstance(node.node, KamailioNode):
        yield from _state(node, node.node.state())


def _state(node: Examined[KamailioOptions], state: State) -> Iterator[Finding]:
    version = _VERSION.match(state.version)
    if version and (int(version[1]), int(version[2])) < OLDEST:
        yield _warning(
            f"Kamailio {state.version} is older than what Roost was tried with.", "Use 5.6 or newer."
        )
    if state.max_while_loops < max(LEAST_LOOPS, 2 * state.rows):
        yield _warning(
            f"Its max_while_loops is {state.max_while_loops}, and its table has {count_of(state.rows, 'row')}.",
            f"Set max_while_loops={max(ENOUGH_LOOPS, 4 * state.rows)} in its kamailio.cfg, and restart it.",
        )
    if abs(state.ahead) > CLOCK:
        yield _warning(f"Its clock differs from ours by {state.ahead:+d} s.", "Let NTP set both.")
    if state.name != node.name:
        yield _warning(
            f"It calls itself {state.name}: phones that are homed at {node.name} do not ring.",
            f'Write #!define ROOST_NODE "{node.name}" there, and restart it.',
        )
    if state.feature != node.feature_code:
        yield _warning(
            f"Its feature code is {state.feature}, that of the centers {node.feature_code}.",
            "Make ROOST_FEATURE there and ROOST_FEATURE_CODE of the centers the same.",
        )


def _warning(says: str, mend: str) -> Finding:
    return Finding("nodes", Level.WARNING, says, mend)
