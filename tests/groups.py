"""Which tests run in one process, and in which order: what is costly to start is started once, the longest work first.

A test without a group needs PostgreSQL at most, and runs wherever there is room; `script/test --quick` runs only these.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from xdist.scheduler import LoadScopeScheduling


class Group(NamedTuple):
    """The tests `under` these folders and files of `tests/`; `what` names them for people."""

    what: str
    under: tuple[str, ...]
    #: Whether they run in one process, since they share what is slow to start.
    in_one_process: bool = True


#: The longest first, by the clock: what mostly waits for calls runs beside what keeps a core busy.
GROUPS = (
    Group("calls through two Asterisks", ("asterisk/",)),
    Group(
        "all processes, or RabbitMQ alone",
        (
            "processes/",
            "celery/",
            "cli/test_cluster_commands.py",
            "chaos/test_messages.py",
            "conformance/folder/test_whole_way.py",
        ),
    ),
    Group("calls through all of Roost and two Asterisks", ("endtoend/",)),
    Group("pages and API over all processes", ("web/", "processes/test_health.py", "processes/test_logs.py")),
    Group(
        "adapters on what they are for",
        (
            "conformance/test_node_adapter.py",
            "conformance/asterisk/test_ami_answers.py",
            "conformance/asterisk/test_tls.py",
            "conformance/kamailio/test_debians_own.py",
        ),
    ),
    Group(
        "pages in a browser",
        (
            "web/test_browser.py",
            "web/test_careless_browser.py",
            "web/test_away.py",
            "web/test_processes.py",
            "web/test_many_desks.py",
        ),
    ),
    Group("the demo as a newcomer starts it", ("demo/test_demo.py",), in_one_process=False),
    Group("calls through a plain Asterisk and two FreePBX boxes", ("freepbx/",)),
    Group("the fuzzed API", ("web/test_openapi.py",)),
    Group("calls through two Kamailios and two Asterisks", ("kamailio/",)),
    Group("faults on a stage of their own", ("chaos/test_broken_parts.py",)),
    Group("benchmarks", ("benchmarks/",)),
    Group("a dead node among sixteen", ("chaos/test_dead_node.py",)),
    Group("a short run of the faults", ("chaos/test_short_run.py",)),
    Group("the services of the tests themselves", ("test_localcluster.py",), in_one_process=False),
    Group("the release before and the next one", ("upgrades/",), in_one_process=False),
    Group("the wheel", ("test_packaging.py",)),
    Group("fuzzed parsers", ("chaos/test_fuzz.py",), in_one_process=False),
)

_HERE = Path(__file__).parent
#: For a test of a group: the first one's start what all share, which on a busy machine took two minutes.
_SECONDS = 300
#: Fixtures that take seconds to start: who uses one belongs to a group.
_SLOW = {"mixed_house", "rabbitmq", "telephony", "chromium", "stage"}
#: Fixtures that end with their group: clusters and nodes take a tenth of a core though nobody asks them anything.
_ENDING = {"cluster", "web_cluster", "house", "mixed_house", "telephony", "target", "chromium"}


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist ships no types
    """Hands a group to one process, and every other test to whichever has room."""

    def _split_scope(self, nodeid: str) -> str:
        group = _group(nodeid)
        return group.what if group is not None and group.in_one_process else nodeid


def _group(nodeid: str) -> Group | None:
    """The group whose folder or file is nearest to the test."""
    return _group_of(nodeid.partition("::")[0].removeprefix(f"{_HERE.name}/"))


@cache
def _group_of(path: str) -> Group | None:
    """Of a file, or of a folder with all that is in it: its name under `tests/`, a folder's with a slash."""
    near = [(len(place), group) for group in GROUPS for place in group.under if path.startswith(place)]
    return max(near, default=(0, None), key=lambda found: found[0])[1]


def arrange(items: list[pytest.Item]) -> None:
    """Put the longest groups first; the others come last. Raises UsageError for a test that should have a group."""
    for item in items:
        assert isinstance(item, pytest.Function)
        if not is_quick(item) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_SECONDS))
        slow = _SLOW.intersection(item.fixturenames)
        if slow and is_quick(item):
            raise pytest.UsageError(
                f"{item.nodeid} uses {', '.join(slow)}: tests/groups.py must name its file"
            )
    items.sort(key=_rank)  # within a group the order stays that of the files


class Endings:
    """A plugin that ends what a group shared when the next test is of another group; at the end of all, pytest does it."""

    def __init__(self) -> None:
        self._running: list[tuple[pytest.FixtureDef[object], pytest.FixtureRequest]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        """Note what was started."""
        value = yield
        if fixturedef.scope == "session" and fixturedef.argname in _ENDING:
            self._running.append((fixturedef, request))
        return value

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        """After the last test of a group, end it; the last that was started first."""
        value = yield
        if nextitem is not None and _group(nextitem.nodeid) is not _group(item.nodeid):
            while self._running:
                fixturedef, request = self._running.pop()
                fixturedef.finish(request)  # type: ignore[arg-type]  # it is the request that it was set up for
        return value


def _rank(item: pytest.Item) -> int:
    group = _group(item.nodeid)
    return len(GROUPS) if group is None else GROUPS.index(group)


def is_quick(item: pytest.Item) -> bool:
    """Whether `--quick` runs a test."""
    return _group(item.nodeid) is None


def is_slow(path: Path) -> bool:
    """Whether `--quick` runs nothing of a file or a folder."""
    if not path.is_relative_to(_HERE):
        return False
    return _group_of(path.relative_to(_HERE).as_posix() + "/" * path.is_dir()) is not None
