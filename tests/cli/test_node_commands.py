"""`roost node`: which organizations one serves, its secret, and what its kind takes."""

from __future__ import annotations

from pathlib import Path

from localcluster.certificates import Authority
from roost.seal import NODE_SECRET, unseal
from tests.cli.command import Run
from tests.world import World


def test_a_node_may_serve_some_organizations_only(office: Run) -> None:
    office("org", "add", "0002")
    assert office("node", "show", "n1", "--json").json["serves"] == "all"
    assert office("node", "serve", "n1", "0001").out == "Node n1 serves 0001.\n"
    assert office("node", "show", "n1", "--json").json["serves"] == ["0001"]
    elsewhere = office("phone", "add", "desk002", "--node", "n1", "--org", "0002")
    assert (elsewhere.exit_code, "[node_serves_organization]" in elsewhere.err) == (5, True)
    assert "let it, or home the phone elsewhere" in elsewhere.err
    stray = office("node", "serve", "n1", "0002")
    assert (stray.exit_code, "name that one too" in stray.err) == (5, True)
    assert office("node", "serve", "n1", "0001", "0009").exit_code == 4
    assert office("node", "serve", "n9", "--all").exit_code == 4
    assert office("node", "serve", "n1").exit_code == 2
    assert office("node", "serve", "n1", "--all").exit_code == 0
    assert office("phone", "add", "desk002", "--node", "n1", "--org", "0002").exit_code == 0


def test_the_secret_of_a_node_is_sealed_and_never_shown(office: Run, world: World, folder: Path) -> None:
    def stored() -> str:
        sealed = world.value("SELECT secret FROM pbx_node")
        assert isinstance(sealed, bytes)
        return unseal(world.settings.need("seal_private_key"), NODE_SECRET, sealed.decode())

    assert stored() == "s3cret-of-n1"
    (folder / "new-secret").write_text("from-a-file\r\n")
    assert office("node", "set", "n1", "--secret-file", "new-secret").exit_code == 0
    assert stored() == "from-a-file"
    assert office("node", "set", "n1", "--secret", stdin="from-a-pipe\n").exit_code == 0
    assert stored() == "from-a-pipe"
    assert "from-a" not in office("node", "show", "n1").out + office("node", "list", "--json").out


def test_what_the_kind_of_a_node_takes_is_set_and_taken_away(office: Run, folder: Path) -> None:
    def shown() -> tuple[int, str | None, dict[str, object]]:
        node = office("node", "show", "n1", "--json").json
        return node["port"], node["username"], node["options"]

    authority = Authority(folder / "authority")
    (folder / "ca.pem").write_text("Ours.\n" + authority.issue("n1", address="127.0.0.1").read_text())
    (folder / "none.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert shown() == (5038, "roost", {})
    mistakes = {
        ("--ca", "ca.pem"): "ca is for TLS, which is off (--tls)",
        ("--tls", "--ca", "none.pem"): "ca: a certificate in it cannot be read",
        ("--option", "tls=perhaps"): "tls: must be true or false.",
        ("--option", "colour=blue"): "has no option 'colour'; it has: username, tls, ca, refresh_displays.",
        ("--username", "two words"): "username: must be 1 to 80 ASCII characters without blanks.",
        ("--username", ""): "username: must be 1 to 80 ASCII characters without blanks.",
    }
    for given, said in mistakes.items():
        ended = office("node", "set", "n1", *given)
        assert (ended.exit_code, said in ended.err, "[bad_option]" in ended.err) == (2, True, True), ended.err
    assert shown() == (5038, "roost", {})
    assert office("node", "set", "n1", "--tls", "--ca", "ca.pem", "--username", "boss").exit_code == 0
    port, username, options = shown()
    assert (port, username, options["tls"]) == (5039, "boss", True)
    certificate = (folder / "authority" / "n1.crt").read_text()
    assert options["ca"] == certificate
    assert "lines; --json shows them" in office("node", "show", "n1").out
    assert office("node", "set", "n1", "--option", "ca=", "--username", "none").exit_code == 0
    assert shown() == (5039, "roost", {"tls": True})
    assert office("node", "set", "n1", "--no-tls").exit_code == 0
    assert shown() == (5038, "roost", {})


def test_what_a_freepbx_cannot_be_told_of_is_refused_with_what_to_do(
    office: Run, world: World, folder: Path
) -> None:
    """It serves one organization, and knows phones by digits; it need not be reached for that."""
    add = ("node", "add", "f1", "--kind", "freepbx", "--host", "10.0.0.7", "--secret-file", "secret")
    (folder / "secret").write_text("s3cret-of-f1\n")

    def refused(*arguments: str, code: str, says: str) -> None:
        done = office(*arguments)
        assert done.exit_code != 0
        assert f"[{code}]" in done.err
        assert says in done.err

    refused(*add, code="unfit_phone_name", says="desk001: node f1, freepbx, needs 1 to 20 digits")
    assert office("org", "add", "0002").exit_code == 0
    refused(*add, code="one_organization", says="or add it with --serve")
    assert office(*add, "--serve", "0002").exit_code == 0
    refused("node", "serve", "f1", "0002", "0001", code="one_organization", says="0001")
    phone = ("phone", "add", "--node", "n1", "--org", "0002")
    for name in ("desk-9", "0100", "1.2"):
        refused(*phone, name, code="unfit_phone_name", says="add it under another name")
    for name in ("1&2", "1@n1", "1|2", "${EXTEN}"):
        refused(*phone, name, code="bad_value", says="phone name")
    (folder / "desks.csv").write_text(
        "organization,number,phone,node\n0002,1001,1001,n1\n0002,1002,desk-2,n1\n"
    )
    refused("import", "desks.csv", code="unfit_phone_name", says="desk-2")
    assert world.rows("SELECT name FROM phone") == [("desk001",)]
    assert world.rows("SELECT count(*) FROM extension") == [(2,)]
    assert office(*phone, "1001").exit_code == 0
