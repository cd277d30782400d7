"""What a worker asks costs the same after a day as after a minute: no statement reads a table, or an index, from end to end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.world import populate
from roost.database import Database, query
from roost.directory import Directory
from roost.directory.node_scope import set_scope
from roost.directory.store import find_organization
from roost.nodes.routes import announce, news_since, read_head
from roost.nodes.status import cluster_status
from roost.people.person import People
from roost.people.tokens import Tokens
from roost.settings import Settings
from roost.views.desks import desk_params, list_spare_phones, read_desks
from tests.core.reading import MANY_DESKS, fill, pages_read, rows_read
from tests.world import World

#: What every request, announcement or push looks into. They are empty when the statements are planned.
_GROW = ("journal", "call", "route", "phone", "extension", "organization")


@pytest.fixture(params=[0, 5_000], ids=["empty", "nobody_away"])
def worker(request: pytest.FixtureRequest, database_url: str, settings: Settings) -> Iterator[World]:
    """A worker whose connection is as old as the cluster: it plans its statements while the tables, or all phones, are known to be empty."""
    populate(database_url, settings, request.param)
    pool = Database(database_url, size=1, one_plan=True)
    yield World(pool, settings)
    pool.close()


#: An index of a part of a table, which looked empty too, can be read whole instead of looking a row up by its key.
_SCANS = """
SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY (%s)
UNION ALL
SELECT indexrelname, idx_scan FROM pg_stat_user_indexes JOIN pg_index USING (indexrelid) WHERE indpred IS NOT NULL
"""


def read_from_end_to_end(worker: World) -> dict[str, int]:
    """How many times each table was, and each index of a part of one, so far."""
    with worker.database.connection() as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
    with worker.database.connection() as connection:
        return dict(connection.execute(_SCANS, (list(_GROW),)).fetchall())


def test_no_request_and_no_push_reads_a_whole_table(worker: World) -> None:
    def a_while() -> None:
        for phone in ("desk002", "desk003") * 3:
            assert worker.key(phone, "001", "0000").outcome == "wrong_code"
            assert worker.sit("001", phone).outcome == "virtualized"
            assert worker.bring_home("001").outcome == "returned"
            with worker.database.connection() as connection:
                before = read_head(connection).version
            announce(worker.database)
            with worker.database.connection() as connection:
                assert news_since(connection, before, 10**9).changes

    worker.node()
    for number in ("001", "002", "003"):
        worker.desk(number)
    a_while()
    before = read_from_end_to_end(worker)
    a_while()
    assert read_from_end_to_end(worker) == before


#: Organization 0002 fell silent early; whoever moved is 0000007, who has moved most.
_LONG_JOURNAL = """
INSERT INTO journal (request_id, at, origin, operation, organization, extension, phone, left_phone, outcome)
SELECT 'r' || i, now() - (20000 - i) * interval '1 minute', 'api', 'virtualize', CASE WHEN i < 300 THEN '0002' ELSE '0001' END,
       CASE i %% 3 WHEN 0 THEN '0000007' ELSE lpad((i %% 400)::text, 7, '0') END,
       CASE i %% 3 WHEN 0 THEN 'p7' ELSE 'p' || i %% 400 END, CASE i %% 3 WHEN 1 THEN 'p7' END,
       CASE WHEN i %% 5000 = 1 THEN 'phone_locked' WHEN i %% 2 = 0 THEN 'virtualized' ELSE 'returned' END
