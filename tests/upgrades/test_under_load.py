"""Programs of the release before go on while the database is upgraded under them, and beside the new ones afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import psycopg

from roost.database import Database
from roost.schema import upgrade_database
from roost.settings import Settings
from tests.upgrades.load import Load
from tests.upgrades.old_program import OldProgram, check_schema
from tests.world import World, new_id

#: Each mover has two desks of its own; they come in twos from 001 on.
MOVERS = 3


class Mover:
    """Sends one extension to another's phone and home again, with one wrong code each time."""

    def __init__(self, program: OldProgram, number: int, heard: dict[str, str]) -> None:
        self._program = program
        self._number, self._phone = f"{number:03}", f"desk{number + 1:03}"
        self._heard = heard

    def round(self) -> None:
        number, phone, call = self._number, self._phone, new_id()
        assert self._program.dial(new_id(), phone, number) == "code_needed"
        self._hear("wrong_code", lambda request: self._program.key(request, phone, number, call, right=False))
        request = new_id()
        assert self._program.key(request, phone, number, call, right=True) == "code_right"
        self._hear(
            "virtualized", lambda request: self._program.virtualize(request, phone, number, call), request
        )
        self._hear("returned", lambda request: self._program.dial(request, phone, ""))

    def _hear(self, outcome: str, ask: Callable[[str], str], request: str = "") -> None:
        request = request or new_id()
        assert ask(request) == outcome
        self._heard[request] = outcome


def journal_of(url: str) -> dict[str, str]:
    with psycopg.connect(url) as connection:
        return dict(connection.execute("SELECT request_id, outcome FROM journal").fetchall())


def test_workers_of_the_release_before_go_on_while_the_database_is_upgraded(
    old_database: str, settings: Settings, load: Load
) -> None:
    heard: dict[str, str] = {}
    with ExitStack() as stack:
        *programs, announcer, pusher, reader = [
            stack.enter_context(OldProgram(old_database)) for _ in range(MOVERS + 3)
        ]
        stack.callback(load.end)
        for index, program in enumerate(programs):
            load.add(f"mover {index}", Mover(program, 2 * index + 1, heard).round)
        load.add("announcer", announcer.announce)
        load.add("pusher", lambda: pusher.push(seconds=0.1))
        load.add("reader", reader.look)
        load.go_on()

        assert upgrade_database(old_database).before == 1
        check_schema(old_database)
        load.go_on()

        new = Database(old_database)
        stack.callback(new.close)
        world = World(new, settings)

        def move_by_the_new_program() -> None:
            assert world.move("011", "desk012").outcome == "virtualized"
            assert world.bring_home("011").outcome == "returned"

        load.add("new program", move_by_the_new_program)
        load.go_on()
        load.end()
        assert load.failures == []

        journal = journal_of(old_database)
        assert heard.items() <= journal.items()
        by_new = {request: outcome for request, outcome in journal.items() if request not in heard}
        assert Counter(by_new.values()) == {
            "virtualized": load.rounds["new program"],
            "returned": load.rounds["new program"],
        }
        announcer.announce()
        pusher.push()
        rings = {key: phone for key, phone in pusher.told.items() if key.startswith("e/")}
        with new.connection() as connection:
            assert rings == dict(connection.execute("SELECT key, phone FROM rings").fetchall())
