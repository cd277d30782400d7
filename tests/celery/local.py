"""pytest-celery without Docker: its containers are local processes, and its app is configured as ours."""

from __future__ import annotations

import os
import signal as signals
from typing import Any

from celery import Celery
from pytest_celery import CeleryTestContainer, CeleryTestSetup

from localcluster.process import SupervisedProcess


class LocalBroker(CeleryTestContainer):  # type: ignore[misc]  # pytest-celery ships no types
    """A virtual host of the RabbitMQ that runs already. The base class's state is Docker's, so it is left out."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def id(self) -> str:
        """What pytest-celery calls the container by."""
        return "broker"

    @property
    def celeryconfig(self) -> dict[str, Any]:
        """Where the broker is, for workers and for the test."""
        return {"url": self._url, "host_url": self._url}

    def ready(self) -> bool:
        """It was ready before."""
        return True


class LocalWorker(CeleryTestContainer):  # type: ignore[misc]  # pytest-celery ships no types
    """One of our worker processes; a test that ended it finds it started again by `teardown`."""

    def __init__(self, process: SupervisedProcess) -> None:
        self.process = process

    @property
    def id(self) -> str:
        """What pytest-celery calls the container by."""
        return self.process.name

    @property
    def name(self) -> str:
        """The same."""
        return self.process.name

    @property
    def status(self) -> str:
        """As Docker says it."""
        return "running" if self.process.running else "exited"

    def logs(self) -> str:
        """All it has logged."""
        return self.process.log.read_text(errors="replace")

    def reload(self) -> None:
        """Nothing is cached here."""

    def kill(self, signal: str = "SIGKILL") -> None:
        """Send a signal; SIGKILL takes its children too, as the end of a container does."""
        if signal == "SIGKILL":
            self.process.kill()
        else:
            os.kill(self.process.pid, signals.Signals[signal])

    def ready(self) -> bool:
        """Whether it takes jobs."""
        return self.process.running and self.process.wrote(" ready.")

    def teardown(self) -> None:
        """Leave it running for the next test."""
        if not self.process.running:
            self.process.start()


class Setup(CeleryTestSetup):  # type: ignore[misc]  # pytest-celery ships no types
    """An app of the test's own, with the project's configuration; tasks are sent by their names."""

    @classmethod
    def create_setup_app(cls, celery_setup_config: dict[str, Any], celery_setup_app_name: str) -> Celery:
        """pytest-celery's own would become the current app, and would know nothing of our queues."""
        app = Celery(celery_setup_app_name, set_as_current=False)
        app.config_from_object("tasks.config")
        app.conf.update(celery_setup_config)
        return app
