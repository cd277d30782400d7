"""The chaos harness: real services under load and faults, and a checker that knows what must come out.

One idea a file: `model` (what the contract allows), `history` (the journal replayed against it), `stage` (the
services), `network` (links that can be cut), `people` (who is there), `load` (people who ask), `faults` and
`*_faults` (what goes wrong), `observer` (who watches), `resources` (what is used), `run` (one run, from start to
verdict), `report` (how it is told), `fuzz` (the parsers, fed by atheris).
"""
