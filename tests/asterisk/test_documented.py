"""The samples of docs/asterisk.md are what these tests run: the nodes have all that they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.asterisk.documented import sample, sections

if TYPE_CHECKING:
    from tests.asterisk.conftest import Cluster

#: Settings whose values are of the place: secrets, addresses, times, and names of phones.
OF_THE_PLACE = {"secret", "permit", "bindaddr", "qualify_frequency", "callerid", "allow"}


@pytest.mark.parametrize(
    ("file", "of", "named"),
    [
        ("manager.conf", "writetimeout=5000", {"roost": "roost", "general": "general"}),
        ("pjsip.conf", "rpid_immediate=yes", {"desk-4": "p1"}),
        ("pjsip.conf", "pickup_group=1", {"desk-4": "p1"}),
        ("pjsip.conf", "type=identify", {"n2": "n2"}),
        ("pjsip.conf", "type=outbound-publish", {"n2": "n2", "n2-states": "n2-states"}),
        ("pjsip.conf", "default_outbound_endpoint", {"global": "global", "roost-nobody": "roost-nobody"}),
    ],
)
def test_the_nodes_are_set_up_as_the_page_says(
    cluster: Cluster, file: str, of: str, named: dict[str, str]
) -> None:
    node, other = cluster.nodes["n1"], cluster.nodes["n2"]
    text = (node.folder / "etc" / file).read_text().replace(other.address, "192.0.2.12")
    there = list(sections(text))
    for name, settings in sections(sample(of)):
        alike = [
            found
            for place, found in there
            if place == named[name] and found.get("type") == settings.get("type")
        ]
        # Phones of the tests have the features of the sample besides: `phones` includes roost-phones.
        of_the_place = OF_THE_PLACE | ({"context"} if name == "desk-4" else set())
        wanted = {key: value for key, value in settings.items() if key not in of_the_place}
        assert len(alike) == 1, name
        assert wanted.items() <= alike[0].items()
        assert settings.keys() <= alike[0].keys()


def test_mailboxes_are_in_a_context_an_organization(cluster: Cluster) -> None:
    page = dict(sections(sample("Ada Lovelace")))
    there = dict(sections((cluster.nodes["n1"].folder / "etc/voicemail.conf").read_text()))
    assert page.keys() <= there.keys()
