"""What each kind of process may do at RabbitMQ: its user's permissions, as regular expressions (rabbitmq.com, "Access Control").

RabbitMQ asks for *configure* where something is declared, *write* where it is published to or a queue is bound, *read* where it is
consumed or an exchange is bound. The default exchange is called `amq.default` there.
"""

from __future__ import annotations

from typing import NamedTuple

from roost.moves.doors import Door


class Permissions(NamedTuple):
    """Of one user in one virtual host."""

    configure: str
    write: str
    read: str


#: The user of a process, by what it is.
USERS = {
    "center": "roost-center",
    "web": "roost-desk",
    "cli": "roost-desk",
    "bind": "roost-worker",
    "verify": "roost-worker",
    "push": "roost-worker",
    "beat": "roost-worker",
}

# The exchanges `celery.pidbox` and `reply.celery.pidbox` are nobody's but the workers' to make: with one of another type in its place no
# worker could start.
_CENTER_PRESENCE = r"(center-.*\.)?celery\.pidbox"
_DESK_PRESENCE = r"(web-.*\.|([0-9a-f-]+\.)?reply\.)?celery\.pidbox"
_ANY_PRESENCE = r"(.*\.)?celery\.pidbox"
_QUEUES = r"bind|verify|announce|dead|push(\..*)?"
#: Celery declares one by the app's name too, and binds the queues to it; nobody uses it.
_EXCHANGES = r"roost(\.(calls|desk))?"


def _only(*names: str) -> str:
    return f"^({'|'.join(names)})$"


PERMISSIONS = {
    # Asks what a call can ask, hears its own answers, and says that it is there.
    "roost-center": Permissions(
        configure=_only(rf"reply\.{Door.CALLS}\..*", r"center-.*\.celery\.pidbox"),
        write=_only(r"roost\.calls", r"(center-.*\.|reply\.)celery\.pidbox"),
        read=_only(rf"reply\.{Door.CALLS}\..*", _CENTER_PRESENCE),
    ),
    # Asks what people may ask, and who is there.
    "roost-desk": Permissions(
        configure=_only(rf"reply\.{Door.DESK}\..*", r"(web-.*|[0-9a-f-]+\.reply)\.celery\.pidbox"),
        write=_only(r"roost\.desk", _DESK_PRESENCE),
        read=_only(rf"reply\.{Door.DESK}\..*", _DESK_PRESENCE),
    ),
    # Makes and serves every queue, and answers whoever asked.
    "roost-worker": Permissions(
        configure=_only(_QUEUES, _EXCHANGES, _ANY_PRESENCE),
        write=_only(r"amq\.default", _QUEUES, _EXCHANGES, _ANY_PRESENCE),
        read=_only(_QUEUES, _EXCHANGES, _ANY_PRESENCE),
    ),
}
