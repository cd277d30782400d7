"""Which faults a list of names stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos import __main__ as command
from chaos.faults import ASTERISK, FAULTS, FILES, FREEPBX, KAMAILIO, THREE_BROKERS, UnknownFault, chosen

assert command  # it fills the list of faults


def test_all_are_those_that_the_stage_has_what_they_need_for() -> None:
    alone, everything = chosen("all"), chosen("all", {ASTERISK, FREEPBX, KAMAILIO, THREE_BROKERS})
    assert {"bind-killed", "node-killed", "broker-killed"} <= set(alone)
    assert set(everything) - set(alone) >= {
        "asterisk-killed",
        "freepbx-devices-edited",
        "kamailio-killed",
        "net-push-k1-cut",
        "queue-leader-killed",
    }
    assert set(everything) <= set(FAULTS)


def test_a_beginning_stands_for_all_that_begin_so() -> None:
    assert chosen("bind,beat-killed") == ["bind-killed", "bind-frozen", "beat-killed"]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("asterisk", "asterisk needs Asterisk (--asterisk)"),
        ("freepbx", "freepbx needs FreePBX (--freepbx)"),
        ("kamailio-killed", "kamailio-killed needs Kamailio (--kamailio)"),
        ("queue-leader-killed", "queue-leader-killed needs three brokers (--rabbitmq 3)"),
        ("moon", "moon; there are: "),
    ],
)
def test_what_cannot_be_had_is_said(wanted: str, says: str) -> None:
    with pytest.raises(UnknownFault) as refused:
        chosen(wanted)
    assert str(refused.value).startswith(says)


def test_what_is_not_installed_is_said_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(FILES, "bind-killed", (Path("/nowhere"), "some-package"))
    assert command.main(["--faults", "bind"]) == 2
    assert capsys.readouterr().err == "chaos: some faults need more: apt-get install some-package\n"
