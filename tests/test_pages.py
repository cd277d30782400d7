"""What the pages point to is there: files, headings, the commands and scripts with their options, settings."""

from __future__ import annotations

import fnmatch
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import typer

import benchmarks.__main__ as benchmarks
import chaos.__main__ as chaos
import demo.__main__ as demo
from roost.settings import Settings
from workers.cli.main import app
from workers.kit.files import unit
from workers.processes import PROCESSES

TOP = Path(__file__).parent.parent
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
PAGES += sorted(str(page.relative_to(TOP)) for page in (TOP / "docs").rglob("*.md"))

_BLOCK = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
_PICTURE = re.compile(r'\bsrc(?:set)?="([^"]+)"')
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_FILE = re.compile(r"`((?:roost|tasks|workers|tests|localcluster|simulator|asterisk|docs)/[\w./-]+)`")
#: A command of ours in a block: behind a prompt, a bracket or the name of our image.
_COMMAND = re.compile(r"(?:^\s*|\$ |[(;] ?|local )roost ([a-z][^#>|;)]*)")
_SCRIPT = re.compile(r"\b(script/[a-z-]+)([^`\n|;)>#:]*)")
_OPTION = re.compile(r"(?<![\w-])--?[a-z][\w-]*")
#: What systemctl and journalctl are told of ours; `*` stands for any.
_UNIT = re.compile(r"(?:systemctl|journalctl) [^`|\n]*")
_OUR_UNIT = re.compile(r"\broost[-@.][\w@*-]*")
#: What asks or changes one virtual host at RabbitMQ.
_OF_A_VHOST = re.compile(r"rabbitmqctl[^`\n]* (?:list_queues|purge_queue|delete_queue)\b")


def read(page: str) -> str:
    return (TOP / page).read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The names by which a page's headings are linked to, as GitHub makes them."""
    headings = _HEADING.findall(_BLOCK.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def commands(page: str) -> Iterator[str]:
    """What pages say of `roost`: the words behind it."""
    text = read(page)
    for block in _BLOCK.findall(text):
        yield from (found for line in block.splitlines() for found in _COMMAND.findall(line))
    yield from re.findall(r"`roost ([a-z][^`]*)`", _BLOCK.sub("", text))


def faults(words: list[str], command: Any) -> list[str]:
    """What of these words the command does not know: a command below it, or an option."""
    while words and hasattr(command, "commands"):
        name = words.pop(0)
        if name not in command.commands:
            return [f"no command {name}"]
        command = command.commands[name]
    options = {option for each in command.params for option in (*each.opts, *each.secondary_opts, "--help")}
    written = f" {' '.join(words)} ".partition(" -- ")[0]  # behind it are names
    return [f"no option {word}" for word in _OPTION.findall(written) if word not in options]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(page: str) -> None:
    pictures = [(picture, "") for picture in _PICTURE.findall(_BLOCK.sub("", read(page)))]
    for file, anchor in [*_LINK.findall(read(page)), *pictures]:
        target = (TOP / page).parent / file if file else TOP / page
        assert target.exists(), file
        if anchor:
            assert anchor in anchors(target), f"{file}#{anchor}"


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_is_there(page: str) -> None:
    if page != "CHANGELOG.md":  # it tells of what was, too
        assert [file for file in _FILE.findall(read(page)) if not (TOP / file).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_is_named_exists_with_its_options(page: str) -> None:
    roost = typer.main.get_command(app)
    wrong = {words: found for words in commands(page) if (found := faults(words.split(), roost))}
    assert wrong == {}


def test_commands_are_found_and_a_wrong_one_is_noticed() -> None:
    roost = typer.main.get_command(app)
    assert len({words for page in PAGES for words in commands(page)}) > 20
    assert faults(["node", "scope", "n1"], roost) == ["no command scope"]
    assert faults(["node", "add", "n1", "--hosts", "x"], roost) == ["no option --hosts"]
    assert faults(["node", "add", "--hosts", "x", "--", "-n1"], roost) == ["no option --hosts"]


def options() -> dict[str, set[str]]:
    """The options of each script, as its own help tells them, or its first lines; what pytest takes, `script/test` takes too."""
    command = [sys.executable, "-m", "pytest", str(TOP / "tests"), "--help"]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=60, check=True)
    told = {"script/test": set(_OPTION.findall(done.stdout))}
    for script, main in {"demo": demo.main, "chaos": chaos.main, "bench": benchmarks.main}.items():
        with redirect_stdout(io.StringIO()) as printed, pytest.raises(SystemExit):
            main(["--help"])
        told[f"script/{script}"] = set(_OPTION.findall(printed.getvalue()))
    for path in (TOP / "script").iterdir():
        if path.is_file() and f"script/{path.name}" not in told:
            head = re.match(r"(?:#.*\n)*", path.read_text(encoding="utf-8"))
            told[f"script/{path.name}"] = set(_OPTION.findall(head[0] if head else ""))
    return told


def test_every_script_that_is_named_exists_with_its_options() -> None:
    """One test for all pages: to ask the scripts takes seconds."""
    known = options()
    for page in PAGES:
        for script, words in _SCRIPT.findall(read(page)):
            assert os.access(TOP / script, os.X_OK), f"{page}: {script}"
            unknown = set(_OPTION.findall(words)) - known.get(script, set())
            assert unknown == set(), f"{page}: {script}{words}"


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_that_is_named_exists(page: str) -> None:
    known = {f"ROOST_{name.upper()}" for name in Settings.model_fields}
    known |= set(re.findall(r"\$\{(ROOST_\w+)", read("docker-compose.yml")))
    known |= set(
        re.findall(
            r"ROOST_\w+",
            read("asterisk/roost.conf")
            + read("asterisk/roost_features.conf.sample")
            + read("kamailio/roost.cfg"),
        )
    )
    for name in re.findall(r"ROOST_[A-Z_0-9]+", read(page)):
        if name.endswith("_"):  # of several, `ROOST_WEB_…`
            assert any(one.startswith(name) for one in known), name
        else:
            assert name in known, name


@pytest.mark.parametrize("page", PAGES)
def test_every_unit_of_systemd_that_is_named_is_one_that_setup_writes(page: str) -> None:
    units = [unit(kind, number) for kind in PROCESSES for number in (1, 2)] + ["roost.target"]
    named = {found for line in _UNIT.findall(read(page)) for found in _OUR_UNIT.findall(line)}
    assert [name for name in named if not fnmatch.filter(units, name.removesuffix(".service"))] == []


@pytest.mark.parametrize("page", PAGES)
def test_who_asks_rabbitmq_for_queues_names_the_virtual_host(page: str) -> None:
    assert [found for found in _OF_A_VHOST.findall(read(page)) if " -p " not in found] == []
