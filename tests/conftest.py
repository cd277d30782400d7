"""Real services for every test: one PostgreSQL and one RabbitMQ a process of the run, a database and a vhost a test."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from xdist.remote import Producer

from localcluster.postgres import Postgres
from localcluster.process import SupervisedProcess
from localcluster.rabbitmq import RabbitCluster
from localcluster.rabbitmq_install import SUITES, rabbitmq_program
from roost.database import Database
from roost.schema import init_database
from roost.seal import new_keys
from roost.settings import Settings
from tests.cluster import Cluster, running
from tests.databases import Databases
from tests.groups import GROUPS, Endings, GroupScheduling, arrange, is_quick, is_slow
from tests.memory import folder_in_memory
from tests.warm import WARM
from tests.world import World

#: What is written survives the end of the server, though not of the machine; a database is made and dropped in a third of
#: the time. The chaos harness has a server that syncs.
NO_POWER_CUT = {"fsync": "off", "full_page_writes": "off"}
#: A node that was frozen in one test is soon tried again in the next; what is logged is what a machine reads.
SHARED = {"ROOST_NODE_RETRY_MAX": "1", "ROOST_LOG_FORMAT": "json"}

# How long one example takes says how busy the machine is, and nothing of what is tested; a whole test has its limit.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--no-skips` is for CI: what did not run must not look green. `--quick` is for while one writes."""
    parser.addoption(
        "--no-skips", action="store_true", help="fail when any test was skipped or expected to fail"
    )
    parser.addoption(
        "--every-version",
        action="store_true",
        help="the PBX versions that are not fetched by script/setup, too",
    )
    parser.addoption(
        "--rabbitmq",
        choices=tuple(SUITES),
        help="that version of RabbitMQ, fetched once (default: the machine's own)",
    )
    parser.addoption("--quick", action="store_true", help="leave out what is slow; it is said what that is")


def pytest_configure(config: pytest.Config) -> None:
    """What a group shares ends with it; our processes are forked from one that imported everything."""
    config.pluginmanager.register(Endings())
    SupervisedProcess.warm_python = WARM
    gc.disable()  # until all tests are read: Python would look through them again and again


def pytest_collection_finish() -> None:
    """What was read stays, and is not looked through any more."""
    gc.freeze()
    gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `--quick` what is left out is not read: it imports what is slow to import."""
    return True if config.getoption("--quick") and is_slow(collection_path) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the tests, and with `--quick` leave some out."""
    if config.getoption("--quick"):
        items[:] = [item for item in items if is_quick(item)]
    arrange(items)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> GroupScheduling:
    """Whichever `--dist` is asked for, a group runs in one process."""
    return GroupScheduling(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what `--quick` left out."""
    if config.getoption("--quick"):
        for group in GROUPS:
            terminalreporter.write_line(f"--quick leaves out: {group.what}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in which a test did not count."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not session.config.getoption("--no-skips"):
        return
    uncounted = [
        report for kind in ("skipped", "xfailed", "xpassed") for report in reporter.stats.get(kind, ())
    ]
    if uncounted:
        reporter.write_line(f"\n--no-skips: {len(uncounted)} tests did not count", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL server with a template that holds the schema."""
    with (
        folder_in_memory(tmp_path_factory.mktemp("postgres")) as folder,
        Postgres(folder, options=NO_POWER_CUT) as server,
    ):
        server.create_database("template_roost")
        init_database(server.url("template_roost"))
        yield server


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Iterator[Databases]:
    """Gives the tests their databases."""
    databases = Databases(postgres, "template_roost")
    yield databases
    databases.close()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A database of this test's own."""
    with databases.lend() as url:
        yield url


@pytest.fixture(scope="session")
def code_pepper() -> str:
    """The pepper of this run."""
    return new_keys()[1]


@pytest.fixture
def settings(database_url: str, code_pepper: str) -> Settings:
    """Settings of this test, with keys of its own; the environment and `.env` are not read."""
    public, private = new_keys()
    return Settings.model_validate(
        {
            "database_url": database_url,
            "code_pepper": code_pepper,
            "seal_public_key": public,
            "seal_private_key": private,
        }
    )


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A pool on this test's database, as patient as a push worker's: a busy machine may keep a test for seconds amid a transaction."""
    pool = Database(database_url, size=8, idle_limit=10)
    yield pool
    pool.close()


@pytest.fixture
def world(database: Database, settings: Settings) -> World:
    """An empty cluster to populate and to ask, in words."""
    return World(database, settings)


@pytest.fixture(scope="session")
def rabbitmq(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RabbitCluster]:
    """A RabbitMQ node, which speaks TLS too."""
    program = rabbitmq_program(request.config.getoption("--rabbitmq"))
    with RabbitCluster(tmp_path_factory.mktemp("rabbitmq"), program=program, tls=True) as broker:
        yield broker


@pytest.fixture(scope="session")
def cluster(
    postgres: Postgres, rabbitmq: RabbitCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """All of Roost's processes but the page, two of most kinds, and three simulated nodes. Tests `reset` it first."""
    counts = {"center": 2, "bind": 2, "beat": 2}
    with running(postgres, rabbitmq, tmp_path_factory.mktemp("roost"), counts, more=SHARED) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def web_cluster(
    postgres: Postgres, rabbitmq: RabbitCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """One process of each kind, the page too, and three simulated nodes. Tests `reset` it first."""
    with running(postgres, rabbitmq, tmp_path_factory.mktemp("web"), {"web": 1}, more=SHARED) as cluster:
        yield cluster


@pytest.fixture
def repository() -> Path:
    """The top folder of the project."""
    return Path(__file__).parent.parent
