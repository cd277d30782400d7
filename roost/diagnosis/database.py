"""PostgreSQL, and what the directory in it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg

from roost.database import AS_PSYCOPG_READS, Database, query
from roost.errors import RoostError
from roost.finding import Finding, Level
from roost.not_reached import how_to_reach, why_not_reached
from roost.schema import HOW_IN_UTF8, NEWEST, OLDEST, check_schema, encoding_of
from roost.settings import Settings
from roost.version import VERSION, WrongVersion

#: Seconds by which this machine's clock may differ.
CLOCK_TOLERANCE = 2.0

#: `owns`: whether a role has the rights of who owns Roost's tables. Of other processes their names and roles are for all to see.
_SERVER = """
WITH owner AS (SELECT relowner FROM pg_class WHERE oid = to_regclass('roost_version'))
SELECT clock_timestamp(), pg_is_in_recovery(), me.rolsuper,
       coalesce(pg_has_role(me.oid, (SELECT relowner FROM owner), 'USAGE'), false),
       ARRAY(SELECT DISTINCT a.application_name FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
             WHERE a.datname = current_database() AND a.application_name ~ '^roost-' AND a.pid <> pg_backend_pid()
               AND coalesce(pg_has_role(r.oid, (SELECT relowner FROM owner), 'USAGE'), false) ORDER BY 1)
FROM pg_roles me WHERE me.rolname = current_user
"""


def check_server(url: str) -> Iterator[Finding]:
    """Look at the server, its version, its clock and the schema; what is an ERROR leaves nothing more to look at."""
    try:
        with psycopg.connect(
            url, connect_timeout=5, options=f"-c statement_timeout=5000{AS_PSYCOPG_READS}"
        ) as connection:
            row = connection.execute(_SERVER).fetchone()
            here = datetime.now(UTC)
            major, encoding = connection.info.server_version // 10_000, encoding_of(connection)
    except (psycopg.Error, UnicodeError) as error:
        why = why_not_reached(error)
        yield Finding("database", Level.ERROR, f"PostgreSQL is not reachable: {why}", how_to_reach(why))
        return
    assert row is not None  # it always has one
    there, standby, superuser, owns, others = row
    if standby:
        yield Finding(
            "database", Level.ERROR, "This PostgreSQL is a standby; nothing can be written.",
            "Add target_session_attrs=read-write to ROOST_DATABASE_URL, and name all its hosts.",
        )  # fmt: skip
        return
    if OLDEST <= major <= NEWEST:
        yield Finding("database", Level.OK, f"PostgreSQL {major} answers.")
    else:
        yield Finding(
            "database", Level.WARNING, f"PostgreSQL {major} is not one of {OLDEST} to {NEWEST}.", "Use one of these.",
        )  # fmt: skip
    if encoding != "UTF8":
        yield Finding(
            "database", Level.WARNING, f"The database's encoding is {encoding}: names that it does not hold are refused.",
            f"{HOW_IN_UTF8} Then restore a dump of this one there.",
        )  # fmt: skip
    yield from _rights(others, superuser=superuser, owns=owns)
    off = abs((there - here).total_seconds())
    if off > CLOCK_TOLERANCE:
        yield Finding(
            "clock", Level.WARNING, f"This machine's clock and the database's differ by {off:.0f} s.",
            "Set both by NTP. Roost goes by the database's; logs and stays would confuse people.",
        )  # fmt: skip
    yield _schema(url)


def _rights(others: list[str], *, superuser: bool, owns: bool) -> Iterator[Finding]:
    """Whether this process, and others that are connected now, have more than they need."""
    if superuser:
        yield Finding(
            "database", Level.NOTE, "Roost's role is a superuser of PostgreSQL: whoever takes a worker has the whole server.",
            "Give Roost a role of its own that owns its database, and no more: CREATE ROLE roost LOGIN; ALTER DATABASE … OWNER TO roost.",
        )  # fmt: skip
    if superuser or owns or others:
        who = ", ".join(filter(None, ["this machine's role" if superuser or owns else "", *others]))
        yield Finding(
            "database", Level.NOTE, f"More rights at PostgreSQL than a process needs, for all of Roost's tables: {who}.",
            "`roost db roles --passwords` makes a role for each kind of process; name it in ROOST_DATABASE_URL there.",
        )  # fmt: skip


def _schema(url: str) -> Finding:
    try:
        version = check_schema(url)
    except WrongVersion as error:
        return Finding("schema", Level.ERROR, f"{type(error).__doc__} {error.found}.", error.mend)
    except RoostError as error:
        return Finding("schema", Level.ERROR, str(error), "Look again when that is mended.")
    if version > VERSION:
        return Finding(
            "schema", Level.NOTE, f"The database has version {version}, one ahead of this program, which runs on it.",
            "Install the newer Roost on this machine too.",
        )  # fmt: skip
    return Finding("schema", Level.OK, "The schema is this program's.")


def check_directory(database: Database, settings: Settings) -> Iterator[Finding]:
    """Look for what is there to no purpose, or cannot work."""
    with database.connection() as connection:
        row = connection.execute(query("count_oddities")).fetchone()
        too_long = connection.execute(query("list_long_rows")).fetchall()
        zoneless = connection.execute(query("list_unknown_zones")).fetchall()
        hidden = connection.execute(
            query("list_hidden_extensions"), {"feature_code": settings.feature_code}
        ).fetchall()
    assert row is not None  # it always has one
    organizations, nodes, baseless, hostless, stuck = row
    if not organizations:
        yield Finding("directory", Level.NOTE, "There are no organizations.", "roost org add")
    if not nodes:
        yield Finding("directory", Level.WARNING, "There are no PBX nodes in use.", "roost node add")
    if baseless:
        yield Finding(
            "directory", Level.NOTE, f"Phones without a base extension, on which nobody can sit: {baseless}.",
            "roost phone set PHONE --base 0001*001",
        )  # fmt: skip
    if hostless:
        yield Finding(
            "directory", Level.NOTE, f"Extensions that allow virtualization and have no phone in use: {hostless}.",
            "Give them a phone, or roost extension set … --disallow.",
        )  # fmt: skip
    if stuck:
        yield Finding(
            "directory", Level.WARNING, f"Extensions with a secret code and no phone they could sit on: {stuck}.",
            "roost extension set … --allow on the extensions whose phones are shared.",
        )  # fmt: skip
    if too_long:
        some = ", ".join(f"{phone} with {extension}" for phone, extension, _ in too_long)
        yield Finding(
            "directory", Level.WARNING, f"Rows that no node can store: {too_long[0][2]}, such as {some}.",
            "Shorten the extension's name or mailbox, or the phone's emergency location.",
        )  # fmt: skip
    if zoneless:
        some = ", ".join(f"{organization} in {zone}" for organization, zone, _ in zoneless)
        yield Finding(
            "directory", Level.WARNING,
            f"Organizations in a time zone that PostgreSQL does not know, where no stay ends by the time of day: {zoneless[0][2]}, such as {some}.",
            f"roost org set {zoneless[0][0]} --timezone … (America/New_York for US/Eastern), or tzdata with the old names (Debian: tzdata-legacy) "
            "beside PostgreSQL, which must be restarted then.",
        )  # fmt: skip
    if hidden:
        some = ", ".join(extension for extension, _ in hidden)
        yield Finding(
            "directory", Level.WARNING,
            f"Extensions that nobody can call, for their number begins with the feature code {settings.feature_code}: "
            f"{hidden[0][1]}, such as {some}.",
            "Take a feature code with * or #: ROOST_FEATURE_CODE, and ROOST_FEATURE in every node's dialplan.",
        )  # fmt: skip
