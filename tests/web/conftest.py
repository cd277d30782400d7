"""A running Roost with web processes, people who sign in, and programs with tokens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.cluster import Cluster
from tests.web.browsing import launch
from tests.web.office import Office


@pytest.fixture
def office(web_cluster: Cluster) -> Iterator[Office]:
    """Two organizations, 0001 and 0002, each with four desks, an administrator, two owners; and an operator."""
    with Office(web_cluster) as office:
        yield office


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser."""
    yield from launch()