FROM generate_series(1, 20000) i
"""


def test_a_page_of_a_long_journal_costs_what_it_shows(world: World) -> None:
    world.sql(_LONG_JOURNAL)
    noon = world.value("SELECT at FROM journal WHERE request_id = 'r10000'")
    with world.database.connection() as connection:
        connection.execute("VACUUM ANALYZE journal")

    def pages(statement: str, **filters: object) -> int:
        every = ("organization", "extension", "phone", "outcome", "since", "until")
        params = dict.fromkeys(every) | {"before_id": "", "limit": 51} | filters
        return pages_read(world, statement, params)

    filters: tuple[dict[str, object], ...] = (
        {}, {"organization": "0001"}, {"organization": "0002"}, {"outcome": "virtualized"}, {"outcome": "phone_locked"},
        {"outcome": "wrong_code"}, {"organization": "0001", "outcome": "phone_locked"}, {"until": noon}, {"since": noon},
    )  # fmt: skip
    for given in filters:
        assert pages("list_journal", **given) < 300, given
    for until in (None, noon):
        busy = pages("list_journal_of_extension", organization="0001", extension="0000007", until=until)
        assert busy < 300, until
        assert pages("list_journal_of_phone", phone="p7", until=until) < 300, until
    for statement in ("read_phone_before", "read_phone_after"):
        assert pages(statement, phone="p7", at=noon) < 100


def test_how_far_a_node_is_behind_costs_no_more_when_it_is_very_far(world: World) -> None:
    world.organization()
    world.node("n1")
    changes = "INSERT INTO route (key, organization_id, version) SELECT 'e/0001*' || i, 1, i FROM generate_series(%s::int, %s) i"
    world.sql(changes, 1, 9_000)
    assert cluster_status(world.database).nodes[0].behind == 9_000
    world.sql(changes, 9_001, 60_000)
    assert cluster_status(world.database).nodes[0].behind == 60_000
    assert pages_read(world, "list_node_status", {"node": None}) < 300, "of some 1,000"


def test_a_page_of_phones_costs_what_it_shows_however_many_others_there_are(world: World) -> None:
    world.office("001", "002")
    world.sql("INSERT INTO organization (code) VALUES ('0002')")
    world.node("n2")
    fill(
        world,
        "INSERT INTO phone (organization_id, name, node_id) SELECT o.id, 'a' || i, n.id FROM organization o, pbx_node n,"
        " generate_series(1, 20000) i WHERE o.code = '0002' AND n.name = 'n2'",
    )
    with world.database.connection() as connection:
        row = connection.execute(query("find_owners"), {"organization": "0001", "node": "n1"}).fetchone()
    assert row is not None
    every: dict[str, object] = dict.fromkeys(("name", "organization", "node", "search", "after"), None)
    for name, found in zip(("organization", "node"), row, strict=True):
        assert pages_read(world, "list_phones", every | {"limit": 100, name: found}) < 50, name
    phones = Directory(world.database).phones
    assert [phone.name for phone in phones(organization="0001")] == ["desk001", "desk002"]
    assert [phone.name for phone in phones(node="n1", after="desk001")] == ["desk002"]
    assert phones(organization="0009") == phones(node="n9") == []


def test_desks_cost_the_same_in_an_organization_that_has_four_times_as_many(world: World) -> None:
    world.node()
    fill(world, MANY_DESKS)
    ids = {
        code: world.value("SELECT id FROM organization WHERE code = %s", code) for code in ("0001", "0002")
    }

    def rows(organization: str, search: str = "", *, behind: str = "", ahead: str = "") -> int:
        return rows_read(world, "list_desks", desk_params(organization, search, behind=behind, ahead=ahead))

    for search in (
        "",
        "p",
        "person",
        "person 1",
        "person 12 p",
        "0",
        "00001",
        "1",
        "desk",
        "desk-{}-0",
        "nobody",
    ):
        large, small = (rows(code, search.format(ids[code])) for code in ids)
        assert large < 1.2 * small + 300, (search, large, small)
    assert rows("0001", behind="007799") < 1.2 * rows("0002")
    assert rows("0001", ahead="007801") < 1.2 * rows("0002")

    def words_read(search: str) -> int:
        """Rows that the index of words gives, which gives all before the first is shown."""
        seen = []
        with world.database.connection() as connection:
            for params in (None, desk_params("0001", search)):
                if params:
                    connection.execute(query("list_desks"), params)
                connection.execute("SELECT pg_stat_force_next_flush()")
                row = connection.execute(
                    "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'extension_by_words'"
                ).fetchone()
                assert row is not None
                seen.append(int(row[0]))
        return seen[1] - seen[0]

    assert words_read("p") == words_read("person") == 0, "nearly all names have it"
    assert words_read("person 77") == words_read("77") == 111
    fill(
        world,
        "UPDATE extension SET name = replace(name, 'Person', 'Guest') WHERE length(ltrim(number, '0')) < 3 OR number > '007990'",
    )
    assert len(read_desks(world.database, "0001", search="guest").desks) == 99 + 10, "found wherever they are"
    fill(world, "UPDATE phone SET guest_id = NULL, guest_since = NULL WHERE guest_id > 200")
    assert rows("0001", "0") < rows("0001") + 500, "where few sit as guests, no more is read than is shown"


#: 20 sat down first, but for a year; then 30 whose stays are over, and 3,000 whose stays are not.
_MANY_GUESTS = """
INSERT INTO organization (code, max_stay, daily_return) VALUES ('0001', '8 hours', NULL);
INSERT INTO extension (organization_id, number, max_stay)
SELECT o.id, i::text, CASE WHEN i <= 20 THEN interval '1 year' END FROM organization o, generate_series(1, 3051) i;
INSERT INTO phone (organization_id, name, node_id, base_id) SELECT organization_id, 'p' || number, (SELECT min(id) FROM pbx_node), id FROM extension;
UPDATE phone p SET guest_id = base_id - 1, guest_since = now() - CASE WHEN e.number::int <= 51 THEN '10 days' ELSE '1 hour' END::interval
FROM extension e WHERE e.id = base_id AND e.number <> '1'
"""


def test_stays_that_are_over_are_found_without_a_look_at_everybody_who_sits(world: World) -> None:
    world.node()
    fill(world, _MANY_GUESTS)
    with world.database.connection() as connection:
        over = connection.execute(query("list_ended_stays"), {"limit": 50}).fetchall()
    assert len(over) == 30
    assert {reason for *_, reason in over} == {"stay_ended"}
    assert rows_read(world, "list_ended_stays", {"limit": 50}) < 500


_MANY_PEOPLE = """
INSERT INTO organization (code) VALUES ('0001'), ('0002');
INSERT INTO person (login, role, organization_id, password_hash)
SELECT 'a' || i, 'administrator', o.id, '' FROM organization o, generate_series(1, 3000) i WHERE o.code = '0002';
INSERT INTO token (name, token_hash, organization_id, access)
SELECT 'a', i::text::bytea, o.id, 'read' FROM organization o, generate_series(1, 3000) i WHERE o.code = '0002';
INSERT INTO person (login, role, organization_id, password_hash) SELECT 'b', 'administrator', id, '' FROM organization WHERE code = '0001';
INSERT INTO token (name, token_hash, organization_id, access) SELECT 'b', 'b', id, 'read' FROM organization WHERE code = '0001'
"""


def test_people_and_tokens_are_listed_without_a_look_at_those_of_others(world: World) -> None:
    fill(world, _MANY_PEOPLE)
    organization = find_organization(world.database, "0001")
    asked: dict[str, object] = {"organization": organization, "limit": 100}
    assert rows_read(world, "list_people", asked | {"login": None, "after": ""}) < 50
    assert rows_read(world, "list_tokens", asked | {"id": None, "after": 0}) < 50
    assert [person.login for person in People(world.database).people("0001")] == ["b"]
    assert [token.name for token in Tokens(world.database).tokens("0001")] == ["b"]
    assert not People(world.database).people("0009")
    assert not Tokens(world.database).tokens("0009")


def test_a_node_of_few_is_sent_and_audited_without_a_look_at_all_others(world: World) -> None:
    world.node()
    fill(world, MANY_DESKS)
    world.sql("INSERT INTO organization (code) VALUES ('0003')")
    world.desk("001", organization="0003")
    world.node("n2")
    set_scope(world.database, "n2", ["0003"])
    node = world.value("SELECT id FROM pbx_node WHERE name = 'n2'")
    asked: dict[str, object] = {"node_id": node, "serves_all": False, "after": 0, "limit": 500}
    for statement in ("list_piece_of_served_routes", "list_piece_of_served_phones", "count_keys"):
        assert rows_read(world, statement, asked) < 50, statement


def test_spare_phones_are_listed_without_a_look_at_those_of_others(world: World) -> None:
    world.node()
    fill(
        world,
        MANY_DESKS
        + ";UPDATE phone SET base_id = NULL, guest_id = NULL, guest_since = NULL WHERE organization_id = (SELECT max(organization_id) FROM phone)",
    )
    assert rows_read(world, "list_spare_phones", {"organization": "0001", "limit": 100}) < 20
    assert rows_read(world, "list_spare_phones", {"organization": "0002", "limit": 100}) < 120
    assert len(list_spare_phones(world.database, "0002")) == 100


#: As if it cost nothing, and paid for the smallest table.
_OTHER_PROCESSES_ARE_CHEAP = (
    "SET parallel_setup_cost = 0", "SET parallel_tuple_cost = 0",
    "SET min_parallel_table_scan_size = 0", "SET min_parallel_index_scan_size = 0",
)  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "write_piece_of_routes", "write_piece_of_phones", "write_piece_of_served_routes", "write_piece_of_served_phones",
        "list_piece_of_routes", "list_piece_of_phones", "count_keys", "count_held_keys",
    ],
)  # fmt: skip
def test_a_piece_of_a_full_send_is_read_without_another_process(
    world: World, database_url: str, statement: str
) -> None:
    world.node()
    fill(world, MANY_DESKS)
    pool = Database(database_url, size=1, one_plan=True)
    asked: dict[str, object] = {"node_id": 1, "serves_all": True, "after": 100, "limit": 5_000}
    with pool.connection() as connection:
        for setting in _OTHER_PROCESSES_ARE_CHEAP:
            connection.execute(setting)
        plan = "".join(str(row) for row in connection.execute(f"EXPLAIN {query(statement)}", asked))
    pool.close()
    assert "Scan" in plan
    assert "Gather" not in plan
