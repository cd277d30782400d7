"""Messages that come often, late, broken, or from a worker of another version."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from kombu import Connection

from chaos.faults import Heal, Scene, fault, nothing
from chaos.load import Asked
from chaos.names import NUMBERS, POLICIES, PROBE, phone_name
from tasks.app import app
from tasks.broker import CONNECT_TIMEOUT, TRANSPORT_OPTIONS
from tasks.topology import ANNOUNCE, BIND, PUSH, VERIFY, push_queue_name

#: How often the same message is delivered.
TIMES = 5
_JSON = "application/json"

#: A message: its body, headers and properties.
Raw = tuple[str | bytes, dict[str, Any], dict[str, Any]]


def publish(broker_url: str, queue: str, messages: Iterable[Raw]) -> None:
    """Put raw messages into a queue."""
    with Connection(
        broker_url, connect_timeout=CONNECT_TIMEOUT, transport_options=TRANSPORT_OPTIONS
    ) as connection:
        producer = connection.Producer(auto_declare=False)
        for body, headers, properties in messages:
            options = {"content_type": _JSON, "content_encoding": "utf-8"} | properties
            producer.publish(body, exchange="", routing_key=queue, headers=headers, **options)


def task_message(task: str, *args: object) -> Raw:
    """A task as Celery sends it, with nobody to answer to."""
    message = app.amqp.as_task_v2(uuid.uuid4().hex, task, args=args)
    return json.dumps(message.body), message.headers, {}


def a_move(scene: Scene, made_at: datetime, **more: object) -> dict[str, object]:
    """A request to move anybody to any phone, which the run remembers; nobody waits for its answer."""
    organization = scene.dice.choice([code for code in POLICIES if code != PROBE])
    phone = phone_name(organization, scene.dice.choice(NUMBERS))
    request_id = f"raw-{secrets.token_hex(8)}"
    scene.load.remember(Asked(request_id, phone, is_call=False))
    return {
        "request_id": request_id, "origin": "api", "made_at": made_at.isoformat(), "organization": organization,
        "number": scene.dice.choice(NUMBERS), "phone": phone,
    } | more  # fmt: skip


@fault("messages-five-times")
def five_times(scene: Scene) -> Heal:
    """The same messages are delivered five times over, between others."""
    moves = [a_move(scene, datetime.now(UTC)) for _ in range(20)]
    many = moves * TIMES
    scene.dice.shuffle(many)
    publish(scene.stage.door_url, BIND, [task_message("roost.virtualize", move) for move in many])
    return lambda: publish(
        scene.stage.door_url, BIND, [task_message("roost.virtualize", move) for move in many]
    )


@fault("messages-days-late")
def days_late(scene: Scene) -> Heal:
    """Requests of three days ago arrive; what was done long ago is asked again."""
    old = [a_move(scene, datetime.now(UTC) - timedelta(days=3)) for _ in range(10)]
    done = [asked.again for asked in scene.load.asked if asked.again][:20]
    again = [task_message(task, request.model_dump(mode="json")) for task, request in done]
    publish(scene.stage.door_url, BIND, [task_message("roost.virtualize", move) for move in old] + again)
    return nothing


def unreadable() -> list[Raw]:
    """Messages that are no task, or no task of ours."""
    body, headers, _ = task_message("roost.virtualize", {})
    pieces = [["deep"] * 3] * 3
    return [
        (b"\x00\xff\xfe", headers, {"content_encoding": "binary"}),
        ("{not json", headers, {}),
        ("[]", headers, {}),
        ("null", headers, {}),
        ('[["x"], {}, {}]', headers, {}),
        ('[[{"request_id": 7}], {}, {}]', headers, {}),
        (json.dumps([pieces, {"no": "such"}, {}]), headers, {}),
        (b"x" * 1_000_000, headers, {}),
        (body, {}, {}),
        (body, {"task": "roost.dial"}, {}),
        (body, headers | {"task": "roost.nobody_knows"}, {}),
        (body, headers | {"timelimit": 7, "expires": "never", "eta": "soon"}, {}),
        (body, headers, {"content_type": "application/x-python-serialize"}),
        (str(body).encode(), headers, {"content_encoding": "no-such-encoding"}),
    ]


@fault("messages-unparsable")
def unparsable(scene: Scene) -> Heal:
    """What no worker can read arrives in every queue."""
    for queue in (BIND, VERIFY, ANNOUNCE, PUSH, push_queue_name("n1")):
        publish(scene.stage.door_url, queue, unreadable())
    return nothing


@fault("messages-other-version")
def other_version(scene: Scene) -> Heal:
    """Workers of another version ask: a field more, a field less, a field of another kind."""
    now = datetime.now(UTC)
    newer = a_move(scene, now, priority="high", seat={"floor": 3})
    older = a_move(scene, now)
    del older["organization"]
    strange = a_move(scene, now, phone=["desk"], number=None)
    nameless = {key: value for key, value in a_move(scene, now).items() if key != "request_id"}
    moves = [newer, older, strange, nameless]
    publish(scene.stage.door_url, BIND, [task_message("roost.virtualize", move) for move in moves])
    publish(
        scene.stage.door_url,
        BIND,
        [task_message("roost.virtualize", newer, "one argument too many"), task_message("roost.dial")],
    )
    return nothing
