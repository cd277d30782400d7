"""The only place that reads the environment: one frozen object, from `ROOST_…` variables and `.env`."""

from __future__ import annotations

import os
from difflib import get_close_matches
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from roost.env_file import ENCODING, check_env_file, env_file, names_in
from roost.errors import SettingMissing
from roost.service_urls import check_broker_url, check_database_url
from roost.wrong_values import in_words, written_as

#: 32 bytes of an X25519 key.
_KEY = written_as("[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", "32 bytes in base64; `roost keys` makes a pair")
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]


def _separated(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


#: Written with commas, for JSON does not survive every reader of `.env` (honcho takes its quotes away).
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_separated)]


class Ports(NamedTuple):
    """A range of ports, with both its ends."""

    first: Annotated[int, Field(ge=1, le=65_535)]
    last: Annotated[int, Field(ge=1, le=65_535)]


def _first_and_last(value: object) -> object:
    if not isinstance(value, str):
        return value
    first, dash, last = value.partition("-")
    if not (first.isdecimal() and (last if dash else first).isdecimal()):
        raise ValueError("must be a port, or a range as 9464-9479")
    ports = Ports(int(first), int(last if dash else first))
    if ports.last < ports.first:
        raise ValueError("must be a port, or a range as 9464-9479")
    return ports


