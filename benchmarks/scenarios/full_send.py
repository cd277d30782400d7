"""A full send to one Asterisk with a lamp for each extension, one in ten watched: how long it takes, and what it takes there in memory.

Before it the table is lost, and each watched lamp shows the phone of the next: each has to be changed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from benchmarks.effort import Effort
from benchmarks.report import Report
from benchmarks.stage import TOP, Rig, Stage
from benchmarks.usage import resident
from benchmarks.world import code_of
from localcluster.asterisk import AsteriskNode
from roost.database import Database
from roost.nodes.converge import Converged, converge
from roost.pbx.ami.codec import unnumbered
from roost.pbx.ami.options import AmiOptions
from roost.pbx.ami.session import AmiSession
from tasks.nodes import NodeConnections

#: Extensions of an organization; and of so many one is watched: with all of 100,000 Asterisk would take minutes to make the hints.
_OF_ONE, _WATCHED = 1_000, 10
_CONTEXT = "roost-lamps-"
#: Hints made within one deadline.
_AT_ONCE = 500


def measure(rig: Rig, effort: Effort, report: Report) -> None:
    """With none watched, and with those; the push job as it is, called here as in `resync`."""
    extensions = effort.resync_extensions if effort.runs > 1 else min(5_000, effort.resync_extensions)
    organizations = extensions // _OF_ONE
    codes = [code_of(organization) for organization in range(organizations)]
    # The first stands in the sample.
    contexts = "".join(f"[{_CONTEXT}{code}](roost-lamps)\n" for code in codes[1:])
    site = f'#include "{TOP}/asterisk/roost_features.conf.sample"\n{contexts}'
    counts = {"push": 0, "verify": 0, "center": 0, "beat": 0}
    stage = Stage(
        rig, "full_send", extensions=extensions, asterisk=1, bind=0, counts=counts, site=site, organizations=organizations,
    )  # fmt: skip
    with stage:
        (node,) = stage.asterisk
        stage.sql.execute("UPDATE pbx_node SET enabled = true WHERE name = %s", (node.name,))
        without = _send(stage, node, 2 * extensions)
        node.database_clear("roost")
        before = _megabytes(stage, node)
        _watch(node, range(0, extensions, _WATCHED))
        watched = _megabytes(stage, node)
        took = _send(stage, node, 2 * extensions)
        after = _megabytes(stage, node)
        last = f"{extensions - _WATCHED:07}"
        shown = node.cli(f"dialplan show {last}@{_CONTEXT}{codes[-1]}")
        assert f"PJSIP/p{last}" in shown, shown
    report.figure(
        f"full send of {extensions:,} extensions, {extensions // _WATCHED:,} lamps watched",
        took,
        "s",
        without,
        "none watched s",
    )
    report.figure("  the Asterisk, before and after", after, "MB", watched, "MB")
    report.figure("  its watched lamps", watched - before, "MB")


def _send(stage: Stage, node: AsteriskNode, keys: int) -> float:
    database, nodes = (
        Database(stage.url, idle_limit=60, one_plan=True, bookkeeping=True),
        NodeConnections(stage.settings),
    )
    began = time.perf_counter()
    result = converge(database, node.name, nodes, 1)
    took = time.perf_counter() - began
    nodes.close()
    database.close()
    assert isinstance(result, Converged), result
    assert result.sent == keys, result
    return took


def _megabytes(stage: Stage, node: AsteriskNode) -> float:
    return sum(resident(stage.processes)[f"asterisk-{node.name}"])


def _watch(node: AsteriskNode, extensions: Sequence[int]) -> None:
    """A hint of its own for each, as whoever watches it makes one."""
    session = AmiSession(node.control, AmiOptions(), 60)
    for first in range(0, len(extensions), _AT_ONCE):
        with session.deadline():
            assert session.ask_many(extensions[first : first + _AT_ONCE], _hint) == []
    session.close()


def _hint(number: int) -> bytes:
    context = f"{_CONTEXT}{code_of(number // _OF_ONE)}"
    fields = {
        "Context": context,
        "Extension": f"{number:07}",
        "Priority": "hint",
        "Application": f"PJSIP/p{number + 1:07}",
    }
    return unnumbered("DialplanExtensionAdd", fields | {"Replace": "yes"})
