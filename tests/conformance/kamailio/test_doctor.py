"""What doctor says of a Kamailio, of each thing that may be wrong there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from roost.pbx.kamailio import KIND
from roost.pbx.kamailio.options import KamailioOptions
from roost.pbx.kinds import Examined
from tests.conformance.kamailio.web_server import WebServer, ok

#: A Kamailio as it should be: version, rows, max_while_loops, seconds that its clock is ahead, name, feature code.
WELL = ("5.6.3", 200, 1_000_000, 0, "k1", "*30")


class Kamailio(WebServer):
    """Says of itself what `says` holds."""

    def __init__(self) -> None:
        self.says = WELL
        super().__init__(self._answer)

    def _answer(self, request: bytes, _body: bytes) -> bytes:
        if b"/roost/cursor" in request:
            return ok(b"roost 1\nlife-1\n\n")
        version, rows, loops, ahead, name, feature = self.says
        return ok(f"{version}\n{rows}\n{loops}\n{int(time.time()) + ahead}\n{name}\n{feature}\n".encode())


@pytest.fixture
def kamailio() -> Iterator[Kamailio]:
    running = Kamailio()
    yield running
    running.close()


def found(kamailio: Kamailio, host: str = "127.0.0.1") -> list[str]:
    """What is found, each with what to do about it."""
    options = KamailioOptions()
    with closing(KIND.connect(kamailio.address, options, 5)) as node:
        examined = Examined("k1", replace(kamailio.address, host=host), options, node, "*30")
        return [f"{finding.says} {finding.mend}" for finding in KIND.examine(examined)]


def test_of_one_that_is_well_it_finds_nothing(kamailio: Kamailio) -> None:
    assert found(kamailio) == []
    kamailio.says = ("6.1.5", 400_000, 1_000_000, 5, "k1", "*30")
    assert found(kamailio) == []


@pytest.mark.parametrize(
    ("place", "wrong", "says", "mend"),
    [
        (0, "5.5.9", "Kamailio 5.5.9 is older", "5.6 or newer"),
        (1, 600_000, "max_while_loops is 1000000, and its table has 600000 rows", "max_while_loops=2400000"),
        (2, 100, "max_while_loops is 100, and its table has 200 rows", "max_while_loops=1000000"),
        (3, 60, "differs from ours by +60 s", "NTP"),
        (3, -60, "differs from ours by -60 s", "NTP"),
        (4, "k9", "It calls itself k9", '#!define ROOST_NODE "k1"'),
        (5, "*77", "feature code is *77, that of the centers *30", "ROOST_FEATURE_CODE"),
    ],
)
def test_it_names_what_is_wrong_and_how_to_mend_it(
    kamailio: Kamailio, place: int, wrong: object, says: str, mend: str
) -> None:
    kamailio.says = (*WELL[:place], wrong, *WELL[place + 1 :])  # type: ignore[assignment]  # one of them
    (finding,) = found(kamailio)
    assert says in finding
    assert mend in finding


def test_plain_text_over_the_internet_is_named(kamailio: Kamailio) -> None:
    (finding,) = found(kamailio, host="11.0.0.1")
    assert "is plain text" in finding
    assert "--tls" in finding
