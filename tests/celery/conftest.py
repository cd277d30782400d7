"""pytest-celery's fixtures over our own processes: two bind workers, a verify and a push worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_celery import (
    CeleryTestBroker,
    CeleryTestSetup,
    CeleryTestWorker,
    CeleryWorkerCluster,
)

from tests.celery.asker import Asker
from tests.celery.local import LocalBroker, LocalWorker, Setup
from tests.cluster import Cluster

WORKERS = ("bind1", "bind2", "verify1", "push1")


@pytest.fixture
def office(cluster: Cluster) -> Cluster:
    """Everybody at home, 001 to 004."""
    return cluster.office("001", "002", "003", "004", nodes=("n1", "n2", "n3"))


@pytest.fixture
def celery_broker(office: Cluster) -> CeleryTestBroker:
    """The broker of our processes."""
    return CeleryTestBroker(LocalBroker(office.product.broker_url))


@pytest.fixture
def celery_backend_cluster() -> None:
    """We have no result backend: outcomes go to reply queues."""


@pytest.fixture
def celery_worker(celery_worker_cluster: CeleryWorkerCluster) -> CeleryTestWorker:
    """The first bind worker."""
    return celery_worker_cluster[0]


@pytest.fixture
def celery_worker_cluster(office: Cluster, celery_setup_app: object) -> Iterator[CeleryWorkerCluster]:
    """Every worker; those that a test ended are started again after it."""
    nodes = [
        CeleryTestWorker(LocalWorker(office.product.processes[name]), app=celery_setup_app)
        for name in WORKERS
    ]
    yield CeleryWorkerCluster(*nodes)
    for node in nodes:
        node.teardown()


@pytest.fixture
def celery_setup_cls() -> type[CeleryTestSetup]:
    """Our configuration, not pytest-celery's."""
    return Setup


@pytest.fixture
def celery_setup_name() -> str:
    """The app's name, as in tasks.app."""
    return "roost"


@pytest.fixture
def asker(celery_setup: CeleryTestSetup) -> Iterator[Asker]:
    """Somebody who sends to the queues of a setup whose workers are ready."""
    assert celery_setup.ready()
    with Asker(celery_setup.app) as asker:
        yield asker
