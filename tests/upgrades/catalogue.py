"""What a database is made of, as its catalogue tells it: one line a thing, so that two databases can be compared."""

from __future__ import annotations

import psycopg

#: Each gives lines of text. The order of a table's columns is left out: one that was added later stands last.
_QUERIES = (
    # tables, views, indexes and sequences
    """
    SELECT format('relation %s.%s %s %s %s %s', n.nspname, c.relname, c.relkind, c.reloptions, c.relacl, n.nspacl)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {ours} AND c.relkind <> 'c'
    """,
    """
    SELECT format('column %s.%s.%s %s%s%s%s default %s', n.nspname, c.relname, a.attname,
                  format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN ' not null' END,
                  a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid))
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE {ours} AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v')
    """,
    # Not null is said of the column: only PostgreSQL 18 has it here too.
    """
    SELECT format('constraint %s.%s %s valid %s on %s', n.nspname, c.conname, pg_get_constraintdef(c.oid), c.convalidated,
                  c.conrelid::regclass)
    FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE {ours} AND c.contype <> 'n'
    """,
    """
    SELECT format('index %s valid %s', pg_get_indexdef(i.indexrelid), i.indisvalid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {ours}
    """,
    """
    SELECT format('view %s.%s %s', n.nspname, c.relname, pg_get_viewdef(c.oid))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {ours} AND c.relkind = 'v'
    """,
    """
    SELECT format('trigger %s %s', pg_get_triggerdef(t.oid), t.tgenabled)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {ours} AND NOT t.tgisinternal
    """,
    """
    SELECT format('function %s', pg_get_functiondef(p.oid))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {ours}
    """,
    """
    SELECT format('type %s.%s (%s)', n.nspname, c.relname,
                  string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE {ours} AND c.relkind = 'c' GROUP BY n.nspname, c.relname
    """,
)


def catalogue_of(url: str) -> set[str]:
    """Every table, column, constraint, index, view, trigger, function and type of a database."""
    ours = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    with psycopg.connect(url) as connection:
        return {row[0] for text in _QUERIES for row in connection.execute(text.format(ours=ours))}
