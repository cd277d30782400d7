"""The demo as a newcomer starts it."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from localcluster.debian import cache_folder
from tests.cluster import wait_until

pytestmark = pytest.mark.timeout(600)


@dataclass
class Place:
    """A home, a folder for temporary files, and the demo's data folder, all empty at first."""

    repository: Path
    folder: Path
    home: Path
    temporary: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start `script/demo`; what it prints goes to `printed`."""
        environment = os.environ | {
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "XDG_CACHE_HOME": str(cache_folder().parent),
            "COLUMNS": "80",
        }
        with self._output.open("w") as output:
            demo = subprocess.Popen(
                [self.repository / "script" / "demo", "--folder", self.folder, *options],
                env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
        self.started.append(demo)
        return demo

    def end(self) -> None:
        """Kill what a failed test left; the guardian kills the rest."""
        for demo in self.started:
            if demo.poll() is None:
                demo.kill()
                demo.wait(10)

    @property
    def printed(self) -> str:
        """What the last one printed so far."""
        return self._output.read_text()

    def processes(self) -> Sequence[str]:
        """What runs with the data folder in its arguments or as its place."""
        found = []
        for process in psutil.process_iter():
            try:
                places = [*process.cmdline(), process.cwd()]
            except psutil.Error:
                continue  # ended meanwhile, or not ours to look at
            if any(str(self.folder) in place for place in places):
                found.append(" ".join(places))
        return found

    @property
    def _output(self) -> Path:
        return self.home.parent / "printed"


@pytest.fixture(scope="session")
def _set_up() -> None:
    """What pip keeps in a home is not the demo's doing."""
    subprocess.run([Path(__file__).parents[2] / "script" / "setup"], check=True, timeout=300)


@pytest.fixture
def place(_set_up: None, tmp_path: Path, repository: Path) -> Iterator[Place]:
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir()
    place = Place(repository, tmp_path / "demo", tmp_path / "home", tmp_path / "tmp")
    yield place
    place.end()
    wait_until(lambda: place.processes() == [], "no process works in its folder", 20)
    assert list(place.temporary.iterdir()) == []
    assert [path for path in place.home.rglob("*") if path.is_file()] == []


def test_it_stays_up_to_be_tried_on_asterisk_and_starts_again_with_its_data_once(place: Place) -> None:
    demo = place.start("--asterisk")
    wait_until(
        lambda: "Ctrl-C ends everything" in place.printed or demo.poll() is not None,
        "the day is over",
        300,
    )
    assert demo.poll() is None, place.printed
    for name in ("env", "people"):
        assert stat.S_IMODE((place.folder / name).stat().st_mode) == 0o600
    where = subprocess.run(
        ["sh", "-c", f". {place.folder}/env; roost where '0001*001'"],
        capture_output=True, text=True, timeout=30, cwd=place.home,
    )  # fmt: skip
    assert "johns-phone" in where.stdout, where.stderr
    demo.send_signal(signal.SIGTERM)
    assert demo.wait(60) == 0, place.printed
    every_step_was_right(place)
    assert not (place.folder / "env").exists()
    assert place.processes() == []

    demo = place.start("--once")
    a_second_one_is_refused(demo, place)
    assert demo.wait(240) == 0, place.printed
    every_step_was_right(place)


def every_step_was_right(place: Place) -> None:
    assert re.fullmatch(r"demo: [5-9]\d checks passed", place.printed.splitlines()[-1])
    assert "WRONG" not in place.printed
    day = place.printed.partition("Now it is yours")[0]  # what comes then has this place's long paths
    assert all(len(line.rstrip()) <= 80 for line in day.splitlines())


def a_second_one_is_refused(first: subprocess.Popen[str], place: Place) -> None:
    wait_until(lambda: "Starting" in place.printed, "the first one holds the folder", 120)
    second = subprocess.run(
        [sys.executable, "-m", "demo", "--once", "--folder", place.folder],
        capture_output=True, text=True, timeout=60, cwd=place.repository,
    )  # fmt: skip
    assert second.returncode == 1
    assert f"process {first.pid}" in second.stderr


def test_one_that_is_told_to_end_while_it_starts_leaves_nothing(place: Place) -> None:
    demo = place.start()
    wait_until(lambda: " s  PostgreSQL" in place.printed, "it is starting", 120)
    demo.send_signal(signal.SIGINT)
    assert demo.wait(30) == 128 + signal.SIGINT
    wait_until(lambda: place.processes() == [], "its guardian has ended all", 20)
