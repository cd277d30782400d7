"""The chaos harness: real services under load and faults, and a checker that knows what must come out.

One idea a file: `model` (what SEMANTICS allows), `history` (the journal replayed against it), `stage` (the services),
`proxies` (networks that can be cut), `load` (people who ask), `faults` (what goes wrong), `observer` (who watches),
`run` (one run, from start to verdict), `report` (how it is told).
"""
