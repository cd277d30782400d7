"""What `roost doctor` finds in the dialplan of a node."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from roost.pbx.kinds import Examined, kind_named

if TYPE_CHECKING:
    from tests.asterisk.conftest import Cluster


def says(
    cluster: Cluster, feature_code: str = "*30", name: str = "n1", phones: Sequence[str] = ()
) -> list[str]:
    """Of n1."""
    address = cluster.nodes["n1"].control
    kind = kind_named(address.kind)
    with closing(kind.open(address, 5)) as node:
        looked = Examined(name, address, kind.parse(address.options), node.inside, feature_code, phones)
        return [found.says for found in kind.examine(looked)]


@pytest.fixture
def center(cluster: Cluster) -> Cluster:
    """n1 names a center."""
    cluster.nodes["n1"].set_centers("127.0.0.1:4573")
    return cluster


def test_a_dialplan_that_is_right_is_not_spoken_of(center: Cluster) -> None:
    assert says(center) == []


def test_a_feature_code_that_differs_is_named(center: Cluster) -> None:
    assert says(center, "*31") == ["its feature code is *30, the centers' is *31: nobody can move there."]


def test_a_node_that_goes_by_another_name_is_named(center: Cluster) -> None:
    (found,) = says(center, name="pbx-1")
    assert found.startswith("its dialplan says that it is n1 (ROOST_NODE)")


def test_a_dialplan_without_a_center_is_named(center: Cluster) -> None:
    center.nodes["n1"].set_centers("")
    assert says(center) == ["its dialplan names no center (ROOST_CENTER): nobody can move."]


def test_a_trunk_that_is_known_by_its_name_is_named(center: Cluster) -> None:
    """`roost-nobody` is an endpoint without a password; the phone q1 has one."""
    center.nodes["n1"].set_global("ROOST_NODES", "n2&q1&roost-nobody&n9")
    try:
        (found,) = says(center)
    finally:
        center.nodes["n1"].set_global("ROOST_NODES", "n2")
    assert found.startswith("who says there that their name is roost-nobody is taken for that node")


def test_a_phone_that_is_called_wherever_it_says_is_named(center: Cluster) -> None:
    """`roost-nobody` has no `rewrite_contact`; q9 is no endpoint there."""
    (found,) = says(center, phones=("q1", "roost-nobody", "q9"))
    assert found.startswith("roost-nobody may register any address")
