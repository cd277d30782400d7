"""What nobody asks for any more is forgotten, a piece at a time, and nobody waits for it."""

from __future__ import annotations

from roost.database import Database
from roost.moves.pruning import PIECE, prune
from tests.world import World

_OLD = """
INSERT INTO journal (request_id, at, origin, operation, outcome)
SELECT 'old/' || n, now() - make_interval(days => %s, secs => n), 'cli', 'return', 'nothing_to_return'
FROM generate_series(1, %s) n
"""
_KEPT = "SELECT count(*) FROM journal WHERE request_id LIKE 'old/%%'"


def test_the_journal_is_forgotten_by_its_age_in_pieces(world: World) -> None:
    world.office("001", "002")
    world.sit("001", "desk002")
    world.sql(_OLD, 31, 2 * PIECE + 7)
    assert prune(world.database, None) == 0
    assert prune(world.database, 40) == 0
    while prune(world.database, 30):
        pass
    assert world.value(_KEPT) == 0
    assert [outcome for _, outcome, *_ in world.journal()] == ["virtualized"]


def test_a_row_that_somebody_holds_is_left_for_later_and_holds_up_nothing(
    world: World, database: Database
) -> None:
    world.sql(_OLD, 31, 20)
    with database.connection() as other, other.transaction():
        other.execute("SELECT FROM journal WHERE request_id = 'old/20' FOR UPDATE")
        assert prune(world.database, 30) == 19
    assert prune(world.database, 30) == 1


def test_with_nothing_to_forget_the_journal_is_not_read(world: World) -> None:
    world.sql(_OLD, 1, 5000)
    worker = Database(world.settings.need("database_url"), size=1, one_plan=True)
    try:
        assert prune(worker, 30) == 0
        with worker.connection() as connection:
            connection.execute("SELECT pg_stat_force_next_flush()")
    finally:
        worker.close()
    assert world.rows(_READ) == [(0, 0)]


_READ = """
SELECT seq_scan, idx_tup_read FROM pg_stat_user_tables t JOIN pg_stat_user_indexes i USING (relid)
WHERE indexrelname = 'journal_by_time'
"""
