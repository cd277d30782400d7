"""An upgraded database is the same as a new one, but for what the release before still needs."""

from __future__ import annotations

import re
from datetime import time
from importlib.resources import files

import psycopg
import pytest

from roost.schema import check_schema, upgrade_database
from roost.version import VERSION
from tests.upgrades.catalogue import catalogue_of

_LAX = """
ALTER TABLE organization DROP CONSTRAINT organization_name_check;
ALTER TABLE extension DROP CONSTRAINT extension_name_check;
ALTER TABLE phone DROP CONSTRAINT phone_emergency_location_check;
ALTER TABLE token DROP CONSTRAINT token_name_check;
UPDATE organization SET name = E'Ac\u0085me', lock_after = 9999;
UPDATE extension SET name = E'\u009fAna' WHERE number = '001';
UPDATE phone SET emergency_location = E'Hall\u0080' WHERE name = 'desk001';
INSERT INTO token (name, token_hash, access) VALUES (E'\u0085', '', 'read');
"""

_TOO_LONG = """
UPDATE phone SET emergency_location = repeat(',', 256) WHERE name = 'desk001';
UPDATE phone SET emergency_location = repeat(',', 254) || E'\u0080' WHERE name = 'desk002';
UPDATE extension SET name = repeat('🦜', 63) || E'\u009f' WHERE number = '001';
UPDATE extension SET name = repeat('🦜', 64) WHERE number = '002';
"""
_WITHOUT_END = """
UPDATE organization SET max_stay = '293000 years', lock_for = '3000000 years', daily_return = '24:00';
UPDATE extension SET max_stay = '293000 years' WHERE number = '001';
UPDATE extension SET daily_return = '24:00' WHERE number = '002';
"""
#: As after a move to a system with a newer tzdata: PostgreSQL checks a row when it is written.
_ZONE_GONE = """
ALTER TABLE organization DROP CONSTRAINT organization_timezone_check;
UPDATE organization SET timezone = 'US/Gone';
ALTER TABLE organization ADD CONSTRAINT organization_timezone_check CHECK (now() AT TIME ZONE timezone IS NOT NULL) NOT VALID;
"""


def without_what_the_release_before_needs(upgraded: set[str], before: set[str]) -> set[str]:
    """Without what 0.1.0 had and a new database has not: its own functions, their types, and where it reads its version."""
    own = ("function ", "type public.", "column public.roost_schema.")
    kept = {line for line in before if line.startswith(own) or "roost_schema_pkey" in line}
    return {
        line for line in upgraded if line not in kept and not line.startswith("relation public.roost_schema")
    }


def test_a_database_of_the_release_before_comes_up_to_the_same_as_a_new_one(
    old_database: str, database_url: str
) -> None:
    before, new = catalogue_of(old_database), catalogue_of(database_url)
    upgrade_database(old_database)
    upgraded = catalogue_of(old_database)
    assert without_what_the_release_before_needs(upgraded, before - new) == new


def test_what_only_the_release_before_took_is_mended(old_database: str) -> None:
    """0.1.0 took any number of wrong codes, and by psql control characters that the locale did not take for some."""
    with psycopg.connect(old_database) as connection:
        connection.execute(_LAX)
    upgrade_database(old_database)
    with psycopg.connect(old_database) as connection:
        names = "SELECT o.name, o.lock_after, e.name, p.emergency_location, t.name FROM organization o, extension e, phone p, token t"
        rows = connection.execute(f"{names} WHERE p.base_id = e.id AND e.number = '001'").fetchall()
    assert rows == [("Acme", 1000, "Ana", "Hall", "token")]


def test_a_row_that_is_too_long_for_any_node_stays_so_also_when_its_control_characters_go(
    old_database: str,
) -> None:
    with psycopg.connect(old_database) as connection:
        connection.execute(_LAX)
        connection.execute(_TOO_LONG)
    upgrade_database(old_database)
    with psycopg.connect(old_database) as connection:
        rows = connection.execute(
            "SELECT length(e.name), length(emergency_location) FROM extension e JOIN phone ON base_id = e.id"
            " WHERE number IN ('001', '002') ORDER BY number"
        ).fetchall()
        assert rows == [(63, 256), (64, 254)]
        with pytest.raises(psycopg.errors.CheckViolation, match="phone desk001 with extension 001"):
            connection.execute("UPDATE extension SET name = name || 'x' WHERE number = '001'")


def test_durations_without_an_end_get_one_and_a_day_that_ends_at_24_ends_at_0(old_database: str) -> None:
    with psycopg.connect(old_database) as connection:
        connection.execute(_WITHOUT_END)
    upgrade_database(old_database)
    with psycopg.connect(old_database) as connection:
        rows = connection.execute(
            "SELECT max_stay::text, lock_for::text, daily_return FROM organization UNION ALL"
            " (SELECT max_stay::text, NULL, daily_return FROM extension WHERE number IN ('001', '002') ORDER BY number)"
        ).fetchall()
    assert rows == [
        ("300 years", "300 years", time(0, 0)),
        ("300 years", None, None),
        (None, None, time(0, 0)),
    ]


def test_an_organization_whose_time_zone_is_known_no_more_is_upgraded(old_database: str) -> None:
    with psycopg.connect(old_database) as connection:
        connection.execute(_ZONE_GONE)
    upgrade_database(old_database)
    assert check_schema(old_database) == VERSION


def test_no_index_of_a_large_table_is_built_while_its_writers_wait() -> None:
    migration = files("roost").joinpath("migrations", f"{VERSION}.sql").read_text(encoding="utf-8")
    at_once = re.findall(r"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)[^;]* ON (\w+)", migration)
    assert not {"journal", "call", "extension", "phone", "route"}.intersection(at_once)


def test_an_upgrade_that_was_cut_off_is_run_again(old_database: str, database_url: str) -> None:
    steps = files("roost").joinpath("migrations", f"{VERSION}.sql").read_bytes().split(b"\n\n")
    before, new = catalogue_of(old_database), catalogue_of(database_url)
    with psycopg.connect(old_database, autocommit=True) as connection:
        for step in steps:
            connection.execute(step)
    assert upgrade_database(old_database).before == VERSION - 1
    assert without_what_the_release_before_needs(catalogue_of(old_database), before - new) == new


def test_an_index_of_which_the_building_broke_off_is_built_anew(old_database: str) -> None:
    with psycopg.connect(old_database, autocommit=True) as connection:
        connection.execute("CREATE INDEX journal_by_organization ON journal (organization, at)")
        connection.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'journal_by_organization'::regclass"
        )
        upgrade_database(old_database)
        assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)


def test_the_schema_has_the_version_of_this_program(database_url: str) -> None:
    assert upgrade_database(database_url).before == VERSION
