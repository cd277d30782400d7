"""What the doctor finds: each thing that is missing or unsafe, and nothing where all is well."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from localcluster.postgres import own_role
from roost.database import Database
from roost.diagnosis.database import check_directory, check_server
from roost.diagnosis.nodes import check_nodes
from roost.diagnosis.processes import check_processes
from roost.diagnosis.queues import QueueState, broker_away, check_queues
from roost.diagnosis.settings import check_settings
from roost.finding import Finding, Level
from roost.seal import new_keys
from roost.settings import Settings
from tests.cluster import wait_until
from tests.world import World

NO_FILE = Path("no-such-file")
WELL = QueueState("bind", "bind", exists=True, consumers=2)


def bad(findings: list[Finding]) -> list[tuple[str, str]]:
    """What is to be mended; each says how."""
    assert all(finding.mend for finding in findings if finding.level is not Level.OK)
    return [
        (finding.check, finding.level)
        for finding in findings
        if finding.level in {Level.WARNING, Level.ERROR}
    ]


def of_settings(
    settings: Settings, changed: dict[str, object] | None = None, env_file: Path = NO_FILE
) -> list[tuple[str, str]]:
    values = {name: getattr(settings, name) for name in settings.model_fields_set} | (changed or {})
    return bad(
        list(
            check_settings(
                Settings.model_validate({"broker_url": "amqp://a:b@127.0.0.1/x"} | values), env_file
            )
        )
    )


def test_good_settings(settings: Settings) -> None:
    assert of_settings(settings) == []


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"database_url": None}, "settings"),
        ({"broker_url": None}, "settings"),
        ({"seal_public_key": new_keys()[0]}, "key pair"),
        ({"seal_private_key": new_keys()[1]}, "key pair"),
        ({"center_host": "8.8.8.8"}, "center"),
        ({"center_allow": ("0.0.0.0/0",)}, "center"),
        ({"center_allow": ("::/0",)}, "center"),
        ({"code_pepper": "x"}, "pepper"),
        ({"code_pepper": "x" * 64}, "pepper"),
        ({"code_pepper": f"{new_keys()[1]}\n"}, "pepper"),
        ({"web_host": "0.0.0.0"}, "page"),
        ({"web_host": "::", "web_url": "http://roost.example.org"}, "page"),
        ({"web_host": "8.8.8.8"}, "page"),
        ({"web_url": "https://roost.example.org"}, "page"),
        ({"web_proxies": ("0.0.0.0/0",)}, "page"),
        ({"web_proxies": ("10.0.0.0/8",)}, "page"),
        ({"broker_url": "amqp://roost:x@8.8.8.8/"}, "broker"),
        ({"broker_url": "amqp://guest:guest@127.0.0.1/"}, "broker"),
        ({"database_url": "postgresql://roost@8.8.8.8/roost"}, "database"),
    ],
)
def test_unsafe_settings(settings: Settings, changed: dict[str, object], check: str) -> None:
    assert [found for found, _ in of_settings(settings, changed)] == [check]


@pytest.mark.parametrize(
    "changed",
    [
        {"center_host": "0.0.0.0"},
        {"center_host": "10.1.2.3", "center_allow": ("10.0.0.0/8", "192.168.0.0/16", "203.0.113.7/32")},
        {"web_host": "10.0.0.9", "web_url": "https://roost.example.org", "web_proxies": ("10.0.0.1/32",)},
        {"broker_url": "amqps://roost:x@8.8.8.8/"},
        {"database_url": "postgresql://roost@8.8.8.8/roost?sslmode=verify-full"},
    ],
)
def test_private_addresses_and_tls_are_well(settings: Settings, changed: dict[str, object]) -> None:
    assert of_settings(settings, changed) == []


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"center_host": "0.0.0.0"}, "center"),
        ({"center_host": "::"}, "center"),
        ({"center_allow": ("10.0.0.0/8",)}, "center"),
        ({"center_allow": ("fd00::/32",)}, "center"),
        ({"web_host": "10.0.0.9"}, "page"),
        ({"web_host": "fd00::9", "web_url": "http://roost.example.org"}, "page"),
        ({"broker_url": "amqp://roost:x@10.0.0.9/"}, "broker"),
        ({"broker_url": "amqp://roost:x@rabbit.example.org/"}, "broker"),
        ({"database_url": "postgresql://roost@10.0.0.9/roost"}, "database"),
        ({"database_url": "postgresql://roost@127.0.0.1,db.example.org/roost?sslmode=prefer"}, "database"),
    ],
)
def test_what_is_good_to_know(settings: Settings, changed: dict[str, object], check: str) -> None:
    values = {name: getattr(settings, name) for name in settings.model_fields_set} | changed
    config = Settings.model_validate({"broker_url": "amqp://a:b@127.0.0.1/x"} | values)
    notes = [found for found in check_settings(config, NO_FILE) if found.level is Level.NOTE]
    assert [(found.check, bool(found.mend)) for found in notes] == [(check, True)]
    assert of_settings(settings, changed) == []


def test_a_front_door_without_the_private_key_is_no_fault(settings: Settings) -> None:
    assert of_settings(settings, {"seal_private_key": None, "code_pepper": None}) == []


def test_secrets_that_others_can_read(settings: Settings, tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.touch(mode=0o600)
    assert of_settings(settings, env_file=env_file) == []
    env_file.write_text("ROOST_DATABSE_URL=postgresql://127.0.0.1/roost\nOTHER=1\n")
    assert of_settings(settings, env_file=env_file) == [("settings", "warning")]
    env_file.write_text("")
    env_file.chmod(0o644)
    assert of_settings(settings, env_file=env_file) == [("secrets", "warning")]


def test_names_that_are_no_settings_or_stand_in_two_places(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file = tmp_path / ".env"
    env_file.touch(mode=0o600)
    env_file.write_text(
        "ROOST_WEB_PORT=8081\nROOST_FEATURE_CODE=*30\nROOST_WEB_PUBLISH=8080\nexport ROOST_WEB_PORT=8082\n"
    )
    monkeypatch.setenv("ROOST_CENTER_ALOW", "10.0.0.0/8")
    monkeypatch.setenv("ROOST_FEATURE_CODE", "*77")
    given = settings.model_copy(update={"broker_url": SecretStr("amqp://a:b@127.0.0.1/x")})
    told = [f for f in check_settings(given, env_file) if f.check == "settings"]
    assert [(finding.level.value, finding.says.replace(str(env_file), ".env"), finding.mend) for finding in told] == [
        ("warning", "ROOST_CENTER_ALOW in the environment is no setting of Roost.", "Perhaps ROOST_CENTER_ALLOW is meant."),
        ("warning", "ROOST_WEB_PORT stands 2 times in .env; the last one counts.", "Take the others away."),
        ("note", "ROOST_FEATURE_CODE in .env does not count here: the environment gives it another value.",
         "unset ROOST_FEATURE_CODE, or take it out of the file."),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("folder", "hidden"),
    [("/etc/roost", ["/home/ann/ca.pem", "/tmp/cert.pem", "/root/key.pem"]), ("/home/ann/roost", ["/tmp/cert.pem"])],
)  # fmt: skip
def test_files_that_a_unit_of_systemd_does_not_find(
    settings: Settings, folder: str, hidden: list[str]
) -> None:
    files = "sslrootcert=/etc/roost/ca.pem&sslcert=/tmp/cert.pem&sslkey=/root/key.pem"
    url = f"postgresql://127.0.0.1/roost?{files}"
    named = settings.model_copy(update={"database_url": SecretStr(url), "broker_ca": "/home/ann/ca.pem"})
    told = [f.says for f in check_settings(named, Path(folder) / ".env") if "finds nothing" in f.says]
    assert re.findall("is (.*?),", " ".join(told)) == hidden


def test_no_finding_shows_a_secret(settings: Settings) -> None:
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    broken = values | {
        "broker_url": "amqp://hunter2:hunter2@8.8.8.8/",
        "database_url": "postgresql://hunter2 hunter2",
    }
    findings = check_settings(Settings.model_validate(broken), NO_FILE)
    assert "hunter2" not in "".join(finding.says + finding.mend for finding in findings)


def test_the_server(settings: Settings) -> None:
    findings = list(check_server(settings.need("database_url")))
    assert [finding.level for finding in findings if finding.level is not Level.NOTE] == [Level.OK, Level.OK]
    assert bad(list(check_server("postgresql://127.0.0.1:1/x"))) == [("database", "error")]


def test_a_clock_that_differs_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roost.diagnosis.database.CLOCK_TOLERANCE", -1.0)
    assert bad(list(check_server(settings.need("database_url")))) == [("clock", "warning")]


def test_a_role_that_may_do_anything_is_named(world: World, settings: Settings) -> None:
    url = settings.need("database_url")
    plain = make_conninfo(url, user="roost_plain", password="plain")
    world.sql("DROP ROLE IF EXISTS roost_plain")
    world.sql("CREATE ROLE roost_plain LOGIN PASSWORD 'plain'")
    try:
        named = ["superuser" in "".join(found.says for found in check_server(of)) for of in (url, plain)]
        answered = next(iter(check_server(plain))).level
    finally:
        world.sql("DROP ROLE roost_plain")
    assert (named, answered) == ([True, False], Level.OK)


def test_who_has_more_than_a_process_needs_is_named(world: World, settings: Settings) -> None:
    """The pool of this test owns the tables, as every process of an older installation does."""
    url = settings.need("database_url")
    pool = Database(url, size=1, name="roost-worker")
    pool.reach()

    def said(of: str) -> str:
        return "".join(found.says for found in check_server(of) if "More rights" in found.says)

    with pool.connection():
        assert "this machine's role, roost-worker" in said(url)
        assert "tables: roost-worker." in said(own_role(url, "web"))
    pool.close()
    wait_until(lambda: not said(own_role(url, "web")), "only processes with roles of their own are left")


def test_another_schema(settings: Settings, world: World) -> None:
    world.sql("UPDATE roost_version SET version = 999")
    assert bad(list(check_server(settings.need("database_url")))) == [("schema", "error")]


def test_what_the_directory_lacks(world: World) -> None:
    def found() -> list[str]:
        findings = check_directory(world.database, world.settings)
        return [finding.says.split(":")[0].split(",")[0] for finding in findings]

    assert found() == ["There are no organizations.", "There are no PBX nodes in use."]
    world.organization()
    world.node()
    world.desk("001", allows=True)
    assert found() == ["Extensions with a secret code and no phone they could sit on"]
    world.desk("002", allows=True)
    assert found() == []
    world.desk("003", phone=False)
    world.sql("UPDATE phone SET base_id = NULL WHERE name = 'desk002'")
    assert found() == [
        "Phones without a base extension",
        "Extensions that allow virtualization and have no phone in use",
        "Extensions with a secret code and no phone they could sit on",
    ]


def test_organizations_whose_time_zone_is_known_no_more(world: World) -> None:
    world.office("001", "002")
    world.organization("0002", timezone="Europe/Bucharest")
    assert list(check_directory(world.database, world.settings)) == []
    world.zone_is_known_no_more()
    (finding,) = check_directory(world.database, world.settings)
    assert bad([finding]) == [("directory", "warning")]
    assert finding.says.endswith(": 1, such as 0001 in US/Gone.")
    assert finding.mend.startswith("roost org set 0001 --timezone …")


def test_extensions_that_the_feature_code_hides(world: World) -> None:
    world.office("30", "300", "031")
    of_digits = world.settings.model_copy(update={"feature_code": "30"})
    (finding,) = check_directory(world.database, of_digits)
    assert bad([finding]) == [("directory", "warning")]
    assert finding.says.endswith("the feature code 30: 2, such as 0001*30, 0001*300.")
    assert list(check_directory(world.database, world.settings)) == []


def test_a_node_that_does_not_answer(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    world.node("n1", port=port, secret="x")
    assert of_nodes(world)[0].startswith("n1: The PBX node is not reachable now.")
    assert of_nodes(world, seal_private_key=None) == [f"n1: 127.0.0.1:{port}: Connection refused"]
    world.node("n2", host=64 * "a", secret="x")
    assert of_nodes(world, seal_private_key=None) == [
        f"n1: 127.0.0.1:{port}: Connection refused",
        f"n2: {64 * 'a'}:5038: The host name is malformed.",
    ]
    world.sql("DELETE FROM pbx_node WHERE name = 'n2'")
    world.sql("UPDATE pbx_node SET secret = 'garbage'")
    assert of_nodes(world) == ["n1: The sealed text cannot be opened here, or belongs to something else."]
    world.sql("UPDATE pbx_node SET enabled = false")
    assert of_nodes(world) == []


def test_a_node_that_answers_and_is_not_as_it_should_be(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        world.node("n1", port=listening.getsockname()[1], secret="x")

        def found() -> list[str]:
            said = of_nodes(world, seal_private_key=None)
            return [
                re.sub(r"not for 36\d\d s", "not for an hour", each) for each in said
            ]  # and what this took

        assert found() == ["n1: pushed to never, though nothing failed."]
        world.sql("UPDATE pbx_node SET seen_at = clock_timestamp()")
        assert found() == []
        world.sql("UPDATE pbx_node SET seen_at = clock_timestamp() - interval '1 hour', drift = 3")
        assert found() == [
            "n1: pushed to not for an hour, though nothing failed.",
            "n1: its last audit mended 3 entries.",
        ]
        world.sql("UPDATE pbx_node SET failures = 2, last_error = 'refused', drift = 0")
        assert found() == ["n1: 2 pushes failed since it last answered: refused"]
        world.sql("UPDATE pbx_node SET failures = 0")
        world.organization()
        assert found() == ["n1: pushed to not for an hour, though nothing failed."]
        world.desk("001")
        assert found()[1].endswith("not announced, and nobody announces.")


def of_nodes(world: World, **changed: object) -> list[str]:
    """What is wrong with the nodes."""
    settings = world.settings.model_copy(update=changed)
    return [
        finding.says for finding in check_nodes(world.database, settings) if finding.level is not Level.OK
    ]


def test_queues() -> None:
    assert bad(list(check_queues([WELL]))) == []
    grows = QueueState("bind", "bind", exists=True, messages=101, consumers=4)
    assert [finding.mend for finding in check_queues([grows])] == ["Add a `bind` worker."]
    assert bad(list(check_processes({"center", "beat"}))) == []
    assert [finding.mend for finding in check_processes({"bind", "center"})] == ["Start a `beat` process."]
    assert bad(list(check_queues([QueueState("bind", "bind", exists=False)]))) == [("queues", "error")]
    assert bad(list(check_queues([QueueState("bind", "bind", exists=True, messages=3)]))) == [
        ("queues", "error")
    ]
    assert bad(list(check_queues([QueueState("bind", "bind", exists=True, messages=9999, consumers=1)]))) == [
        ("queues", "warning")
    ]
    assert bad(list(check_queues([QueueState("dead", "", exists=True, messages=1)]))) == [
        ("queues", "warning")
    ]
    assert bad(list(check_queues([QueueState("dead", "", exists=True)]))) == []


def test_what_mends_rabbitmq_stands_behind_the_colon_that_is_none_of_a_files_name() -> None:
    found = broker_away("The file of authorities cannot be read (/ca: no such file): mend its name.")
    assert found.says.endswith("The file of authorities cannot be read (/ca: no such file).")
    assert found.mend == "Mend its name."
