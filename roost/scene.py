"""What a request to virtualize looks at, and the checks in the order of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from roost.database import Connection, query
from roost.outcomes import Outcome
from roost.requests import Dial, Try, Virtualize
from roost.settings import Settings


@dataclass(frozen=True, slots=True)
class Scene:
    """The phone, its base extension and guest, the extension asked for, and where it is. None: there is none."""

    now: datetime
    recorded: bool
    phone_id: int | None
    organization: str | None
    policy: str | None
    provisioned: bool | None
    base_id: int | None
    base_number: str | None
    base_allows: bool | None
    guest_id: int | None
    guest_number: str | None
    extension_id: int | None
    number: str | None
    code_hash: str | None
    locked: bool
    host_id: int | None
    host: str | None
    base_host_id: int | None
    base_host: str | None
    tries: int
    proved: bool | None
    proof_fresh: bool | None


def read_scene(
    connection: Connection, request: Dial | Try | Virtualize, settings: Settings, *, lock: bool
) -> Scene:
    """Read the scene; with `lock`, after taking the rows that decide it, extensions first, then phones."""
    params = {
        "request_id": request.request_id,
        "phone": request.phone,
        "number": request.number,
        "call": request.call,
        "proof_lifetime": settings.proof_lifetime,
    }
    if lock:
        connection.execute(query("lock_extensions"), params)
        connection.execute(query("lock_phones"), params)
    with connection.cursor(row_factory=class_row(Scene)) as cursor:
        scene = cursor.execute(query("read_scene"), params).fetchone()
    assert scene is not None  # the statement starts from one row
    return scene


def check_move(scene: Scene, organization: str | None = None) -> Outcome | None:
    """Checks 1 to 8: the outcome that ends the request here, or None when only the code is left to check.

    `organization` is the one an administrator named; a call takes its phone's.
    """
    if not scene.provisioned:
        return Outcome.UNKNOWN_PHONE
    if scene.extension_id is None or (organization is not None and organization != scene.organization):
        return Outcome.UNKNOWN_EXTENSION
    if scene.extension_id == scene.base_id:
        return Outcome.RETURNED if scene.host_id is not None else Outcome.ALREADY_HERE
    if scene.extension_id == scene.guest_id:
        return Outcome.ALREADY_HERE
    if not scene.base_allows:
        return Outcome.NOT_ALLOWED
    if scene.guest_id is not None and scene.policy != "displace":
        return Outcome.OCCUPIED
    if scene.code_hash is None:
        return Outcome.NO_CODE
    if scene.locked:
        return Outcome.LOCKED
    return None
