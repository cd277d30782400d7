"""Whether a process can do its work now: exit 0, or 1 with the reason on standard error. For health checks.

The running process itself is asked: a center must hold a conversation, a page must say that it is ready, a worker
must answer over RabbitMQ that it consumes its queue, a beat that its schedule goes on. What the process needs must be reachable from here too.
No process is to be killed for being unwell: each connects again by itself.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kombu import Connection

from roost.errors import RoostError
from roost.pbx import agi, agi_client
from roost.schema import check_schema
from roost.settings import Settings, settings
from tasks.app import app
from tasks.broker import BROKER_LOST, connect, why_broker_lost
from tasks.presence import only_look
from tasks.queues import Queues
from tasks.topology import ANNOUNCE, BIND, VERIFY

#: Seconds that each step of a check may take.
DEADLINE = 4.0
#: Bytes of what a page says of itself.
_LONGEST_ANSWER = 10_000
#: What each kind of worker must consume, besides its nodes' queues.
QUEUES = {"bind": BIND, "verify": VERIFY, "push": ANNOUNCE}

_CALL = {"agi_network": "yes", "agi_network_script": "center", "agi_uniqueid": "health"}
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask a server that listens everywhere


class NotWell(RoostError):
    """It cannot do its work now."""

    code = "not_well"


def check_center(config: Settings) -> None:
    """Call it as a PBX does, with what no feature code begins; it must lead the call to its end. Raises NotWell."""
    host = _ANY.get(config.center_host, config.center_host)
    place = f"The center at {host}:{config.center_port}"
    codec, ended = agi_client.Client(), False
    try:
        with socket.create_connection((host, config.center_port), timeout=DEADLINE) as connection:
            called = [agi.HEALTH_CHECK, "health", f"{config.feature_code}health"]  # begins no request
            connection.sendall(agi_client.environment(_CALL, called))
            while data := connection.recv(4096):
                for command in codec.feed(data):
                    ended = ended or command.words[:3] == ("SET", "VARIABLE", "ROOST_OUTCOME")
                    connection.sendall(agi_client.reply("0"))
    except (OSError, agi.ProtocolError) as error:
        raise NotWell(f"{place}: {type(error).__name__}.") from None
    if not ended:
        raise NotWell(f"{place} dropped the call; is this machine in ROOST_CENTER_ALLOW?")
    with _broker(config):
        pass


def check_web(config: Settings) -> None:
    """The page must say that it reaches PostgreSQL and RabbitMQ. Raises NotWell."""
    host = _ANY.get(config.web_host, config.web_host)
    place = f"The page at {host}:{config.web_port}"
    connection = http.client.HTTPConnection(host, config.web_port, timeout=DEADLINE)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        said = answer.read(_LONGEST_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        raise NotWell(f"{place}: {type(error).__name__}.") from None
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise NotWell(f"{place} answers {answer.status}. {_what_is_away(said)}")


def _what_is_away(said: bytes) -> str:
    """What `/readyz` says of the parts that are away."""
    try:
        parts = [part for part in json.loads(said).values() if isinstance(part, dict)]
        return " ".join(part["says"] for part in parts if not part["ok"])
    except (AttributeError, LookupError, TypeError, ValueError):
        return "It is no page of Roost: see what has this port."


def check_worker(config: Settings, kind: str) -> None:
    """A worker of this kind on this machine must say that it consumes its queue. Raises NotWell, BrokerUnavailable, and what check_schema does."""
    check_schema(config.need("database_url"))
    with _broker(config) as connection:
        queues = _inspect(connection, kind).active_queues()
    if not queues:
        _check_that_rabbitmq_takes_messages(config)
        raise NotWell(f"No {kind} worker of this machine answers over RabbitMQ.")
    if QUEUES[kind] not in {queue["name"] for consumed in queues.values() for queue in consumed}:
        raise NotWell(f"The {kind} worker does not consume the queue `{QUEUES[kind]}`.")


def check_beat(config: Settings) -> None:
    """A beat on this machine must answer; one whose schedule stands still does not. Raises NotWell, BrokerUnavailable."""
    with _broker(config) as connection:
        answers = _inspect(connection, "beat").ping()
    if not answers:
        _check_that_rabbitmq_takes_messages(config)
        raise NotWell("No beat of this machine answers over RabbitMQ, or its schedule stands still.")


def _check_that_rabbitmq_takes_messages(config: Settings) -> None:
    """Raises BrokerUnavailable: with an alarm of memory or disk nobody can answer."""
    queues = Queues(config)
    try:
        queues.look()
    finally:
        queues.close()


def _inspect(connection: Connection, kind: str) -> Any:
    # Every process names itself <kind>-<process id>@<host>; the first that answers will do.
    pattern = f"{kind}-*@{socket.gethostname()}"
    only_look(app.control.mailbox, connection)
    return app.control.inspect(
        connection=connection, timeout=DEADLINE, limit=1, pattern=pattern, matcher="glob"
    )


@contextmanager
def _broker(config: Settings) -> Iterator[Connection]:
    """A connection to RabbitMQ. Raises NotWell, also where it is lost in between."""
    try:
        with connect(config.need("broker_url")) as connection:
            yield connection
    except BROKER_LOST as error:
        raise NotWell(f"RabbitMQ: {why_broker_lost(error)}") from None


def main() -> int:
    """Check one process; the exit code."""
    gc.freeze()  # what was imported stays; to look through it at the end takes a fifth of the check
    parser = argparse.ArgumentParser(description="Whether a process of this machine can do its work now.")
    parser.add_argument("kind", choices=("center", *QUEUES, "beat", "web"))
    kind = parser.parse_args().kind
    try:
        if kind == "center":
            check_center(settings())
        elif kind == "beat":
            check_beat(settings())
        elif kind == "web":
            check_web(settings())
        else:
            check_worker(settings(), kind)
    except RoostError as error:
        print(f"{kind}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
