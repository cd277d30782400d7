"""Settings as an operator writes them: in the environment and in `.env`."""

from __future__ import annotations

import os
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest
from honcho.environ import parse
from pydantic import ValidationError

from roost.errors import SettingMissing
from roost.settings import Settings, settings

#: What a key looks like.
KEY = "A" * 43 + "="
WRITTEN = 'ROOST_CENTER_ALLOW=127.0.0.0/8, 10.1.0.0/16\nROOST_WEB_PROXIES=\nROOST_DATABASE_URL=\nROOST_LOG_LEVEL="debug"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to start in, with no ROOST_ variable set."""
    monkeypatch.chdir(tmp_path)
    for variable in (f"ROOST_{name.upper()}" for name in Settings.model_fields):
        monkeypatch.delenv(variable, raising=False)
    settings.cache_clear()
    return tmp_path


def is_as_written(read: Settings) -> bool:
    return (
        read.center_allow == (ip_network("127.0.0.0/8"), ip_network("10.1.0.0/16"))
        and read.web_proxies == ()
        and read.database_url is None
        and read.log_level == "debug"
    )


def test_a_list_is_written_with_commas_and_an_empty_value_is_none(folder: Path) -> None:
    (folder / ".env").write_text(WRITTEN)
    assert is_as_written(Settings())


def test_honcho_hands_the_same_file_on_unchanged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in parse(WRITTEN).items():
        monkeypatch.setenv(variable, value)
    assert is_as_written(Settings())


def test_what_stands_around_a_value_is_no_part_of_it_but_of_a_pepper(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`echo` in a Kubernetes secret adds a line's end; and codes that are hashed over one stay good."""
    url = "postgresql://roost@127.0.0.1/roost"
    for name, value in {
        "DATABASE_URL": url,
        "SEAL_PUBLIC_KEY": KEY,
        "WEB_PORT": "80",
        "CODE_PEPPER": "y",
    }.items():
        monkeypatch.setenv(f"ROOST_{name}", f" {value}\n")
    read = Settings()
    assert (read.need("database_url"), read.seal_public_key, read.web_port) == (url, KEY, 80)
    assert read.need("code_pepper") == " y\n"


@pytest.mark.parametrize("url", [
    "postgresql://u:p@[::1]:5432/roost", "postgresql://u:p@h1,h2:5433/roost?target_session_attrs=read-write", "postgresql:///roost?host=/run/postgresql",
    "postgresql://u:p%40%2F@%2Frun%2Fpostgresql/roost", "postgresql://h/roost?user=a@b", "postgresql://u:p#?;[@h/roost",
    "amqp://u:p@[::1]:5672/%2F", "amqp://u:p@h1/v;amqp://u:p@h2/v", "amqps://u:p@h:5671//", "amqp://u:p@with@h/v", "amqp://u:p@h1/v?heartbeat=30;amqp://u:p@h2/v?heartbeat=30",
])  # fmt: skip
def test_urls_that_are_well(folder: Path, url: str) -> None:
    name = "database_url" if url.startswith("postgresql") else "broker_url"
    assert Settings.model_validate({name: url}).need(name) == url


@pytest.mark.parametrize("url", [
    "postgresql://u:hunter2@x@h/roost", "postgresql://u:hunter2/x@h/roost", "postgresql://u:12/hunter2@h/roost",
    "amqp://u:hunter2/x@h/v", "amqp://u:hunter2#x@h/v", "amqp://u:hunter2?x@h/v", "amqp://u:hunter2[x@h/v", "amqp://u:12#hunter2@h/v",
])  # fmt: skip
def test_a_password_that_would_be_read_as_a_host_is_refused_without_showing_it(
    folder: Path, url: str
) -> None:
    name = "database_url" if url.startswith("postgresql") else "broker_url"
    with pytest.raises(ValidationError, match="@ as %40") as refused:
        Settings.model_validate({name: url})
    assert "hunter2" not in str(refused.value)


def test_the_environment_wins_over_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".env").write_text("ROOST_FEATURE_CODE=*30\n")
    monkeypatch.setenv("ROOST_FEATURE_CODE", "*77")
    assert Settings().feature_code == "*77"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ROOST_CENTER_ALLOW", "everybody"),
        ("ROOST_CENTER_PORT", "fast"),
        ("ROOST_ANSWER_DEADLINE", "-1"),
        ("ROOST_NODE_DEADLINE", "nan"),
        ("ROOST_JOURNAL_KEEP_DAYS", "99999999999"),
        ("ROOST_SEAL_PUBLIC_KEY", "zzz"),
        ("ROOST_SEAL_PRIVATE_KEY", KEY[1:]),
        ("ROOST_SEAL_PRIVATE_KEY_BEFORE", "-" + KEY[1:]),
        ("ROOST_BROKER_URL", "amqp://u:hunter2@h/v?heartbeat=abc"),
        ("ROOST_BROKER_URL", "amqp://u:p@h/v;amqp://u:hunter2@h/v?connection_timeout=5"),
    ],
)
def test_a_value_that_will_not_do_is_told_by_its_name_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingMissing) as raised:
        settings()
    assert variable in str(raised.value)
    assert value not in str(raised.value)


def test_a_setting_that_is_missing_is_asked_for_by_name(folder: Path) -> None:
    with pytest.raises(SettingMissing, match="Set ROOST_DATABASE_URL"):
        Settings().need("database_url")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    ("there", "says"),
    [
        (Path.mkdir, "is a folder; it must be a file"),
        (_pipe, "is a pipe; it must be a file"),
        (_device, "is a device or a socket; it must be a file"),
        (lambda env: env.write_bytes(b"#" * 1_000_001), "has more than 1000000 bytes"),
        (lambda env: env.write_text("# ours\n\nROOST_WEB_PORT 8081\n"), "line 3, is no setting: write NAME=VALUE"),
        (lambda env: env.write_text('A=1\nROOST_CODE_PEPPER="hunter2\n'), "line 2, is no setting: .* a quote"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_whole_is_no_settings_file(
    folder: Path, capfd: pytest.CaptureFixture[str], there: Callable[[Path], object], says: str
) -> None:
    there(folder / ".env")
    with pytest.raises(SettingMissing, match=rf"{folder}/\.env.* {says}") as raised:
        settings()
    assert "hunter2" not in str(raised.value)
    assert capfd.readouterr() == ("", "")


def test_no_file_on_purpose_and_a_file_with_a_byte_order_mark_are_read(folder: Path) -> None:
    (folder / ".env").symlink_to(os.devnull)
    assert settings().web_port == 8080
    (folder / ".env").unlink()
    (folder / ".env").write_text(
        "\ufeffROOST_WEB_PORT=8081\nexport ROOST_LOG_LEVEL='error' # all\n\nPATH_ONLY\n"
    )
    settings.cache_clear()
    assert (settings().web_port, settings().log_level) == (8081, "error")


def test_no_secret_is_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOST_CODE_PEPPER", "salt-and-pepper")
    assert "salt-and-pepper" not in repr(Settings())


@pytest.mark.parametrize(
    "wrong", [{"database_url": "hunter2@host/roost"}, {"broker_url": "redis://:hunter2@host"}]
)
def test_a_url_that_is_none_is_refused_without_showing_it(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="must begin with") as refused:
        Settings.model_validate(wrong)
    assert "hunter2" not in str(refused.value)
