"""The simulator: many PBX nodes in one process, each a server that speaks AMI as Asterisk 22 does.

It knows the actions Roost uses, with Asterisk's texts, limits and habits; `tests/conformance` holds it to the
real one. For demo, tests and benchmarks; it routes no calls.

One idea a file: `store` (AstDB and its late commits), `wire` (actions in, answers out), `actions` (what each
does), `faults` (what can go wrong, on demand), `server` (connections), `__main__` (the process).
"""
