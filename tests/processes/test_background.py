"""What a thread looks at again and again, for everybody who wants to know."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from tasks.background import Background


def test_a_look_that_fails_as_nobody_expects_is_not_the_last_one() -> None:
    def looks() -> Iterator[str]:
        yield "at first"
        raise ValueError("what RabbitMQ answered is no answer")

    found = iter(looks())
    with closing(Background(lambda: next(found, "afterwards"), "looks")) as background:
        seen = set()
        while "afterwards" not in seen:
            now = background.seen(patience=20)
            assert now is not None, "it looks no more"
            seen.add(now)
