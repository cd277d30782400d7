SELECT (t.taken).id, (t.taken).name, (t.taken).kind, (t.taken).host, (t.taken).port, (t.taken).username, (t.taken).secret,
       (t.taken).options, (t.taken).serves_all, (t.taken).resync, (t.taken).applied_version, (t.taken).failures, (t.taken).failing_since,
       (t.taken).failure, t.due, t.audit_due, t.has_refused, t.refused_due, t.lineage, t.version
FROM unnest(%(nodes)s::text[]) AS asked (name)
CROSS JOIN LATERAL take_node(node => asked.name, now_please => %(now_please)s, audit_every => %(audit_every)s, audit_often => %(audit_often)s,
                             audit_silence => %(audit_silence)s, longest_delay => %(longest_delay)s) t
WHERE t.due
