"""What the ratios shall be. A ratio compares with a baseline of the same run, because machines differ."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """`relation` is `≥`, `≤` or `=`."""

    what: str
    relation: str
    limit: float

    def met(self, value: float) -> bool:
        """Whether a measured value is as it shall be."""
        if self.relation == "=":
            return value == self.limit
        return value >= self.limit if self.relation == "≥" else value <= self.limit


TARGETS = {
    "bind_vs_noop": Target("binds a second, pushed to 2 nodes, over no-op requests; 8 callers", "≥", 0.8),
    "bind_burst": Target("the same with 64 callers", "≥", 1.2),
    "bind_vs_database": Target(
        "binds a second, 64 callers, over pgbench calling the same function", "≥", 0.35
    ),
    "cpu_per_bind": Target("processor time of a bind over that of a no-op, 64 callers", "≤", 1.2),
    "bind_64_vs_2": Target("binds a second with 64 nodes over 2", "≥", 0.9),
    "verify_vs_argon2": Target("codes verified a second over bare argon2id on all cores", "≥", 0.88),
    "latency_vs_noop.p50": Target(
        "one caller: code keyed to outcome, less argon2id, over no-op p50", "≤", 3.5
    ),
    "latency_vs_noop.p99": Target("the same, p99 over no-op p50", "≤", 8),
    "converge_16": Target("a bind's answer to applied on 16 nodes, over the same with 2; p50", "≤", 3),
    "converge_vs_noop.p50": Target(
        "20 binds a second: request to applied on 2 Asterisks, over no-op p50", "≤", 5
    ),
    "converge_vs_noop.p99": Target("the same, p99 over no-op p50", "≤", 20),
    "lamp.p50": Target("ms from a bind's answer to the NOTIFY at watchers on 2 Asterisks", "≤", 300),
    "lamp.p99": Target("the same, p99 of 200 moves", "≤", 300),
    "lamps_vs_none": Target(
        "binds a second, 2,000 lamps watched on each of 2 Asterisks, over none", "≥", 0.8
    ),
    "freepbx_move": Target(
        "a move with lamps applied at FreePBX of 10,000 users, over at a plain Asterisk", "≤", 1.5
    ),
    "freepbx_audit": Target(
        "seconds of an audit of its 10,000 users and phones, without the rests between its pieces", "≤", 2
    ),
    "kamailio_send_vs_raw": Target(
        "a full send to an empty Kamailio, over a raw loop of the same bodies", "≥", 0.8
    ),
    "kamailio_send": Target("rows a second of that full send", "≥", 60_000),
    "kamailio_calls_meanwhile": Target(
        "a call's routing while a Kamailio's table is written, over while it is not; p99", "≤", 2
    ),
    "kamailio_move": Target("a move's request to applied on 2 Kamailios, over on 2 Asterisks; p50", "≤", 1.5),
    "kamailio_back": Target("seconds until an emptied table of 10,000 extensions is back, at worst", "≤", 2),
    "messages_per_bind": Target("messages to the broker for a bind at full load, 64 nodes", "≤", 4),
    "resync_vs_dbput": Target("keys a second of a full send over a raw DBPut loop", "≥", 0.8),
    "bind_1m_vs_1k": Target("binds a second with 1,000,000 extensions over 1,000", "≥", 0.9),
    "catch_up": Target("extension routes sent to a node that missed 100,000 moves of 1,000", "=", 1000),
    "center_calls.calls": Target("calls in progress at once in one center", "≥", 1000),
    "center_calls.step_p99": Target("p99 of an AGI step then, over that of one call", "≤", 2),
    "rss.push": Target("MB resident: a push worker with 64 nodes", "≤", 120),
    "rss.bind": Target("MB resident: a bind worker", "≤", 120),
    "rss.center": Target("MB resident: a center with 1,000 calls", "≤", 120),
    "api_reads_vs_bare": Target(
        "API reads a second over a bare route that reads one row; 8 connections", "≥", 0.5
    ),
    "page_reads_vs_bare": Target("pages a second over the same route", "≥", 0.5),
    "import_100k": Target("desks of 100,000 imported a second over COPY, same triggers", "≥", 0.5),
    "desks_100k_vs_100": Target("a part or a search of 100,000 desks over a page of 100", "≤", 2),
    "desks_100k_worst": Target("the slowest of those, which shows 200, over twice a page of 100", "≤", 2),
    "list_100k.rate": Target("extensions listed a second, as JSON lines", "≥", 20_000),
    "list_100k.rss": Target("MB resident: listing 100,000 extensions", "≤", 120),
    "remove_100k.seconds": Target("seconds to remove an organization of 100,000", "≤", 60),
    "remove_100k.worst_move": Target("ms: the worst move of another organization meanwhile", "≤", 500),
    "audit_beside_moves": Target(
        "time to converge on 3 nodes, p99, while they are audited, over without", "≤", 1.5
    ),
    "rss_push_large": Target("MB resident: the push worker that sends and audits them", "≤", 150),
    "live_100k": Target(
        "ms from a move to the last viewer's event, p99; 20 moves a second, 100 viewers", "≤", 1000
    ),
    "journal_1m_vs_1k": Target("a page of a journal of 1,000,000 over of 1,000, the worst filter", "≤", 2),
    "shift_change": Target(
        "10,000 people with codes, 4 centers: first key to last route on 8 nodes, over argon2id alone",
        "≤",
        1.35,
    ),
    "vs_naive": Target("time to converge on 16 nodes over a task for each bind and node", "≤", 0.2),
    "vs_procrastinate": Target("binds a second over the same core driven by procrastinate", "≥", 1.5),
}
