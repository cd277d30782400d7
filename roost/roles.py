"""PostgreSQL's roles for the processes: made, given their rights and passwords, or written out for somebody else to make."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from roost.database import read_url
from roost.grants import ROLES, grant, roles_there
from roost.schema import NotAllowed, alone
from roost.version import VERSION, DatabaseBehind, ProgramBehind, version_of

#: Nobody can log in as a role that has no password, where PostgreSQL asks for one.
_CREATE = "CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION"


@dataclass(frozen=True, slots=True)
class RolesMade:
    """What `make_roles` did: which roles are new, and the URL of each kind of process, when passwords were asked for."""

    new: list[str]
    urls: dict[str, str]


def make_roles(url: str, *, passwords: bool = False) -> RolesMade:
    """Make the roles that are missing, and give each the rights of its kind of process, and no more.

    With `passwords` each gets a new one; PostgreSQL is sent what it keeps of it, so that none is in its log. The URL must be of the
    database's owner. Raises DatabaseBehind, ProgramBehind, NotAllowed when the owner may make no role, and DatabaseUnavailable.
    """
    with alone(url) as connection, connection.transaction():
        _check_own_version(connection)
        there = roles_there(connection)
        missing = [role for role in ROLES.values() if role not in there]
        with _made_by_a_superuser():
            for role in missing:
                connection.execute(sql.SQL(_CREATE).format(sql.Identifier(role)))
        grant(connection)
        with _made_by_a_superuser():
            urls = give_passwords(connection, url) if passwords else {}
    return RolesMade(missing, urls)


@contextmanager
def _made_by_a_superuser() -> Iterator[None]:
    """Who owns the database may, as a rule, make no roles and give them no passwords; somebody else does."""
    try:
        yield
    except InsufficientPrivilege as error:
        raise NotAllowed(
            f"PostgreSQL says: {error.diag.message_primary}. Let a superuser run in psql what `roost db roles --print` prints, "
            "then run `roost db roles`."
        ) from None


def give_passwords(connection: psycopg.Connection[tuple[object, ...]], url: str) -> dict[str, str]:
    """Give each role a new password; the URL of each kind of process, on the hosts and with the options of `url`."""
    urls = {}
    for kind, role in ROLES.items():
        password = secrets.token_hex(24)
        kept = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(kept))
        )
        urls[kind] = _url_of(url, role, password)
    return urls


def commands() -> list[str]:
    """What makes the roles and asks for their passwords, for psql as a superuser."""
    lines = []
    for kind, role in ROLES.items():
        lines.append(f"-- {kind}")
        lines.append(_CREATE.format(role) + ";")
        lines.append(f"\\password {role}")
    return lines


def _check_own_version(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """The rights are those of this version: on a newer one they would take away what its processes need."""
    found = version_of(connection)
    if found is None or found < VERSION:
        raise DatabaseBehind(
            f"It has version {found or 'none'}, the program {VERSION}", "run `roost db upgrade` first."
        )
    if found > VERSION:
        raise ProgramBehind(f"It has version {found}, the program {VERSION}", "run it with the newer Roost.")


def _url_of(url: str, role: str, password: str) -> str:
    """The same hosts, database and options, for another role."""
    parts = {name: str(value) for name, value in read_url(url).items() if value is not None}
    hosts, ports = parts.pop("host", "").split(","), parts.pop("port", "").split(",")
    places = [f"[{host}]" if ":" in host else quote(host, safe="") for host in hosts]
    if ports != [""]:
        ports = ports * len(places) if len(ports) == 1 else ports
        places = [f"{place}:{port}" if port else place for place, port in zip(places, ports, strict=True)]
    database = quote(parts.pop("dbname", ""), safe="")
    options = {name: value for name, value in parts.items() if name not in {"user", "password"}}
    return f"postgresql://{role}:{password}@{','.join(places)}/{database}" + (
        f"?{urlencode(options, quote_via=quote)}" if options else ""
    )
