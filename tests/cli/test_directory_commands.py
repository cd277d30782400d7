"""`roost org|extension|phone|node`: added, listed, shown, changed, removed; and each mistake told. What only nodes have: `test_node_commands`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import Run
from tests.world import World


def test_what_was_added_is_listed(office: Run) -> None:
    assert [row["code"] for row in office("org", "list", "--json").json] == ["0001"]
    assert [row["extension"] for row in office("extension", "list", "--json").json] == [
        "0001*001",
        "0001*002",
    ]
    assert [row["base"] for row in office("phone", "list", "--json").json] == ["0001*001"]
    assert [(row["host"], row["port"]) for row in office("node", "list", "--json").json] == [
        ("10.0.0.5", 5038)
    ]
    listed = office("extension", "list").out
    assert "Ted [bold]" in listed
    assert "desk001" in listed


def test_a_row_that_no_node_can_hold_is_refused(office: Run) -> None:
    """Each part is accepted alone."""
    person = ("--name", "😀" * 64, "--mailbox", "m" * 64)
    assert office("phone", "set", "desk001", "--emergency-location", (", / " * 64).strip()).exit_code == 0
    refused = office("extension", "set", "0001*001", *person)
    assert refused.exit_code != 0
    assert "shorten" in refused.err
    assert office("extension", "set", "0001*002", *person).exit_code == 0


def test_a_long_list_is_written_as_it_comes_and_ends_with_how_to_go_on(office: Run, world: World) -> None:
    world.sql(
        "INSERT INTO extension (organization_id, number, name)"
        " SELECT id, lpad(i::text, 5, '0'), 'Person ' || i FROM organization, generate_series(1, 2100) i"
    )
    numbers = sorted(["001", "002", *(f"{number:05}" for number in range(1, 2101))])
    every = office("extension", "list", "--limit", "5000", "--json").json
    assert [row["number"] for row in every] == numbers
    assert (every[0]["extension"], every[0]["max_stay"], every[0]["phone"]) == ("0001*00001", None, None)
    listed = office("extension", "list", "--limit", "2050")
    lines = listed.out.splitlines()
    assert len(lines) == 2052
    assert lines[0].split()[:2] == ["extension", "name"]
    assert lines[-1].split()[0] == f"0001*{numbers[2049]}"
    assert f"--after '0001*{numbers[2049]}'" in listed.err
    assert office("phone", "list", "--search", "nobody", "--json").json == []


def test_what_was_changed_is_shown(office: Run) -> None:
    for arguments in (
        ("org", "set", "0001", "--policy", "displace", "--max-stay", "none", "--daily-return", "18:30"),
        ("extension", "set", "0001*001", "--disallow", "--mailbox", "100@default", "--max-stay", "90m"),
        ("phone", "set", "desk001", "--base", "0001*002", "--emergency-number", "112"),
        ("node", "set", "n1", "--port", "5039", "--disable"),
    ):
        assert office(*arguments).exit_code == 0
    organization = office("org", "show", "0001", "--json").json
    assert (organization["policy"], organization["max_stay"], organization["daily_return"]) == (
        "displace",
        None,
        "18:30:00",
    )
    extension = office("extension", "show", "0001*001", "--json").json
    assert (extension["allows_virtualization"], extension["mailbox"], extension["max_stay"]) == (
        False,
        "100@default",
        5400,
    )
    phone = office("phone", "show", "desk001", "--json").json
    assert (phone["base"], phone["emergency_number"]) == ("0001*002", "112")
    node = office("node", "show", "n1", "--json").json
    assert (node["port"], node["enabled"]) == (5039, False)
    assert office("phone", "set", "desk001", "--base", "none").exit_code == 0
    assert office("phone", "show", "desk001", "--json").json["base"] is None


def test_what_was_removed_is_gone(office: Run) -> None:
    assert office("phone", "remove", "desk001", "--yes").exit_code == 0
    assert office("extension", "remove", "0001*001", "--yes").exit_code == 0
    assert office("node", "remove", "n1", "--yes").exit_code == 0
    assert office("org", "remove", "0001", "--with-everything", "--yes").exit_code == 0
    assert office("org", "list", "--json").json == []


def test_a_large_organization_is_changed_and_removed_in_steps_that_the_command_takes(
    office: Run, world: World
) -> None:
    """One step has 500 extensions."""
    world.sql(
        "INSERT INTO extension (organization_id, number) SELECT id, (10000 + n)::text FROM organization, generate_series(1, 1100) n WHERE code = '0001'"
    )
    assert office("org", "set", "0001", "--disable").exit_code == 0
    assert office("org", "show", "0001", "--json").json["doing"] is None
    assert office("org", "rename", "0001", "acme", "--yes").exit_code == 0
    assert office("org", "show", "acme", "--json").json["doing"] is None
    removed = office("org", "remove", "acme", "--with-everything", "--yes")
    assert removed.exit_code == 0
    assert "1102 extensions" in removed.out
    assert office("org", "list", "--json").json == []


def test_removing_asks_first(office: Run) -> None:
    assert office("phone", "remove", "desk001", stdin="n\n").exit_code == 1
    assert office("phone", "remove", "desk001", stdin="").exit_code == 1
    assert office("phone", "show", "desk001").exit_code == 0
    assert office("phone", "remove", "desk001", stdin="y\n").exit_code == 0


def test_a_long_list_goes_on_after_its_last_row(office: Run) -> None:
    first = office("extension", "list", "--limit", "1")
    assert "--after '0001*001'" in first.err
    assert [row["number"] for row in office("extension", "list", "--after", "0001*001", "--json").json] == [
        "002"
    ]
    assert [row["number"] for row in office("extension", "list", "--search", "ted", "--json").json] == ["002"]
    assert office("org", "add", "0002").exit_code == 0
    assert office("node", "add", "n2", "--host", "10.0.0.6", stdin="s3cret-of-n2\n").exit_code == 0
    for kind, column, names in (("org", "code", ["0001", "0002"]), ("node", "name", ["n1", "n2"])):
        assert f"--after {names[0]}," in office(kind, "list", "--limit", "1").err
        assert [row[column] for row in office(kind, "list", "--json").json] == names
        assert [row[column] for row in office(kind, "list", "--after", names[0], "--json").json] == names[1:]


def test_lists_of_people_and_tokens_are_whole_too(office: Run, world: World) -> None:
    """More than are read together, and more than a list shows unless it is told to."""
    world.sql(
        "INSERT INTO person (login, role, password_hash) SELECT 'p' || lpad(i::text, 5, '0'), 'operator', '' FROM generate_series(1, 2100) i"
    )
    world.sql(
        "INSERT INTO token (name, token_hash, access) SELECT 't', i::text::bytea, 'read' FROM generate_series(1, 2100) i"
    )
    for kind, column in (("user", "login"), ("token", "id")):
        every = [row[column] for row in office(kind, "list", "--limit", "5000", "--json").json]
        assert len(every) == 2100
        listed = office(kind, "list")
        assert len(listed.out.splitlines()) == 1002
        assert f"--after {every[999]}," in listed.err
        rest = office(kind, "list", "--after", str(every[2097]), "--json").json
        assert [row[column] for row in rest] == every[2098:]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (("org", "add", "0001"), 5, "duplicate"),
        (("org", "add", "00/01"), 2, "bad_value"),
        (("org", "add", "0009", "--name", "half a \udce9"), 2, "bad_value"),
        (("org", "add", "00\udce9"), 2, "bad_value"),
        (("org", "show", "00\udce9"), 2, "bad_value"),
        (("extension", "list", "--search", "\udce9"), 2, "bad_value"),
        (("phone", "show", "desk\udce9"), 2, "bad_value"),
        (("phone", "list", "--after", "desk\udce9"), 2, "bad_value"),
        (("node", "show", "n\udce9"), 2, "bad_value"),
        (("user", "remove", "\udce9"), 2, "bad_value"),
        (("token", "add", "\udce9"), 2, "bad_value"),
        (("org", "set", "0001"), 2, "invalid"),
        (("org", "set", "0001", "--max-stay", "soon"), 2, "bad_value"),
        (("org", "set", "0001", "--daily-return", "25:00"), 2, "bad_value"),
        (("org", "set", "0001", "--timezone", "Nowhere/Land"), 2, "bad_value"),
        (("org", "set", "0001", "--timezone", "UTC+3"), 2, "bad_value"),
        (("org", "set", "0001", "--timezone", "Europe/Berlin2"), 2, "bad_value"),
        (("org", "show", "0009"), 4, "unknown_organization"),
        (("extension", "list", "--org", "0009"), 4, "unknown_organization"),
        (("phone", "list", "--org", "0009"), 4, "unknown_organization"),
        (("phone", "list", "--node", "N1"), 4, "unknown_node"),
        (("org", "remove", "0001", "--yes"), 5, "organization_not_empty"),
        (("extension", "add", "0001*001"), 5, "duplicate"),
        (("extension", "add", "0009*001"), 4, "unknown_organization"),
        (("extension", "add", "001"), 2, "bad_extension"),
        (("extension", "add", "0001*\udce9"), 2, "bad_extension"),
        (("extension", "set", "0001*009", "--allow"), 4, "unknown_extension"),
        (("phone", "add", "desk009", "--node", "n1"), 2, "invalid"),
        (("phone", "add", "desk009", "--node", "n9", "--org", "0001"), 4, "unknown_node"),
        (("phone", "add", "desk009", "--node", "n1", "--base", "0001*001"), 5, "extension_has_phone"),
        (("phone", "add", "desk 9", "--node", "n1", "--org", "0001"), 2, "bad_value"),
        (("phone", "set", "desk009", "--disable"), 4, "unknown_phone"),
        (("phone", "set", "desk001", "--base", ""), 2, "bad_extension"),
        (("phone", "add", "desk009", "--node", "n1", "--org", "0001", "--base", ""), 2, "bad_extension"),
        (("node", "remove", "n1", "--yes"), 5, "node_has_phones"),
        (("node", "set", "n9", "--disable"), 4, "unknown_node"),
        (
            ("node", "add", "n2", "--host", "h", "--kind", "abacus", "--secret-file", "secret"),
            2,
            "unknown_kind",
        ),
        (("node", "add", "n2", "--host", "h", "--secret-file", "missing"), 2, "bad_value"),
        (("node", "add", "n2", "--host", "h"), 2, "invalid"),
        (("node", "add", "n2", "--host", "192.0.2.1:5038", "--secret-file", "secret"), 2, "bad_value"),
        (("node", "add", "n2", "--host", "http://192.0.2.1", "--secret-file", "secret"), 2, "bad_value"),
        (("node", "add", "n2", "--host", "pbx..example.org", "--secret-file", "secret"), 2, "bad_value"),
        (("node", "add", "n2", "--host", 64 * "a", "--secret-file", "secret"), 2, "bad_value"),
        (("org", "add", "0009", "--lock-for", ""), 2, "bad_value"),
        (("org", "set", "0001", "--name", "Acme", "--lock-for", ""), 2, "bad_value"),
        (("token", "add", "of a script", "--for", ""), 2, "bad_value"),
        (("token", "list", "--org", "0009"), 4, "unknown_organization"),
        (("user", "list", "--org", "0009"), 4, "unknown_organization"),
        (("journal", "--since", ""), 2, "bad_value"),
        (("journal", "--until", ""), 2, "bad_value"),
        (("dial", "desk001", "*30", "--center", "center..example.org:4573"), 6, "center_unavailable"),
        (("dial", "desk001", "*30", "--center", "127.0.0.1:" + 5000 * "1"), 2, "bad_value"),
    ],
)
def test_each_mistake_has_its_message_code_and_exit_code(
    office: Run, folder: Path, arguments: tuple[str, ...], exit_code: int, code: str
) -> None:
    (folder / "secret").write_text("s3cret\n")
    ended = office(*arguments)
    assert (ended.exit_code, ended.out) == (exit_code, "")
    assert ended.err.startswith("error: ")
    assert ended.err.endswith(f"[{code}]\n")


def test_an_error_is_json_where_json_was_asked_for(office: Run) -> None:
    ended = office("extension", "show", "0001*009", "--json")
    assert (ended.exit_code, ended.out) == (4, "")
    assert json.loads(ended.err)["error"]["code"] == "unknown_extension"
    assert office("extension", "show", "0001*009").err.startswith("error: ")


def test_a_name_cannot_drive_the_terminal(office: Run) -> None:
    assert office("extension", "set", "0001*001", "--name", "\x1b[2J").exit_code == 2


def test_unlocking(office: Run, world: World) -> None:
    world.sql(
        "UPDATE extension SET locked_until = now() + interval '5 minutes', failed_codes = 1 WHERE number = '001'"
    )
    assert "locked" in office("extension", "list").out
    assert office("code", "unlock", "0001*001").exit_code == 0
    assert world.value("SELECT locked_until FROM extension WHERE number = '001'") is None
    assert office("code", "unlock", "0001*009").exit_code == 4

    world.sql("UPDATE phone SET locked_until = now() + interval '5 minutes'")
    assert "locked until" in office("where", "desk001").out
    assert office("phone", "unlock", "desk001").exit_code == 0
    assert "locked until" not in office("where", "desk001").out
    assert office("phone", "unlock", "desk009").exit_code == 4
    assert [row[:4] for row in world.journal()] == [
        ("unlock", "unlocked", "001", None), ("unlock", "unlocked", None, "desk001"),
    ]  # fmt: skip
