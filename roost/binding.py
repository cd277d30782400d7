"""Virtualize and return: who sits where. One transaction each, at most once a request id."""

from __future__ import annotations

from dataclasses import replace

from psycopg.rows import dict_row

from roost.database import Connection, Database, query
from roost.journal import AlreadyRecorded, Entry, Journal, answer
from roost.outcomes import Outcome
from roost.requests import Answer, Dial, Return, Virtualize
from roost.scene import Scene, check_move, read_scene
from roost.settings import Settings


class Binding:
    """The operations that move extensions."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._journal = Journal(database, settings)

    def dial(self, request: Dial) -> Answer:
        """A call to the Center: a return, a refusal, or CODE_NEEDED, which is not recorded."""
        asked = Entry(
            "virtualize" if request.number else "return", Outcome.EXPIRED, None, request.number, request.phone
        )

        def work(connection: Connection) -> Answer:
            scene = read_scene(connection, request, self._settings, lock=True)
            if scene.recorded:
                raise AlreadyRecorded
            entry = replace(asked, organization=scene.organization)
            if self._journal.is_expired(request, scene.now):
                return self._record(connection, request, scene, entry)
            if not request.number:
                return self._return_from_phone(connection, request, scene, entry)
            outcome = check_move(scene)
            if outcome is None:
                return answer(request, replace(entry, outcome=Outcome.CODE_NEEDED), scene.now)
            return self._record(connection, request, scene, replace(entry, outcome=outcome))

        return self._journal.settle(request, work, expired=asked)

    def virtualize(self, request: Virtualize) -> Answer:
        """Put the extension on the phone. A call needs the proof of its code; an administrator does not."""
        asked = Entry("virtualize", Outcome.EXPIRED, request.organization, request.number, request.phone)

        def work(connection: Connection) -> Answer:
            scene = read_scene(connection, request, self._settings, lock=True)
            if scene.recorded:
                raise AlreadyRecorded
            entry = replace(asked, organization=request.organization or scene.organization)
            outcome = check_move(scene, request.organization)
            if self._journal.is_expired(request, scene.now):
                outcome = Outcome.EXPIRED
            elif outcome is None and request.origin == "call" and not scene.proved:
                outcome = Outcome.WRONG_CODE
            elif outcome is None and request.origin == "call" and not scene.proof_fresh:
                outcome = Outcome.EXPIRED
            elif outcome is None:
                return self._occupy(connection, request, scene, entry)
            return self._record(connection, request, scene, replace(entry, outcome=outcome))

        return self._journal.settle(request, work, expired=asked)

    def return_home(self, request: Return) -> Answer:
        """Bring the extension home, wherever it is."""
        asked = Entry("return", Outcome.EXPIRED, request.organization, request.number)
        params = {
            "request_id": request.request_id,
            "organization": request.organization,
            "number": request.number,
        }

        def work(connection: Connection) -> Answer:
            connection.execute(query("lock_extension"), params)
            connection.execute(query("lock_host"), params)
            with connection.cursor(row_factory=dict_row) as cursor:
                row = cursor.execute(query("read_whereabouts"), params).fetchone()
            assert row is not None  # the statement starts from one row
            if row["recorded"]:
                raise AlreadyRecorded
            entry = replace(asked, phone=row["host"])
            if self._journal.is_expired(request, row["now"]):
                pass
            elif row["extension_id"] is None:
                entry = replace(entry, outcome=Outcome.UNKNOWN_EXTENSION)
            elif row["host_id"] is None:
                entry = replace(entry, outcome=Outcome.NOTHING_TO_RETURN)
            else:
                connection.execute(query("vacate_phone"), {"phone_id": row["host_id"]})
                entry = replace(entry, outcome=Outcome.RETURNED)
            self._journal.write(connection, request, entry)
            return answer(request, entry, row["now"])

        return self._journal.settle(request, work, expired=asked)

    def _return_from_phone(self, connection: Connection, request: Dial, scene: Scene, entry: Entry) -> Answer:
        """`*30`: the guest of this phone returns; else this phone's own extension comes home."""
        if not scene.provisioned:
            entry = replace(entry, outcome=Outcome.UNKNOWN_PHONE, extension=None)
        elif scene.guest_id is not None:
            connection.execute(query("vacate_phone"), {"phone_id": scene.phone_id})
            entry = replace(entry, outcome=Outcome.RETURNED, extension=scene.guest_number)
        elif scene.base_host_id is not None:
            entry = replace(entry, outcome=Outcome.RETURNED, extension=scene.base_number)
            return self._record(connection, request, scene, entry)
        else:
            entry = replace(entry, outcome=Outcome.NOTHING_TO_RETURN, extension=scene.base_number)
        self._journal.write(connection, request, entry)
        return answer(request, entry, scene.now)

    def _occupy(self, connection: Connection, request: Virtualize, scene: Scene, entry: Entry) -> Answer:
        """The extension leaves the phone it was on, a displaced guest goes home, the extension sits here."""
        if scene.host_id is not None:
            connection.execute(query("vacate_phone"), {"phone_id": scene.host_id})
        connection.execute(
            query("occupy_phone"), {"phone_id": scene.phone_id, "extension_id": scene.extension_id}
        )
        entry = replace(
            entry, outcome=Outcome.VIRTUALIZED, left_phone=scene.host, displaced=scene.guest_number
        )
        self._journal.write(connection, request, entry)
        return answer(request, entry, scene.now)

    def _record(
        self, connection: Connection, request: Dial | Virtualize, scene: Scene, entry: Entry
    ) -> Answer:
        """Record a refusal, or the homecoming of the phone's own extension, which needs no code."""
        if entry.outcome is Outcome.RETURNED:
            connection.execute(query("vacate_phone"), {"phone_id": scene.base_host_id})
            entry = replace(entry, phone=scene.base_host)
        self._journal.write(connection, request, entry)
        return answer(request, entry, scene.now)
