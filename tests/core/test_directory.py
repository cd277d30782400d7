"""The directory: what can be added, changed and removed, and what each mistake is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta

import pytest

from roost.directory import Directory
from roost.directory.changes import By
from roost.errors import RoostError
from roost.pbx.kinds import default_kind
from roost.seal import NODE_SECRET, unseal
from roost.views.whereabouts import where_is_phone
from tests.world import World

BY = By("cli", "ann")


@pytest.fixture
def directory(world: World) -> Directory:
    directory = Directory(world.database, world.settings.need("seal_public_key"))
    directory.add_organization("0001", name="Acme")
    directory.add_node("n1", default_kind(), "127.0.0.1", secret="s3cret")
    return directory


def test_a_desk_is_added_and_shown(directory: Directory) -> None:
    directory.add_extension("0001*001", name="John", allows_virtualization=True)
    directory.add_phone("desk001", organization="0001", node="n1", base="0001*001", emergency_number="112")
    john, desk = directory.extension("0001*001"), directory.phone("desk001")
    assert (john.key, john.name, john.phone, john.host, john.has_code) == (
        "0001*001",
        "John",
        "desk001",
        None,
        False,
    )
    assert (desk.base, desk.guest, desk.node, desk.emergency_number) == ("0001*001", None, "n1", "112")
    assert (directory.organization("0001").extensions, directory.organization("0001").phones) == (1, 1)
    assert directory.node("n1").phones == 1


def test_what_is_given_changes_and_the_rest_stays(directory: Directory) -> None:
    directory.change_organization(
        "0001", max_stay=timedelta(hours=8), daily_return=time(18, 30), lock_after=5
    )
    directory.change_organization("0001", policy="displace", timezone="Europe/Bucharest")
    directory.change_organization("0001", max_stay=None)
    acme = directory.organization("0001")
    assert (acme.name, acme.policy, acme.timezone, acme.lock_after) == (
        "Acme",
        "displace",
        "Europe/Bucharest",
        5,
    )
    assert (acme.max_stay, acme.daily_return) == (None, time(18, 30))


def test_the_secret_of_a_node_is_stored_sealed(directory: Directory, world: World) -> None:
    directory.change_node("n1", host="10.0.0.5", secret="an0ther")
    sealed = world.value("SELECT secret FROM pbx_node")
    assert isinstance(sealed, bytes)
    assert unseal(world.settings.need("seal_private_key"), NODE_SECRET, sealed.decode()) == "an0ther"
    assert directory.node("n1").host == "10.0.0.5"


def test_setting_the_policy_alone_marks_no_route(directory: Directory, world: World) -> None:
    directory.add_extension("0001*001")
    world.sql("DELETE FROM route_dirty")
    directory.change_organization("0001", policy="displace")
    assert world.value("SELECT count(*) FROM route_dirty") == 0
    directory.change_organization("0001", enabled=False)
    assert world.value("SELECT count(*) FROM route_dirty") == 1


def test_a_guest_goes_home_when_the_host_stops_allowing(directory: Directory, world: World) -> None:
    world.desk("001", allows=True)
    world.desk("002")
    world.sit("002", "desk001")
    directory.change_extension("0001*001", allows_virtualization=False)
    assert world.guests() == {}
    assert world.journal()[-1][-1] == "host_disallowed"


def test_lists_go_on_after_a_key_and_search(directory: Directory) -> None:
    for number, name in (("001", "Ann"), ("002", "Hannah"), ("010", "Bob")):
        directory.add_extension(f"0001*{number}", name=name)
    assert [row.number for row in directory.extensions(limit=2)] == ["001", "002"]
    assert [row.number for row in directory.extensions(after="0001*002")] == ["010"]
    assert [row.number for row in directory.extensions(search="ann")] == ["001", "002"]
    assert [row.number for row in directory.extensions(search="00")] == ["001", "002"]
    assert directory.extensions(organization="0002") == []


def test_an_organization_with_belongings_is_removed_only_on_purpose(directory: Directory) -> None:
    directory.add_extension("0001*001")
    with pytest.raises(RoostError, match="extensions 1, phones 0"):
        directory.remove_organization("0001")
    directory.remove_organization("0001", with_everything=True)
    assert directory.organizations() == []


def test_removing_an_extension_leaves_its_phone_without_a_base(directory: Directory) -> None:
    directory.add_extension("0001*001")
    directory.add_phone("desk001", organization="0001", node="n1", base="0001*001")
    directory.remove_extension("0001*001")
    assert directory.phone("desk001").base is None


def test_unlocking_forgets_the_wrong_codes(directory: Directory, world: World) -> None:
    directory.add_extension("0001*001")
    world.sql("UPDATE extension SET failed_codes = 3, locked_until = now() + interval '5 minutes'")
    assert directory.extension("0001*001").locked_until is not None
    directory.unlock_extension("0001*001", BY)
    extension = directory.extension("0001*001")
    assert (extension.locked_until, extension.failed_codes) == (None, 0)

    directory.add_phone("desk001", organization="0001", node="n1")
    world.sql("UPDATE phone SET failed_codes = 3, locks = 2, locked_until = now() + interval '5 minutes'")
    assert where_is_phone(world.database, "desk001").locked_until == directory.phone("desk001").locked_until
    directory.unlock_phone("desk001", BY)
    phone = directory.phone("desk001")
    assert (phone.locked_until, phone.failed_codes) == (None, 0)
    rows = "SELECT operation, origin, actor, extension, phone, outcome FROM journal ORDER BY at"
    assert world.rows(rows) == [
        ("unlock", "cli", "ann", "001", None, "unlocked"), ("unlock", "cli", "ann", None, "desk001", "unlocked"),
    ]  # fmt: skip


MISTAKES: list[tuple[str, Callable[[Directory], object]]] = [
    ("duplicate", lambda d: d.add_organization("0001")),
    ("bad_value", lambda d: d.add_organization("00-01")),
    ("bad_value", lambda d: d.add_organization("0003", name="bell\x07")),
    ("bad_value", lambda d: d.change_organization("0001", policy="maybe")),
    ("bad_value", lambda d: d.change_organization("0001", timezone="Mars/Olympus")),
    ("bad_value", lambda d: d.change_organization("0001", max_stay=timedelta(0))),
    ("bad_value", lambda d: d.change_organization("0001", lock_after=0)),
    ("bad_value", lambda d: d.change_organization("0001", lock_after=1001)),
    ("unknown_organization", lambda d: d.change_organization("0009", policy="refuse")),
    ("unknown_organization", lambda d: d.remove_organization("0009")),
    ("unknown_organization", lambda d: d.organization("0009")),
    ("organization_not_empty", lambda d: d.remove_organization("0001")),
    ("duplicate", lambda d: d.add_extension("0001*001")),
    ("unknown_organization", lambda d: d.add_extension("0009*001")),
    ("bad_extension", lambda d: d.add_extension("0001001")),
    ("bad_extension", lambda d: d.add_extension("0001*x")),
    ("bad_value", lambda d: d.add_extension("0001*005", account_code="a b")),
    ("unknown_extension", lambda d: d.change_extension("0001*099", enabled=False)),
    ("unknown_extension", lambda d: d.remove_extension("0001*099")),
    ("unknown_extension", lambda d: d.unlock_extension("0001*099", BY)),
    ("unknown_phone", lambda d: d.unlock_phone("desk099", BY)),
    ("duplicate", lambda d: d.add_phone("desk001", organization="0001", node="n1")),
    ("bad_value", lambda d: d.add_phone("desk 1", organization="0001", node="n1")),
    ("unknown_organization", lambda d: d.add_phone("desk005", organization="0009", node="n1")),
    ("unknown_node", lambda d: d.add_phone("desk005", organization="0001", node="n9")),
    ("unknown_extension", lambda d: d.add_phone("desk005", organization="0001", node="n1", base="0001*099")),
    (
        "extension_has_phone",
        lambda d: d.add_phone("desk005", organization="0001", node="n1", base="0001*001"),
    ),
    ("other_organization", lambda d: d.add_phone("desk005", organization="0001", node="n1", base="0002*001")),
    ("unknown_node", lambda d: d.change_phone("desk001", node="n9")),
    ("unknown_phone", lambda d: d.change_phone("desk099", enabled=False)),
    ("unknown_phone", lambda d: d.remove_phone("desk099")),
    ("bad_value", lambda d: d.change_phone("desk001", emergency_number="one")),
    ("duplicate", lambda d: d.add_node("n1", default_kind(), "h", secret="s")),
    ("unknown_kind", lambda d: d.add_node("n2", "abacus", "h", secret="s")),
    ("bad_value", lambda d: d.add_node("n2", default_kind(), "h", 70_000, secret="s")),
    ("bad_value", lambda d: d.add_node("n2", default_kind(), "h", secret="line\r\nbreak")),
    ("unknown_node", lambda d: d.change_node("n9", enabled=False)),
    ("unknown_node", lambda d: d.remove_node("n9")),
    ("node_has_phones", lambda d: d.remove_node("n1")),
]


def test_each_mistake_has_its_code_and_changes_nothing(directory: Directory, world: World) -> None:
    directory.add_organization("0002")
    for key in ("0001*001", "0002*001"):
        directory.add_extension(key)
    directory.add_phone("desk001", organization="0001", node="n1", base="0001*001")

    def everything() -> object:
        return (directory.organizations(), directory.extensions(), directory.phones(), directory.nodes())

    before = everything()
    for number, (code, mistake) in enumerate(MISTAKES):
        with pytest.raises(RoostError) as raised:
            mistake(directory)
        assert (number, raised.value.code) == (number, code)
        assert everything() == before
