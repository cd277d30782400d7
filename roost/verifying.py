"""Secret codes: checked against the tries of the call, set, and cleared.

Hashing is done outside every transaction: it takes tens of milliseconds of a core, and no row waits for it.
"""

from __future__ import annotations

from dataclasses import replace

from psycopg.rows import dict_row

from roost.codes import code_matches, hash_code
from roost.database import Connection, Database, query
from roost.journal import AlreadyRecorded, Entry, Journal, answer
from roost.outcomes import Outcome
from roost.requests import Answer, SetCode, Try
from roost.scene import Scene, check_move, read_scene
from roost.seal import unseal
from roost.settings import Settings

#: A code that is replaced while it is compared is compared again, so often.
_COMPARE_TRIES = 3


class _LookAgain(Exception):
    """What was compared outside the transaction is not what counts inside it."""


class Verifying:
    """The operations that see secret codes. Needs the private key and the pepper."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._journal = Journal(database, settings)
        self._private_key = settings.need("seal_private_key")
        self._pepper = settings.need("code_pepper")

    def verify(self, request: Try) -> Answer:
        """One try. CODE_RIGHT is not recorded here: it leaves a proof, and `virtualize` records the request.

        Raises roost.seal.SealBroken when the code was sealed to another key or for another request.
        """
        digits = unseal(self._private_key, request.request_id, request.sealed_code)
        for _ in range(_COMPARE_TRIES - 1):
            try:
                return self._verify(request, digits)
            except _LookAgain:
                continue
        return self._verify(request, digits)

    def _verify(self, request: Try, digits: str) -> Answer:
        asked = Entry("virtualize", Outcome.EXPIRED, None, request.number, request.phone)
        # In a transaction for its retry alone: after PostgreSQL was restarted, old connections fail once each.
        seen = self._database.transaction(
            lambda connection: read_scene(connection, request, self._settings, lock=False)
        )
        comparable = not seen.recorded and check_move(seen) is None
        right = comparable and code_matches(self._pepper, seen.code_hash or "", digits)

        def work(connection: Connection) -> Answer:
            if seen.extension_id is None:
                scene = read_scene(connection, request, self._settings, lock=False)
            else:
                scene = self._lock_try(connection, request, seen.extension_id)
            if scene.recorded:
                raise AlreadyRecorded
            entry = replace(asked, organization=scene.organization)
            outcome = check_move(scene)
            if outcome is None and (not comparable or scene.code_hash != seen.code_hash):
                raise _LookAgain
            if self._journal.is_expired(request, scene.now):
                outcome = Outcome.EXPIRED
            elif outcome is None and scene.tries >= self._settings.tries_per_call:
                outcome = Outcome.DROPPED
            elif outcome is None and right:
                return self._prove(connection, request, scene, entry)
            elif outcome is None:
                outcome = self._count_wrong(connection, request, scene)
            elif outcome is Outcome.RETURNED:
                # The phone's own extension needs no code: `virtualize` brings it home.
                return answer(request, replace(entry, outcome=Outcome.CODE_RIGHT), scene.now)
            self._journal.write(connection, request, replace(entry, outcome=outcome))
            return answer(request, replace(entry, outcome=outcome), scene.now)

        return self._journal.settle(request, work, expired=asked)

    def _lock_try(self, connection: Connection, request: Try, extension_id: int) -> Scene:
        """Take the extension's row and the call's: tries of one call, and of one extension, come one by one."""
        connection.execute(query("lock_extension_by_id"), {"extension_id": extension_id})
        connection.execute(query("open_call"), {"call": request.call})
        return read_scene(connection, request, self._settings, lock=False)

    def _prove(self, connection: Connection, request: Try, scene: Scene, entry: Entry) -> Answer:
        params = {"request_id": request.request_id, "call": request.call, "extension_id": scene.extension_id}
        connection.execute(query("leave_proof"), params)
        connection.execute(query("forgive_wrong_codes"), params)
        return answer(request, replace(entry, outcome=Outcome.CODE_RIGHT), scene.now)

    def _count_wrong(self, connection: Connection, request: Try, scene: Scene) -> Outcome:
        params = {"call": request.call, "extension_id": scene.extension_id}
        connection.execute(query("count_try"), params)
        connection.execute(query("count_wrong_code"), params)
        last = scene.tries + 1 >= self._settings.tries_per_call
        return Outcome.DROPPED if last else Outcome.WRONG_CODE

    def set_code(self, request: SetCode) -> Answer:
        """Set, replace or clear a code. Raises roost.codes.BadCode, roost.seal.SealBroken."""
        code_hash = None
        if request.sealed_code is not None:
            digits = unseal(self._private_key, request.request_id, request.sealed_code)
            code_hash = hash_code(self._pepper, digits)
        operation = "set_code" if code_hash else "clear_code"
        asked = Entry(operation, Outcome.EXPIRED, request.organization, request.number)
        params = {
            "request_id": request.request_id,
            "organization": request.organization,
            "number": request.number,
        }

        def work(connection: Connection) -> Answer:
            connection.execute(query("lock_extension"), params)
            with connection.cursor(row_factory=dict_row) as cursor:
                row = cursor.execute(query("read_whereabouts"), params).fetchone()
            assert row is not None  # the statement starts from one row
            if row["recorded"]:
                raise AlreadyRecorded
            entry = asked
            if self._journal.is_expired(request, row["now"]):
                pass
            elif row["extension_id"] is None:
                entry = replace(asked, outcome=Outcome.UNKNOWN_EXTENSION)
            else:
                connection.execute(
                    query("set_code"), {"extension_id": row["extension_id"], "code_hash": code_hash}
                )
                entry = replace(asked, outcome=Outcome.CODE_SET if code_hash else Outcome.CODE_CLEARED)
            self._journal.write(connection, request, entry)
            return answer(request, entry, row["now"])

        return self._journal.settle(request, work, expired=asked)
