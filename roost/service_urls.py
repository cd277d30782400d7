"""What a URL of PostgreSQL or RabbitMQ must look like.

A password with an @ or a slash in it is read as a host or a port, and shown as one by whoever cannot reach that: so it is
refused before anybody tries. Errors name no part of the URL.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

#: A host of libpq with its port: a name, an address, IPv6 in brackets; nothing where a service is local.
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]*\]|[^\[\]:@]*)(:[0-9]*)?")
#: What may stand behind the ? of a broker's URL; kombu takes other names for arguments, and what is none for a fault of ours.
_BROKER_OPTIONS = {"heartbeat": re.compile("[0-9]{1,4}")}
_UNKNOWN_OPTION = "may end in ?heartbeat=SECONDS, and in nothing else behind a ?"
_NOT_PLAIN = (
    "must be USER:PASSWORD@HOST:PORT behind ://, and what means something there be written otherwise in a password: "
    "@ as %40, / as %2F, : as %3A, # as %23, ? as %3F, % as %25"
)


def check_database_url(value: SecretStr) -> SecretStr:
    """A libpq URL; the same value. Raises ValueError."""
    rest = _behind_scheme(value.get_secret_value(), "postgresql", "postgres")
    # The login ends at the first @, if that comes before the first slash (libpq's conninfo_uri_parse_options).
    _, at, behind = rest.partition("/")[0].partition("@")
    hosts = re.split("[/?]", behind if at else rest, maxsplit=1)[0].split(",")
    if not (at or _has_no_login(rest)) or not all(_HOST.fullmatch(host) for host in hosts):
        raise ValueError(_NOT_PLAIN)
    return value


def check_broker_url(value: SecretStr) -> SecretStr:
    """URLs as kombu takes them, separated by `;`; the same value. Raises ValueError."""
    for url in value.get_secret_value().split(";"):
        rest = _behind_scheme(url.strip(), "amqp", "amqps")
        try:
            parts = urlsplit(url.strip())
            is_plain = parts.port != 0 and ("@" in parts.netloc or _has_no_login(rest))
        except ValueError:  # what stands where the port should is none, or a bracket without its other half
            is_plain = False
        if not is_plain:
            raise ValueError(_NOT_PLAIN)
        options = parse_qsl(parts.query, keep_blank_values=True)
        if not all(
            name in _BROKER_OPTIONS and _BROKER_OPTIONS[name].fullmatch(given) for name, given in options
        ):
            raise ValueError(_UNKNOWN_OPTION)
    return value


def _behind_scheme(url: str, *schemes: str) -> str:
    scheme, found, rest = url.partition("://")
    if scheme not in schemes or not found or not rest.strip("/"):
        quoted = ", without quotes" if url[:1] in {"'", '"'} else ""
        wanted = " or ".join(f"{each}://" for each in schemes)
        raise ValueError(f"must begin with {wanted} and name a host{quoted}")
    return rest


def _has_no_login(rest: str) -> bool:
    """Whether there is really none: an @ behind the hosts was meant to end one."""
    return "@" not in rest.partition("?")[0]
