"""The settings of this machine: what is missing, what does not fit, what is open to too many."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from roost.env_file import names_in
from roost.errors import RoostError
from roost.finding import Finding, Level, is_everywhere, is_here, is_public
from roost.hidden_folders import is_hidden
from roost.seal import seal, unseal
from roost.settings import Settings, contradicted, how_to_set, meant_by, strangers

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
#: Networks of more addresses than this are too wide to be one site: public ones, and private ones (an IPv4 /16, an IPv6 /64).
_WIDEST_PUBLIC, _WIDEST_PRIVATE, _WIDEST_V6 = 256, 2**16, 2**64
#: Proxies are a few machines.
_WIDEST_PROXIES = 256
#: Characters of a pepper, and different ones among them; `roost keys` makes more of both.
_SHORTEST_PEPPER, _FEWEST_LETTERS = 32, 10


def check_settings(settings: Settings, env_file: Path) -> Iterator[Finding]:
    """Look at the settings and the file they come from."""
    yield from _missing(settings)
    yield from _key_pair(settings)
    yield from _env_file(env_file)
    yield from _names(env_file)
    yield from _pepper(settings)
    yield from _center(settings)
    yield from _page(settings)
    yield from _metrics(settings)
    yield from _urls(settings)
    yield from _hidden_files(settings, env_file.parent)


def _missing(settings: Settings) -> Iterator[Finding]:
    for needed, level in ((_NEEDED_BY_ALL, Level.ERROR), (_NEEDED_BY_SOME, Level.NOTE)):
        for name, by in needed.items():
            if getattr(settings, name) is None:
                mend = (
                    f"{how_to_set(name)}{' `roost keys` makes the secrets.' if level is Level.NOTE else ''}"
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


def _names(path: Path) -> Iterator[Finding]:
    """Names that are none of ours, and settings that stand in two places."""
    for name, place in strangers(path).items():
        meant = meant_by(name)
        yield Finding(
            "settings", Level.WARNING, f"{name} in {place} is no setting of Roost.",
            f"Perhaps {meant} is meant." if meant else "Take it away, or mend its name.",
        )  # fmt: skip
    for name, times in Counter(each.upper() for each in names_in(path)).items():
        if times > 1 and name.startswith("ROOST_"):
            yield Finding(
                "settings", Level.WARNING, f"{name} stands {times} times in {path}; the last one counts.", "Take the others away.",
            )  # fmt: skip
    for name in contradicted(path):
        yield Finding(
            "settings", Level.NOTE, f"{name} in {path} does not count here: the environment gives it another value.",
            f"unset {name}, or take it out of the file.",
        )  # fmt: skip


def _pepper(settings: Settings) -> Iterator[Finding]:
    if settings.code_pepper is None:
        return
    pepper = settings.code_pepper.get_secret_value()
    if pepper != pepper.strip():
        yield Finding(
            "pepper", Level.WARNING, "ROOST_CODE_PEPPER begins or ends with a space or the end of a line: every process must have it just so, or right codes count as wrong.",
            "Take it away where it is set, if no code is set yet; else `roost keys rotate` makes another.",
        )  # fmt: skip
    if len(pepper) < _SHORTEST_PEPPER or len(set(pepper)) < _FEWEST_LETTERS:
        yield Finding(
            "pepper", Level.WARNING, "ROOST_CODE_PEPPER can be guessed; whoever has the database could then find out every secret code.",
            "Take one from `roost keys`, before codes are set: with another pepper, each must be set anew.",
        )  # fmt: skip


def _center(settings: Settings) -> Iterator[Finding]:
    if is_everywhere(settings.center_host):
        yield Finding(
            "center", Level.NOTE, f"ROOST_CENTER_HOST {settings.center_host}: the center listens on every network of this machine, in plain text.",
            "Name the address that the PBX nodes share; else only ROOST_CENTER_ALLOW keeps others out.",
        )  # fmt: skip
    if is_public(settings.center_host):
        yield Finding(
            "center", Level.WARNING, f"ROOST_CENTER_HOST {settings.center_host} is a public address; FastAGI is plain text.",
            "Listen on loopback, or on a private network that only the PBX nodes share.",
        )  # fmt: skip
    for network in settings.center_allow:
        if _is_wide(network):
            yield Finding(
                "center", Level.NOTE if network.is_private else Level.WARNING, f"ROOST_CENTER_ALLOW lets {network} in.",
                "Name the addresses of the PBX nodes alone: who may connect may pretend to be any phone.",
            )  # fmt: skip


def _page(settings: Settings) -> Iterator[Finding]:
    host = settings.web_host
    if not is_here(host) and not (settings.web_url or "").startswith("https:"):
        is_open = is_everywhere(host) or is_public(host)
        yield Finding(
            "page", Level.WARNING if is_open else Level.NOTE,
            f"ROOST_WEB_HOST {host}: others reach the page, and ROOST_WEB_URL is no https address; passwords may travel in clear.",
            "Listen on loopback behind a proxy that speaks TLS, and set ROOST_WEB_URL=https://…",
        )  # fmt: skip
    if (settings.web_url or "").startswith("https:") and not settings.web_proxies:
        yield Finding(
            "page", Level.WARNING, "ROOST_WEB_URL is https, and ROOST_WEB_PROXIES names no proxy: all who come through it count as one address, "
            "so a stranger's wrong passwords and connections keep others out.",
            "Set ROOST_WEB_PROXIES to the address of the proxy that speaks TLS, and have it send X-Forwarded-For.",
        )  # fmt: skip
    for network in settings.web_proxies:
        if not network.is_loopback and network.num_addresses > _WIDEST_PROXIES:
            yield Finding(
                "page", Level.WARNING, f"ROOST_WEB_PROXIES believes whatever address anybody in {network} claims to have.",
                "Name the proxies alone: limits of tries go by that address.",
            )  # fmt: skip


def _metrics(settings: Settings) -> Iterator[Finding]:
    if settings.metrics_ports is not None and is_public(settings.metrics_host):
        yield Finding(
            "metrics", Level.WARNING, f"ROOST_METRICS_HOST {settings.metrics_host} is a public address; whoever asks there learns how the cluster is.",
            "Listen on loopback, or on a private network that Prometheus shares.",
        )  # fmt: skip


def _is_wide(network: IPv4Network | IPv6Network) -> bool:
    if network.is_loopback:
        return False
    if network.version == 6:
        return network.num_addresses > _WIDEST_V6
    return network.num_addresses > (_WIDEST_PRIVATE if network.is_private else _WIDEST_PUBLIC)


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
        elsewhere = [host for host in str(parts.get("host") or "").split(",") if not is_here(host)]
        if elsewhere and parts.get("sslmode") not in {"require", "verify-ca", "verify-full"}:
            # The most exposed one first.
            host = max(elsewhere, key=is_public)
            yield Finding(
                "database", Level.WARNING if is_public(host) else Level.NOTE,
                f"PostgreSQL at {'the public address ' if is_public(host) else ''}{host} may be spoken to in clear.",
                "Add sslmode=verify-full to ROOST_DATABASE_URL, if others are on the way.",
            )  # fmt: skip


def _hidden_files(settings: Settings, folder: Path) -> Iterator[Finding]:
    """Files that this command may read, and that a unit of systemd does not find."""
    named: dict[str, object] = {"ROOST_BROKER_CA": settings.broker_ca}
    if settings.database_url is not None:
        with suppress(ProgrammingError):  # said of the URL itself
            parts = conninfo_to_dict(settings.database_url.get_secret_value())
            named |= {
                f"{name}= of ROOST_DATABASE_URL": parts.get(name)
                for name in ("sslrootcert", "sslcert", "sslkey")
            }
    for name, file in named.items():
        if file and is_hidden(Path(str(file)), folder):
            yield Finding(
                "settings", Level.NOTE, f"{name} is {file}, where a unit of systemd, as `roost setup` writes them, finds nothing.",
                "Put it beside .env, for the account of the units to read.",
            )  # fmt: skip


def _broker(url: str) -> Iterator[Finding]:
    parts = urlsplit(url.strip())
    host, user, password = parts.hostname or "", parts.username, parts.password
    if not is_here(host) and parts.scheme != "amqps":
        yield Finding(
            "broker", Level.WARNING if is_public(host) else Level.NOTE,
            f"RabbitMQ at {'the public address ' if is_public(host) else ''}{host} is spoken to in clear.",
            "Use amqps://, if others are on the way.",
        )  # fmt: skip
    if (user, password) == ("guest", "guest"):
        yield Finding(
            "broker", Level.WARNING, "RabbitMQ is used as guest with the password everybody knows.",
            "Give Roost a RabbitMQ user of its own, with rights on its own vhost only.",
        )  # fmt: skip
