"""Keys, pepper and users are changed process by process, as the docs say, while people go on moving."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from localcluster.process import SupervisedProcess
from tests.cli.command import Run, runner
from tests.cluster import Cluster, wait_until

#: In what `roost keys rotate` prints, those that only verify and push workers have.
PUBLIC = "ROOST_SEAL_PUBLIC_KEY"
#: Seconds between a person's moves: while processes restart, which is what this is about, they would take all of a machine.
PAUSE = 0.05


@pytest.fixture
def roost(office: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """The command line, with the settings of a verify worker."""
    monkeypatch.chdir(office.product.folder)
    for name, value in office.product.environment.items():
        monkeypatch.setenv(name, value)
    yield from runner()


@pytest.fixture
def office(cluster: Cluster) -> Iterator[Cluster]:
    cluster.office("001", "002", "003", "004")
    product = cluster.product
    product.processes["verify2"] = product._worker("verify", 2)
    changed = [product.processes[name] for name in ("verify1", "center1")]
    before = [process.environment for process in changed]
    yield cluster
    product.processes.pop("verify2").stop()
    for process, environment in zip(changed, before, strict=True):
        process.stop()
        process.environment = environment
        process.launch()
    for process in changed:
        process.await_ready()


def with_settings(process: SupervisedProcess, settings: Mapping[str, str], without: str = "nothing") -> None:
    """The process, restarted with other settings."""
    assert process.environment is not None
    kept = {name: value for name, value in process.environment.items() if without not in name}
    process.stop()
    process.environment = {**kept, **settings}
    process.start()


class Movers:
    """Two people who go to another phone and back, call by call, as their PBX leads them to a center that answers."""

    def __init__(self, office: Cluster) -> None:
        self._office = office
        self._over = threading.Event()
        #: Which centers are asked, in turn.
        self.centers = [0, 1]
        self.heard: Counter[tuple[str, str]] = Counter()
        self.faults: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._go, args=pair) for pair in (("001", "desk002"), ("003", "desk004"))
        ]
        for thread in self._threads:
            thread.start()

    def _go(self, number: str, phone: str) -> None:
        code = self._office.world.codes["0001", number]
        turn = 0
        try:
            while not self._over.wait(PAUSE):
                turn += 1
                for dialled, codes in ((f"*30{number}", (code,)), ("*30", ())):
                    center = self.centers[turn % len(self.centers)]
                    heard = self._office.call(phone, dialled, *codes, center=center)
                    self.heard[dialled[3:], heard.outcome] += 1
        except BaseException as fault:  # noqa: BLE001 - it is the test's to raise
            self.faults.append(fault)

    def go_on(self) -> None:
        """Wait until each has moved twice more."""
        before = self.heard.copy()
        wait_until(
            lambda: bool(self.faults)
            or all(self.heard[number, "virtualized"] >= before[number, "virtualized"] + 2 for number in ("001", "003")),
            "both have moved twice more", 30,
        )  # fmt: skip

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=30)


def test_moves_go_on_while_keys_pepper_and_users_are_changed(office: Cluster, roost: Run) -> None:
    """As from an installation in which all share one user of RabbitMQ and the role that owns the tables."""
    product = office.product
    one, two, center = (product.processes[name] for name in ("verify1", "verify2", "center1"))
    new = dict(
        line.split("=", 1) for line in roost("keys", "rotate").out.splitlines() if line.startswith("ROOST_")
    )
    hashes = "SELECT number, code_hash FROM extension WHERE number IN ('001', '003')"
    before = dict(office.world.rows(hashes))
    movers = Movers(office)
    try:
        movers.go_on()
        # The first line of its steps: verify workers, one after the other.
        assert two.environment is not None
        own = {name: two.environment[name] for name in ("ROOST_BROKER_URL", "ROOST_DATABASE_URL")}
        shared = {"ROOST_BROKER_URL": product.broker_url, "ROOST_DATABASE_URL": product.database_url}
        two.environment = {**two.environment, **new, **shared}
        two.start()
        with_settings(one, new)
        movers.go_on()
        # The second: a center has the new public key, while another still has the old one.
        movers.centers = [1]
        with_settings(center, {PUBLIC: new[PUBLIC], "ROOST_BROKER_URL": product.broker_url})
        movers.centers = [0, 1]
        movers.go_on()
        assert dict(office.world.rows(hashes)).items().isdisjoint(before.items()), (
            "each is kept over the new pepper"
        )
        # The last: nobody needs what was before any more.
        movers.centers = [0]
        movers.go_on()
        for worker in (two, one):
            with_settings(worker, own, without="_BEFORE")
        movers.go_on()
    finally:
        movers.end()
    assert movers.faults == []
    assert {outcome for _, outcome in movers.heard} == {"virtualized", "returned"}, movers.heard
    # Who did not key theirs meanwhile needs a new code.
    assert office.call("desk001", "*30004", office.world.codes["0001", "004"], center=0).outcome == "dropped"
