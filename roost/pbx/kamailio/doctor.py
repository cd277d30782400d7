"""What `roost doctor` looks at on a Kamailio."""

from __future__ import annotations

import re
from collections.abc import Iterator

from roost.finding import Finding, Level, is_public
from roost.pbx.kamailio.options import KamailioOptions
from roost.pbx.node import NodeAddress, PbxNode

OLDEST = (5, 6)
#: Seconds that its clock may differ from ours: call records say when.
CLOCK = 5
#: Rounds of a loop that one body may need.
LEAST_LOOPS = 2_000
_HEALTH = re.compile(r"Kamailio (\d+)\.(\d+)\S* \((\d+) rows, max_while_loops (\d+), clock ([+-]\d+) s\)")


def examine(address: NodeAddress, options: KamailioOptions, node: PbxNode | None) -> Iterator[Finding]:
    """Look at how it is reached, at its version, its loops and its clock."""
    if is_public(address.host) and not options.tls:
        yield Finding(
            "nodes", Level.WARNING, f"HTTP at the public address {address.host} is plain text.",
            "Reach it by TLS (roost node set NODE --tls), over a private network, or through a tunnel.",
        )  # fmt: skip
    health = _HEALTH.match(node.health()) if node is not None else None
    if health is None:
        return
    major, minor, rows, loops, ahead = map(int, health.groups())
    if (major, minor) < OLDEST:
        yield Finding(
            "nodes", Level.WARNING, f"Kamailio {major}.{minor} is older than what Roost was tried with.", "Use 5.6 or newer.",
        )  # fmt: skip
    if loops < max(LEAST_LOOPS, 2 * rows):
        yield Finding(
            "nodes", Level.WARNING, f"Its max_while_loops is {loops}, and its table has {rows} rows.",
            "Set max_while_loops=1000000 in its kamailio.cfg, and restart it.",
        )  # fmt: skip
    if abs(ahead) > CLOCK:
        yield Finding(
            "nodes", Level.WARNING, f"Its clock differs from ours by {ahead:+d} s.", "Let NTP set both."
        )
