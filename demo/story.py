"""The story: one working day, told with real requests."""

from __future__ import annotations

from demo import lamp_and_queue
from demo.cast import wrong_code
from demo.stage import Stage
from localcluster.plain_phone import PlainPhone


def play(stage: Stage, lamps: PlainPhone | None) -> None:
    """Everything, in order; everybody is at home before and after. Raises CallFailed when a call breaks down.

    `lamps`: a phone with lamp keys, where nodes have lamps and queues.
    """
    _opening(stage)
    _john_moves(stage)
    if lamps is not None:
        lamp_and_queue.show(stage, lamps)
    _john_moves_on(stage)
    _john_comes_home(stage)
    _chain(stage)
    _wrong_codes(stage)
    _race(stage)


def _opening(stage: Stage) -> None:
    stage.tell("Morning: everybody is at their own desk")
    stage.look()


def _john_moves(stage: Stage) -> None:
    cast = stage.cast
    john, ted, ann = cast.john, cast.ted, cast.ann
    stage.tell(
        "John works at Ted's today",
        "John picks up the extra phone in Ted's office, dials *30 and his own number, and keys his secret code. "
        "From now on that phone is his.",
    )
    stage.center(
        ted.phone, "*30001", john.code or "", outcome="virtualized", asked=1, seats={ted.phone: john.number}
    )
    stage.tell(
        "Ann at the front desk calls John", "She dials 001, as always. She need not know where John is."
    )
    stage.call(ann, john.number, rings=ted.phone)
    stage.screen.tell("And 002, whose phone John has now, rings nowhere:")
    stage.call(ann, ted.number, rings=None)
    stage.screen.tell("When John calls her from there, she sees his own number:")
    stage.call(john, ann.number, rings=ann.phone)


def _john_moves_on(stage: Stage) -> None:
    cast = stage.cast
    john, room = cast.john, cast.room
    stage.tell(
        "John moves on to the meeting room", "The same call from there; Ted's extra phone is free again."
    )
    stage.center(
        room.phone, "*30001", john.code or "", outcome="virtualized", asked=1, seats={room.phone: john.number}
    )
    stage.call(cast.ann, john.number, rings=room.phone)
    stage.call(cast.ann, cast.ted.number, rings=cast.ted.phone)


def _john_comes_home(stage: Stage) -> None:
    cast = stage.cast
    stage.tell("John goes home", "He dials *30 on the phone where he sits. No code is asked for.")
    stage.center(cast.room.phone, "*30", outcome="returned", seats={})
    stage.call(cast.ann, cast.john.number, rings=cast.john.phone)


def _chain(stage: Stage) -> None:
    cast = stage.cast
    john, ted, room = cast.john, cast.ted, cast.room
    stage.tell(
        "A chain: John at Ted's phone, and Ted in the meeting room", "First John sits down at Ted's phone."
    )
    stage.center(
        ted.phone, "*30001", john.code or "", outcome="virtualized", asked=1, seats={ted.phone: john.number}
    )
    stage.screen.tell("Then Ted takes his 002 to the meeting room.")
    stage.center(
        room.phone,
        "*30002",
        ted.code or "",
        outcome="virtualized",
        asked=1,
        seats={ted.phone: john.number, room.phone: ted.number},
    )
    stage.call(cast.ann, john.number, rings=ted.phone)
    stage.call(cast.ann, ted.number, rings=room.phone)
    stage.tell("*30 on Ted's phone: John, who sits there, goes home")
    stage.center(ted.phone, "*30", outcome="returned", seats={room.phone: ted.number})
    stage.tell("*30 on Ted's phone again: now Ted himself comes back to it")
    stage.center(ted.phone, "*30", outcome="returned", seats={})


def _wrong_codes(stage: Stage) -> None:
    john, room = stage.cast.john, stage.cast.room
    stage.tell(
        "Somebody guesses John's code",
        "Three wrong codes, and the call is dropped. Nobody moves. Nine in a row would lock the extension.",
    )
    wrong = [wrong_code(john.code or "") for _ in range(3)]
    stage.center(room.phone, "*30001", *wrong, outcome="dropped", asked=3, seats={})


def _race(stage: Stage) -> None:
    cast = stage.cast
    john, ann, room = cast.john, cast.ann, cast.room
    stage.tell(
        "John and Ann want the meeting room's phone at the same moment",
        "Two calls, through two nodes; both key their codes at once. A phone has one guest.",
    )
    winner = stage.race(room.phone, ((john, cast.homes[john.phone]), (ann, cast.homes[room.phone])))
    caller = ann if winner is john else john
    stage.call(caller, winner.number, rings=room.phone)
    stage.tell(f"Evening: {winner.name} goes home", "*30, and everybody is where they were in the morning.")
    stage.center(room.phone, "*30", outcome="returned", seats={})
