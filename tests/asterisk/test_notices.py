"""What phones are told when somebody sits down or leaves: the message lamp, and to refresh the display."""

from __future__ import annotations

import re
import shutil
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from roost.pbx.kinds import connect, kind_named
from roost.pbx.node import ActsAs
from tests.asterisk.conftest import LAYOUT
from tests.cluster import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from localcluster.plain_phone import PlainPhone
    from tests.asterisk.conftest import Cluster


@pytest.mark.parametrize("phone", ["q1", "q2"], ids=["its node", "other node"])
def test_the_message_lamp_is_that_of_whoever_sits_there(cluster: Cluster, phone: str) -> None:
    """n1 keeps the messages. The phone that is left is told too."""
    spool = cluster.nodes["n1"].folder / "spool/voicemail/0001/021"
    shutil.rmtree(spool, ignore_errors=True)
    for folder, messages in (("INBOX", 2), ("Old", 1)):
        (spool / folder).mkdir(parents=True)
        for message in range(messages):
            (spool / folder / f"msg{message:04}.txt").write_text("[message]\n")
    with cluster.plain_phone(phone) as desk:
        cluster.speaks(phone, "021", "Person 21")
        cluster.light(phone)
        lit = desk.wait_told("message-summary")
        cluster.speaks(phone, f"01{phone[1]}", "Its own")
        cluster.light(phone)
        off = desk.wait_told("message-summary")
    shutil.rmtree(spool)
    assert lit.body.splitlines()[:2] == ["Messages-Waiting: yes", "Voice-Message: 2/1 (0/0)"]
    assert off.body.splitlines()[:2] == ["Messages-Waiting: no", "Voice-Message: 0/0 (0/0)"]


def test_phones_that_register_are_heard(cluster: Cluster) -> None:
    """Those that are there, then each that comes, also one that was switched off and on at the same address."""
    control = cluster.nodes["n1"].control
    kind = kind_named(control.kind)
    assert kind.registrations is not None
    with closing(kind.registrations(control, kind.parse(control.options), 10.0)) as registrations:

        def others() -> list[str]:
            """Who came in the next moment, but for those who renew their registration by themselves."""
            return [phone for phone in registrations.wait(1) if phone not in LAYOUT["n1"]]

        assert {"p1", "p2", "carrier"} <= set(registrations.wait(10))
        with cluster.plain_phone("q1") as phone:
            wait_until(lambda: others() == ["q1"], "it is heard")
            phone.register()
            wait_until(lambda: others() == ["q1"], "it is heard again")


@pytest.mark.parametrize(("owner", "caller"), [("q1", "p2"), ("q2", "p3")], ids=["its node", "other node"])
def test_the_lamp_follows_a_message_that_comes_and_one_that_is_heard(
    cluster: Cluster, owner: str, caller: str
) -> None:
    """n1 keeps the messages; whoever is called sits at a phone of its own node, or of another."""
    shutil.rmtree(cluster.nodes["n1"].folder / "spool/voicemail/0001/021", ignore_errors=True)
    with cluster.plain_phone(owner) as phone:
        cluster.speaks(owner, "021", "Person 21")
        cluster.place("021", f"n{owner[1]}/{owner}")
        log = cluster.logs("n1")
        call = cluster.phones[caller].dial("021")
        phone.wait_ring().reject()
        cluster.leave_message(call, log)
        lit = _wait_waiting(phone, lambda new: new > 0)
        cluster.speaks("p4", "021", "Person 21")
        log = cluster.logs("n1")
        heard = cluster.phones["p4"].dial("*97")
        log.wait("Playing 'vm-password")
        heard.send_dtmf("1111#1")
        log.wait("INBOX/msg0000")
        heard.hang_up()
        _wait_waiting(phone, lambda new: new == lit - 1)


def _wait_waiting(phone: PlainPhone, fits: Callable[[int], bool]) -> int:
    """Until the phone was told of so many new messages."""

    def found() -> int | None:
        said = [re.search(r"Voice-Message: (\d+)/", message.body) for message in phone.told]
        return next((new for match in said if match and fits(new := int(match[1]))), None)

    phone.wait(lambda: found() is not None, 10, "the messages that wait")
    new = found()
    assert new is not None
    return new


def test_a_phone_refreshes_its_display_unless_it_is_in_a_call(cluster: Cluster) -> None:
    """Only where the operator wants it."""
    control = cluster.nodes["n1"].control
    with (
        cluster.plain_phone("q1") as phone,
        closing(
            connect(replace(control, options={**control.options, "refresh_displays": True}), 10.0)
        ) as pbx,
    ):
        row = pbx.read([("p", "q1")])["p", "q1"]
        assert isinstance(row, ActsAs)
        call = phone.dial("001")
        cluster.phones["p1"].wait_ring().answer()
        call.wait_up()
        pbx.apply([row], None)
        call.hang_up()
        cluster.quiet()
        assert not any(m["Event"].startswith("check-sync") for m in phone.told)
        pbx.apply([row], None)
        assert phone.wait_told("check-sync")["Event"] == "check-sync;reboot=false"
        pbx.apply([row._replace(phone="nobody")], None)
