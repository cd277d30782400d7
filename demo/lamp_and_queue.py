"""What else follows whoever moves, on real Asterisk nodes: the lamp beside a name, and the calls of a queue."""

from __future__ import annotations

from collections.abc import Callable

from demo.stage import Stage
from localcluster.phones import PhoneFailed
from localcluster.plain_call import DEADLINE
from localcluster.plain_phone import PlainPhone

#: What a colleague dials to reach the queue.
QUEUE = "600"
QUEUE_NODE = "n1"
#: A phone that has only lamp keys: it is nobody's, and nobody sits there.
LAMPS = "lamp-keys"
SITE = f"""
[roost-outgoing]
exten => {QUEUE},1,Goto(roost-queues,support,1)
"""
QUEUES = """
[general]
[support]
strategy=ringall
ringinuse=no
timeout=15
joinempty=yes
member => Local/0001*001@roost-agent,0,John,hint:001@roost-lamps-0001
"""


def show(stage: Stage, phone: PlainPhone) -> None:
    """John sits at Ted's extra phone: somebody calls the queue. Raises CallFailed."""
    cast = stage.cast
    stage.tell(
        "The lamp and the queue follow John",
        "A lamp key for 001 at the front desk shows John's phone, wherever that is. He is an agent of the queue "
        f"`support`, which colleagues reach at {QUEUE}.",
    )
    with phone:
        lamp = phone.watch(cast.john.number)
        stage.see(lamp.lamp == "terminated", "the lamp of 001 is off: John is free")
        stage.call(cast.ann, QUEUE, rings=cast.ted.phone)
        _see(
            stage,
            lambda: phone.wait(lambda: _was_lit(lamp.lamps), DEADLINE, f"the lamp of {cast.john.number} on"),
            "the lamp of 001 was on while that phone rang",
        )
        _see(stage, lambda: lamp.wait_lamp("terminated"), "and is off after the call")


def _see(stage: Stage, wait: Callable[[], None], what: str) -> None:
    """A lamp may be told a moment after the call."""
    try:
        wait()
    except PhoneFailed as error:
        stage.see(False, str(error))  # noqa: FBT003 - reads as a sentence
    else:
        stage.see(True, what)  # noqa: FBT003 - as above


def _was_lit(states: list[str]) -> bool:
    return any(state in {"early", "confirmed"} for state in states)
