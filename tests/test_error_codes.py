"""The tables of codes, in docs/api.md and docs/cli.md, say what there is."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import roost
import tasks
import workers
from roost.errors import RoostError
from roost.moves.outcomes import Outcome
from workers.cli.exits import exit_of_error, exit_of_outcome
from workers.web.problems import _BY_STATUS, _REFUSED, status_of

DOCS = Path(__file__).parents[1] / "docs"
#: What no answer of the API is: of commands, of a process that starts, of the talk with a node, of the page's sign-in; and what is
#: raised by a more special name alone.
NOT_BY_API = {
    "agi_protocol", "bad_kind", "center_unavailable", "conflict", "database_not_empty", "database_unfit",
    "keys_differ", "no_desks", "node_refused", "node_tls", "node_unavailable", "not_printed", "not_signed_in", "not_well", "not_written",
    "seal_broken", "stale_form", "too_few_descriptors", "too_many_tries", "unavailable", "wrong_password",
}  # fmt: skip


def errors() -> list[type[RoostError]]:
    """Every error there is."""
    for package in (roost, tasks, workers):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)

    def below(error: type[RoostError]) -> Iterator[type[RoostError]]:
        for each in error.__subclasses__():
            yield each
            yield from below(each)

    return [each for each in set(below(RoostError)) if each.__module__.startswith(("roost.", "workers."))]


def table(page: str, title: str) -> dict[str, set[str]]:
    """The codes that a section's table names, by its first column."""
    section = (DOCS / page).read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
        for line in section.splitlines()
        if line.startswith("| ")
    ]
    return {row[0]: set(re.findall(r"`([a-z_]+)`", row[-1])) for row in rows[1:]}


def test_the_api_answers_with_these_codes_and_no_others() -> None:
    there = {(status_of(each.__new__(each)), each.code) for each in errors() if each.code not in NOT_BY_API}
    there -= {(409, "database_role")}  # of `roost db` alone
    there |= {(status, outcome.value) for outcome, (status, _) in _REFUSED.items()}
    there |= set(_BY_STATUS.items()) | {(500, "error")}
    told = {
        (int(status), code)
        for statuses, codes in table("api.md", "Errors").items()
        for status in statuses.split(", ")
        for code in codes
    }
    assert told == there
    assert {each.code for each in errors()} >= NOT_BY_API


def test_commands_end_with_these_exit_codes() -> None:
    there = {(int(exit_of_error(each.__new__(each))), each.code) for each in errors()}
    there |= {(int(exit_of_outcome(each)), each.value) for each in Outcome} | {(2, "usage")}
    known = {code for _, code in there}
    told = {(int(row), code) for row, codes in table("cli.md", "Exit codes").items() for code in codes}
    assert {(row, code) for row, code in told if code in known} <= there
    assert {code for _, code in told} - known == {"audit", "doctor", "status"}  # commands
