"""The daily return is a time on the wall: in every zone that PostgreSQL knows, also in nights when the clock is changed.

The model is Python's `zoneinfo`, which reads the same files as the server and knows nothing of how the server reckons.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from tests.world import World

#: Changes of the clock in these years are looked at.
_BEGIN, _END = datetime(2010, 1, 1, tzinfo=UTC), datetime(2032, 1, 1, tzinfo=UTC)
_WEEK, _DAY, _MINUTE = timedelta(days=7), timedelta(days=1), timedelta(minutes=1)
#: Changes of a zone that are tried.
_CHANGES = 5
#: When somebody sits down, before and after a change; and the times of day that are tried, likewise.
_AROUND = [timedelta(minutes=minutes) for minutes in (-1500, -181, -61, -31, -1, 0, 1, 15, 30, 45, 61, 1439)]


def model(since: datetime, daily: time, zone: ZoneInfo) -> datetime:
    """The first moment after `since` that is called `daily`; a time that is left out comes after the jump."""
    moments = set[datetime]()
    for days in range(-2, 3):
        wall = datetime.combine(since.astimezone(zone).date() + days * _DAY, daily)
        readings = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        shown = [moment for moment in readings if moment.astimezone(zone).replace(tzinfo=None) == wall]
        moments.update(shown or readings[:1])
    return min(moment for moment in moments if moment > since)


def changes_of_the_clock(zone: ZoneInfo) -> Iterator[datetime]:
    """The first moment of each new offset, to the minute. Two changes are never within a week."""
    before, offset = _BEGIN, _BEGIN.astimezone(zone).utcoffset()
    while before < _END:
        after = before + _WEEK
        if after.astimezone(zone).utcoffset() != offset:
            low, high = before, after
            while high - low > _MINUTE:
                middle = low + (high - low) // (2 * _MINUTE) * _MINUTE
                low, high = (middle, high) if middle.astimezone(zone).utcoffset() == offset else (low, middle)
            offset = after.astimezone(zone).utcoffset()
            yield high
        before = after


class Case(NamedTuple):
    """Somebody sits down, and goes home."""

    since: datetime
    daily: time
    ends: datetime


def cases_of(zone: ZoneInfo, chance: random.Random) -> Iterator[Case]:
    """Around some changes of the clock, and around a moment like any other."""
    changes = list(changes_of_the_clock(zone))
    for change in (
        *chance.sample(changes, min(len(changes), _CHANGES)),
        _BEGIN + chance.random() * (_END - _BEGIN),
    ):
        for since in (change + around for around in _AROUND):
            daily = (change + chance.choice(_AROUND)).astimezone(zone).time()
            yield Case(since, daily, model(since, daily, zone))


def columns(cases: list[Case]) -> dict[str, list[object]]:
    """The cases as arrays."""
    return {name: [getattr(case, name) for case in cases] for name in Case._fields}


_ASK = """
SELECT first_limit_of_stay(c.since, NULL, c.daily, %(zone)s), c.since AT TIME ZONE %(zone)s, c.ends AT TIME ZONE %(zone)s
FROM unnest(%(since)s::timestamptz[], %(daily)s::time[], %(ends)s::timestamptz[])
     WITH ORDINALITY AS c (since, daily, ends, place)
ORDER BY c.place
"""


@pytest.mark.parametrize(
    ("since", "daily", "zone", "ends"),
    [
        ("2026-06-01 08:00+00", time(18), "UTC", "2026-06-01 18:00+00"),
        ("2026-06-01 18:00+00", time(18), "UTC", "2026-06-02 18:00+00"),
        ("2026-06-01 08:00+00", time(18), "Europe/Berlin", "2026-06-01 16:00+00"),
        ("2026-01-01 08:00+00", time(18), "Europe/Berlin", "2026-01-01 17:00+00"),
        ("2026-06-01 08:00+00", None, "UTC", None),
        # 02:30 comes twice: before both, between the two, after both.
        ("2026-10-24 20:00+00", time(2, 30), "Europe/Berlin", "2026-10-25 00:30+00"),
        ("2026-10-25 00:30+00", time(2, 30), "Europe/Berlin", "2026-10-25 01:30+00"),
        ("2026-10-25 00:45+00", time(2, 30), "Europe/Berlin", "2026-10-25 01:30+00"),
        ("2026-10-25 01:30+00", time(2, 30), "Europe/Berlin", "2026-10-26 01:30+00"),
        # 02:30 is left out.
        ("2026-03-29 00:30+00", time(2, 30), "Europe/Berlin", "2026-03-29 01:30+00"),
        ("2026-03-29 01:10+00", time(2, 30), "Europe/Berlin", "2026-03-29 01:30+00"),
        # The clock goes back half an hour, from 02:00 to 01:30.
        ("2026-04-04 14:50+00", time(1, 45), "Australia/Lord_Howe", "2026-04-04 15:15+00"),
        # It went back over midnight, so that yesterday's time was still to come; and a whole day was left out.
        ("2010-11-07 02:30+00", time(23, 30), "America/St_Johns", "2010-11-07 03:00+00"),
        ("2011-12-30 09:00+00", time(18), "Pacific/Apia", "2011-12-31 04:00+00"),
    ],
)
def test_nights_when_the_clock_is_changed(
    world: World, since: str, daily: time | None, zone: str, ends: str | None
) -> None:
    found = world.value("SELECT first_limit_of_stay(%s::timestamptz, NULL, %s::time, %s)", since, daily, zone)
    assert found == (ends and datetime.fromisoformat(ends))


@pytest.mark.timeout(240)
def test_in_every_zone_a_stay_ends_when_the_wall_next_shows_the_time(world: World) -> None:
    folder = Path(str(world.value("SELECT setting FROM pg_config WHERE name = 'SHAREDIR'")), "timezone")
    chance = random.Random(0)
    wrong, tried, doubtful = [], 0, 0
    clocks = set[bytes]()
    with world.database.connection() as connection:
        names = connection.execute("SELECT name FROM pg_timezone_names ORDER BY name").fetchall()
        for (name,) in names:
            clock = (folder / name).read_bytes()
            if clock in clocks:
                continue  # another name of the same file
            clocks.add(clock)
            zone = ZoneInfo.from_file(BytesIO(clock), key=name)
            cases = list(cases_of(zone, chance))
            found = connection.execute(_ASK, {"zone": name, **columns(cases)}).fetchall()
            for case, (ends, *walls) in zip(cases, found, strict=True):
                tried += 1
                # Of a few files PostgreSQL and Python make different clocks: America/Ojinaga, October 2022.
                if walls != [
                    moment.astimezone(zone).replace(tzinfo=None) for moment in (case.since, case.ends)
                ]:
                    doubtful += 1
                elif ends != case.ends:
                    wrong.append((name, case, ends))
    assert not wrong, wrong[:5]
    assert (len(names) > 500, len(clocks) > 300, tried > 12_000, doubtful < tried / 100) == (
        True,
        True,
        True,
        True,
    )