class Settings(BaseSettings):
    """Everything an operator can set. Secrets are `SecretStr`: printing the object shows no secret."""

    model_config = SettingsConfigDict(
        env_prefix="ROOST_",
        env_file=".env",
        env_file_encoding=ENCODING,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _without_spaces_around(cls, value: object, field: ValidationInfo) -> object:
        """Whatever handed it on may have added a line's end: `echo` in a Kubernetes secret does. Codes are hashed over a pepper as it is."""
        is_pepper = str(field.field_name).startswith("code_pepper")
        return value.strip() if isinstance(value, str) and not is_pepper else value

    #: PostgreSQL, as a libpq URL; several hosts with `target_session_attrs=read-write` for a standby.
    database_url: Annotated[SecretStr, AfterValidator(check_database_url)] | None = None
    #: RabbitMQ, as `amqp://user:password@host:port/vhost`; several separated by `;` for a cluster.
    broker_url: Annotated[SecretStr, AfterValidator(check_broker_url)] | None = None
    #: A file with the certificates that `amqps://` trusts, in PEM; unset, those of the system. RabbitMQ's must name the host of the URL.
    broker_ca: str | None = None

    #: Secret codes are hashed over this pepper. Verify workers need it; it is never in the database.
    code_pepper: SecretStr | None = None
    #: The pepper before it, during a change: codes over it are good, and are hashed anew when they are keyed (`roost keys rotate`).
    code_pepper_before: SecretStr | None = None
    #: Base64 of the X25519 public key that front doors seal secrets to (`roost keys`).
    seal_public_key: Annotated[str, _KEY] | None = None
    #: Base64 of its private half: verify and push workers only.
    seal_private_key: Annotated[SecretStr, _KEY] | None = None
    #: The private key before it, during a change: what was sealed to its public half is still opened.
    seal_private_key_before: Annotated[SecretStr, _KEY] | None = None

    #: The number of the Virtualization Center.
    feature_code: Annotated[str, written_as("[*#0-9]{1,8}", "1 to 8 digits, stars and hashes")] = "*30"
    #: A request made by a call is refused as `expired` when older than this, by the database's clock.
    call_time_limit: Seconds = 10
    #: The same for requests from the page, the API and the command line.
    request_time_limit: Seconds = 60
    #: The proof of a right code is good for so long.
    proof_lifetime: Seconds = 10
    #: Tries for the secret code in one call.
    tries_per_call: Annotated[int, Field(ge=1, le=10)] = 3

    #: Where the center listens for FastAGI; plain text, so loopback or a private network.
    center_host: str = "127.0.0.1"
    center_port: Annotated[int, Field(ge=0, le=65_535)] = 4573
    #: Who may connect to the center: networks, separated by commas.
    center_allow: Networks = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
    #: Calls in progress at once in one center; further ones hear that the service is unavailable.
    center_max_calls: Annotated[int, Field(ge=1)] = 2000

    #: Where the page and the API listen; plain HTTP, so loopback, or behind a proxy that speaks TLS.
    web_host: str = "127.0.0.1"
    web_port: Annotated[int, Field(ge=0, le=65_535)] = 8080
    #: The address people use, as `https://roost.example.org`. With https, cookies travel on TLS only.
    web_url: Annotated[str, written_as("https?://[^/]+", "written as https://roost.example.org")] | None = (
        None
    )
    #: Proxies (networks, separated by commas) whose `X-Forwarded-For` is believed; without one, the caller's
    #: address is the connection's.
    web_proxies: Networks = ()
    #: Viewers of live pages and event streams at once in one process.
    web_max_viewers: Annotated[int, Field(ge=1)] = 2000

    #: Connections to the page and the API at once in one process, half of them from one address that is no proxy. When it is full, one that only waits is closed for who comes next.
    web_max_connections: Annotated[int, Field(ge=10)] = 3000

    #: A live page or event stream is closed after so long, and opened again by its viewer.
    web_stream_lifetime: Seconds = 3_600

    #: A session ends after so long, and when it was not used for so long.
    session_lifetime: Seconds = 43_200
    session_idle: Seconds = 7_200
    #: Wrong passwords for one account from one address, or in one known browser, until each further try has to wait; ever longer.
    sign_in_tries: Annotated[int, Field(ge=1)] = 10
    #: The same for one account from all addresses together, known browsers left out.
    sign_in_tries_by_account: Annotated[int, Field(ge=1)] = 100
    #: The same for all accounts from one address.
    sign_in_tries_by_address: Annotated[int, Field(ge=1)] = 100
    #: The longest that a try has to wait.
    sign_in_window: Seconds = 900

    #: Set, as `roost/`, to play recordings named after the outcome codes instead of Asterisk's core sounds.
    prompt_prefix: Annotated[
        str, written_as("[A-Za-z0-9/_-]{0,64}", "at most 64 letters, digits, and / _ -")
    ] = ""

    #: A front door waits so long for an answer before it says "unavailable".
    answer_deadline: Seconds = 4.5
    #: On silence the same request is sent again after so long.
    answer_resend_after: Seconds = 1.5

    #: Every command to a PBX node is answered within this, or the node counts as down.
    node_deadline: Seconds = 5
    #: A node that fails is tried again after a growing, jittered delay of at most this.
    node_retry_max: Seconds = 3
    #: The sweep looks at every node this often: a node that lost its memory is seen within this time.
    sweep_every: Seconds = 1
    #: Ends of stays are looked for this often.
    stays_every: Seconds = 5
    #: Every node's whole table is compared with the database this often.
    audit_every: Seconds = 300
    #: Journal rows older than so many days are removed; unset keeps them for ever.
    journal_keep_days: Annotated[int, Field(ge=1, le=36_500)] | None = None

    #: Where each process shows Prometheus its metrics; plain HTTP with no login, so loopback or a private network.
    metrics_host: str = "127.0.0.1"
    #: One port, or a range as `9464-9479`, of which each process on a machine takes the first that is free; unset shows none.
    metrics_ports: Annotated[Ports | None, NoDecode, BeforeValidator(_first_and_last)] = None

    #: `json` for machines, `text` for people.
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def private_keys(self) -> tuple[str, ...]:
        """The private key, and the one before it. Raises SettingMissing."""
        return self._with_one_before("seal_private_key")

    @property
    def peppers(self) -> tuple[str, ...]:
        """The pepper, and the one before it. Raises SettingMissing."""
        return self._with_one_before("code_pepper")

    def _with_one_before(self, name: str) -> tuple[str, ...]:
        before = getattr(self, f"{name}_before")
        return (self.need(name), *((before.get_secret_value(),) if before else ()))

    def need(self, name: str) -> str:
        """The value of a setting this process cannot do without. Raises SettingMissing, naming the variable."""
        value = getattr(self, name)
        if value is None:
            raise SettingMissing(how_to_set(name))
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


class Supervision(BaseSettings):
    """What systemd tells a process that it starts (sd_notify(3), sd_watchdog_enabled(3)); elsewhere nothing is set."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    #: Where it listens.
    notify_socket: str | None = None
    #: Microseconds within which it wants a sign of life, and from which process.
    watchdog_usec: int | None = None
    watchdog_pid: int | None = None


@lru_cache(maxsize=1)
def supervision() -> Supervision:
    """Who supervises this process, read once."""
    return Supervision()


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read once. Raises SettingMissing with the names, never the values."""
    check_env_file()
    try:
        return Settings()
    except ValidationError as error:
        wrong = dict.fromkeys(f"ROOST_{str(e['loc'][0]).upper()} {in_words(e)}" for e in error.errors())
        raise SettingMissing(f"{'; '.join(wrong)}.") from None


def how_to_set(name: str) -> str:
    """Where a setting is looked for, in a sentence; and what may have been meant for it."""
    wanted = f"ROOST_{name.upper()}"
    there = "" if env_file().exists() else ", a file that is not there"
    mistyped = next((each for each in strangers(env_file()) if meant_by(each) == wanted), None)
    perhaps = f" ({mistyped}, which is set, is no setting.)" if mistyped else ""
    return f"Set {wanted} in the environment or in {env_file()}{there}.{perhaps}"


def strangers(file: Path) -> dict[str, str]:
    """Names that begin as settings do and are none, mistyped most likely, in the environment and in an `.env`: where each stands."""
    given = dict.fromkeys(os.environ, "the environment") | dict.fromkeys(names_in(file), str(file))
    known = {*_NAMES, *_FOR_COMPOSE}
    return {name: place for name, place in given.items() if name.startswith("ROOST_") and name not in known}


def meant_by(name: str) -> str | None:
    """The setting whose name is most like a mistyped one."""
    return next(iter(get_close_matches(name, _NAMES, n=1)), None)


def contradicted(file: Path) -> list[str]:
    """Settings to which an `.env` gives another value than the environment, which counts."""
    of_file = dotenv_values(file, encoding=ENCODING) if file.is_file() else {}
    return [
        name
        for name in _NAMES
        if os.environ.get(name) and of_file.get(name, os.environ[name]) != os.environ[name]
    ]


_NAMES = tuple(f"ROOST_{field.upper()}" for field in Settings.model_fields)
#: What docker-compose.yml itself reads of the `.env` beside it.
_FOR_COMPOSE = ("ROOST_CENTER_PUBLISH", "ROOST_WEB_PUBLISH", "ROOST_IMAGE_TAG")
