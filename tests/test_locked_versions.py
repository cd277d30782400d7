"""The lock files hold what pyproject.toml asks for, and these tests run on the versions they name."""

import tomllib
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.advisories import LOCK_FILES, TOP, locked


def asked() -> dict[str, list[Requirement]]:
    """What pyproject.toml asks for, by the lock file that may hold it last."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lists = (project["dependencies"], extras["dev"], extras["bench"])
    return {
        name: [Requirement(text) for text in texts] for name, texts in zip(LOCK_FILES, lists, strict=True)
    }


@pytest.mark.parametrize("name", LOCK_FILES)
def test_what_pyproject_asks_for_is_locked(name: str) -> None:
    at_hand = [entry for file in LOCK_FILES[: LOCK_FILES.index(name) + 1] for entry in locked(file)]
    for wanted in asked()[name]:
        found = [
            entry for entry in at_hand if canonicalize_name(entry.name) == canonicalize_name(wanted.name)
        ]
        assert found, f"{wanted.name} is in no lock file: run script/lock"
        for entry in found:
            (pin,) = entry.specifier
            assert pin.operator == "=="
            assert wanted.specifier.contains(pin.version, prereleases=True), f"{entry}: run script/lock"


@pytest.mark.parametrize("name", LOCK_FILES)
def test_every_file_that_pip_may_install_is_known_by_its_hash(name: str) -> None:
    entries = (TOP / name).read_text().replace("\\\n", "").splitlines()
    bare = [entry for entry in entries if not entry.startswith("-r ") and "--hash=sha256:" not in entry]
    assert bare == []


def test_these_tests_run_on_the_locked_versions() -> None:
    differing = {
        entry.name: (str(entry.specifier), version(entry.name))
        for entry in (*locked("requirements.lock"), *locked("requirements-dev.lock"))
        if entry.marker is None or entry.marker.evaluate()
        if not entry.specifier.contains(version(entry.name), prereleases=True)
    }
    assert differing == {}


def test_a_package_stands_in_one_lock_file() -> None:
    names = [{entry.name for entry in locked(file)} for file in LOCK_FILES]
    assert sum(map(len, names)) == len(set.union(*names))
