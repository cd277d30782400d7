"""At an Asterisk somebody is sent to the emergency number who is at a phone of a Kamailio: it is the place of that phone."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest

from localcluster.phones import PhoneFailed
from tests.cluster import wait_until
from tests.kamailio.mixed_office import MixedOffice


@pytest.mark.parametrize("by", ["caller", "callee"])
def test_the_place_is_that_of_who_was_transferred(office: MixedOffice, by: str) -> None:
    """003 sits at desk002, a phone of k2; desk004 is the Asterisk's."""
    office.sit("003", "desk002")
    sender, other = office.phones["desk004"], office.phones["desk002"]
    log = office.media_log()
    call = sender.dial("003") if by == "caller" else other.dial("004")
    ring = (other if by == "caller" else sender).wait_ring()
    ring.answer()
    call.wait_up()
    wait_until(lambda: office.telephony.asterisks["n1"].is_talking("desk004"), "the two are connected")
    with suppress(PhoneFailed):  # what answers here hangs up before the sender hears that it did
        (call if by == "caller" else ring).transfer(f"sip:112@{sender.registrar}")
    log.wait(', "emergency <')
    told = re.findall(r'NoOp\("[^"]*", "(emergency <.*)"\)', log.text)
    assert told == ["emergency <112> from <+15550002> name <Room desk002>"]
