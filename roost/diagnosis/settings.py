"""The settings of this machine: what is missing, what does not fit, what is open to too many."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from roost.errors import RoostError
from roost.finding import Finding, Level, is_public
from roost.seal import seal, unseal
from roost.settings import Settings

#: What each setting is needed for. Those of the second kind only some processes need.
_NEEDED_BY_ALL = {
    "database_url": "the workers and most commands",
    "broker_url": "every process",
}
_NEEDED_BY_SOME = {
    "seal_public_key": "the centers, `roost code` and `roost node`",
    "seal_private_key": "verify and push workers",
    "code_pepper": "verify workers",
}
#: Networks of more addresses than this in center_allow are too wide to be one site.
_WIDEST_PUBLIC = 256


def check_settings(settings: Settings, env_file: Path) -> Iterator[Finding]:
    """Look at the settings and the file they come from."""
    yield from _missing(settings)
    yield from _key_pair(settings)
    yield from _env_file(env_file)
    yield from _center(settings)
    yield from _urls(settings)


def _missing(settings: Settings) -> Iterator[Finding]:
    for needed, level in ((_NEEDED_BY_ALL, Level.ERROR), (_NEEDED_BY_SOME, Level.NOTE)):
        for name, by in needed.items():
            if getattr(settings, name) is None:
                mend = (
                    "`roost keys` makes the secrets." if level is Level.NOTE else f"Set ROOST_{name.upper()}."
                )
                yield Finding("settings", level, f"ROOST_{name.upper()} is not set; needed by {by}.", mend)


def _key_pair(settings: Settings) -> Iterator[Finding]:
    if settings.seal_public_key is None or settings.seal_private_key is None:
        return
    try:
        sealed = seal(settings.seal_public_key, "doctor", "fits")
        fits = unseal(settings.seal_private_key.get_secret_value(), "doctor", sealed) == "fits"
    except RoostError as error:
        fits = False
        detail = f" {error}"
    else:
        detail = ""
    if fits:
        yield Finding("key pair", Level.OK, "The two keys belong together.")
    else:
        yield Finding(
            "key pair", Level.ERROR, f"The public and the private key do not belong together.{detail}",
            "Take both from one run of `roost keys`; with a new pair, give each node its secret anew.",
        )  # fmt: skip


def _env_file(path: Path) -> Iterator[Finding]:
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        who = "everybody" if mode & stat.S_IROTH else "its group"
        yield Finding("secrets", Level.WARNING, f"{path} can be read by {who}.", f"chmod 600 {path}")
    else:
        yield Finding("secrets", Level.OK, f"{path} is its owner's alone.")


def _center(settings: Settings) -> Iterator[Finding]:
    if is_public(settings.center_host):
        yield Finding(
            "center", Level.WARNING, f"ROOST_CENTER_HOST {settings.center_host} is a public address; FastAGI is plain text.",
            "Listen on loopback, or on a private network that only the PBX nodes share.",
        )  # fmt: skip
    for network in settings.center_allow:
        if not network.is_private and network.num_addresses > _WIDEST_PUBLIC:
            yield Finding(
                "center", Level.WARNING, f"ROOST_CENTER_ALLOW lets {network} in.",
                "Name the addresses of the PBX nodes alone: who may connect may pretend to be any phone.",
            )  # fmt: skip


def _urls(settings: Settings) -> Iterator[Finding]:
    if settings.broker_url is not None:
        for text in settings.broker_url.get_secret_value().split(";"):
            yield from _broker(text)
    if settings.database_url is not None:
        try:
            parts = conninfo_to_dict(settings.database_url.get_secret_value())
        except ProgrammingError:
            yield Finding(
                "database",
                Level.ERROR,
                "ROOST_DATABASE_URL is not a libpq URL.",
                "postgresql://user:…@host/roost",
            )
            return
        public = [host for host in str(parts.get("host") or "").split(",") if is_public(host)]
        if public and parts.get("sslmode") not in {"require", "verify-ca", "verify-full"}:
            yield Finding(
                "database", Level.WARNING, f"PostgreSQL at the public address {public[0]} may be spoken to in clear.",
                "Add sslmode=verify-full to ROOST_DATABASE_URL.",
            )  # fmt: skip


def _broker(url: str) -> Iterator[Finding]:
    try:
        parts = urlsplit(url.strip())
        host, user, password = parts.hostname or "", parts.username, parts.password
    except ValueError:
        yield Finding(
            "broker", Level.ERROR, "ROOST_BROKER_URL is not a URL.", "amqp://user:…@host:5672/vhost"
        )
        return
    if is_public(host) and parts.scheme != "amqps":
        yield Finding(
            "broker", Level.WARNING, f"RabbitMQ at the public address {host} is spoken to in clear.", "Use amqps://.",
        )  # fmt: skip
    if (user, password) == ("guest", "guest"):
        yield Finding(
            "broker", Level.WARNING, "RabbitMQ is used as guest with the password everybody knows.",
            "Give Roost a RabbitMQ user of its own, with rights on its own vhost only.",
        )  # fmt: skip
