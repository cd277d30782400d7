"""Which tests run in one process, and in which order: what is costly to start is started once, the longest work first.

A test belongs to the first group whose fixture it uses. One without a group runs wherever there is room.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest


class Group(NamedTuple):
    """Tests that share what `fixture` starts, or that lie `under` certain paths; `what` names them for people."""

    what: str
    fixture: str = ""
    under: tuple[str, ...] = ()
    #: Whether they run in one process.
    together: bool = True
    #: Whether `--quick` runs them.
    quick: bool = False

    def holds(self, item: pytest.Function) -> bool:
        """Whether a test belongs to it."""
        path = item.path.relative_to(_TESTS).as_posix()
        return self.fixture in item.fixturenames or path.startswith(self.under)


_TESTS = Path(__file__).parent
#: The longest first.
GROUPS = (
    Group("pages in a browser", fixture="chromium"),
    Group("calls through all of Roost and two Asterisks", fixture="house"),
    Group("pages and API over all processes", fixture="web_cluster"),
    Group("the demo as a newcomer starts it", fixture="place", together=False),
    Group("faults on a stage of their own", fixture="stage"),
    Group("the fuzzed API", fixture="fuzzed", together=False),
    Group("a dead node among sixteen", fixture="sixteen"),
    Group("a short run of the faults", under=("chaos/test_short_run.py",)),
    Group("fuzzed parsers", under=("chaos/test_fuzz.py",), together=False),
    Group("calls through two Asterisks", fixture="telephony"),
    Group("benchmarks", under=("benchmarks/",), together=False),
    Group("the adapter on a real Asterisk and a simulator", fixture="target"),
    Group("all processes, or RabbitMQ alone", fixture="rabbitmq", quick=True),
    Group("the services of the tests themselves", under=("test_localcluster.py",), together=False),
)


def _group(item: pytest.Item) -> Group | None:
    assert isinstance(item, pytest.Function)
    return next((group for group in GROUPS if group.holds(item)), None)


def arrange(items: list[pytest.Item]) -> None:
    """Mark each test with its group, for pytest-xdist's `--dist loadgroup`, and put the longest groups first."""
    groups = {item: _group(item) for item in items}
    for item, group in groups.items():
        if group is not None and group.together:
            item.add_marker(pytest.mark.xdist_group(group.what))
    items.sort(key=lambda item: _rank(groups[item]))  # stable: within a group the order is that of the files


def _rank(group: Group | None) -> int:
    return len(GROUPS) if group is None else GROUPS.index(group)


def is_quick(item: pytest.Item) -> bool:
    """Whether `--quick` runs a test."""
    group = _group(item)
    return group is None or group.quick
