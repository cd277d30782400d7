"""A PostgreSQL that is not reached: what libpq and the server say of it, and what mends that."""

from __future__ import annotations

import re

from roost.hidden_folders import HOW_TO_SHOW

#: What is said, in PostgreSQL's own words, and where that is mended. The first that fits counts.
_REMEDIES = {
    "no certificate or crl found": "Name a file in PEM, with who signed the server's certificate, in sslrootcert= of ROOST_DATABASE_URL.",
    "has group or world access": "chmod 600 the file of sslkey= in ROOST_DATABASE_URL.",
    "certificate file .* does not exist|not private key file|could not (read|load|open) .*file": f"Mend its name in ROOST_DATABASE_URL (sslrootcert=, sslcert=, sslkey=), or {HOW_TO_SHOW}.",
    "certificate": "In ROOST_DATABASE_URL: the host that the server's certificate names, and sslrootcert=, the file of who signed it. It may have expired, too, or a clock be wrong.",
    "Peer authentication|Ident authentication": "Name a host in ROOST_DATABASE_URL, as 127.0.0.1: at its socket PostgreSQL lets in only the account of that name.",
    "authentication failed|no password supplied": "Mend the user or the password in ROOST_DATABASE_URL, or in PostgreSQL.",
    "no pg_hba.conf entry": "Let this machine, user and database in: a line in pg_hba.conf there, and reload it.",
    "role .* does not exist": "Mend the user in ROOST_DATABASE_URL, or make one: createuser --pwprompt NAME",
    "database .* does not exist": "Mend the name of the database in ROOST_DATABASE_URL, or make one: createdb --owner=ROLE NAME",
    "permission denied for database": "GRANT CONNECT ON DATABASE … TO the role of ROOST_DATABASE_URL.",
    "not permitted to log in": "ALTER ROLE … LOGIN for the role of ROOST_DATABASE_URL.",
    "too many clients|too many connections|connection slots": "Raise max_connections there, or the limit of the role or the database: each process keeps some connections.",
    "starting up|shutting down|recovery mode|not yet accepting": "Wait until it is up; who needs it connects again by itself.",
    "read-only|read-write|hot standby": "No host of ROOST_DATABASE_URL takes writes: name the primary, or promote a standby.",
    "startup parameter": "A pooler such as PgBouncer answers there. Name PostgreSQL itself: each process of Roost keeps a pool of its own.",
    "does not support SSL": "Switch TLS on there, or take sslmode= out of ROOST_DATABASE_URL.",
    "SSL negotiation|authentication request": "Another program has this port: mend it in ROOST_DATABASE_URL. PostgreSQL's is 5432.",
    "resolve host|host name": "Mend the host in ROOST_DATABASE_URL, or the name service.",
    "timeout|timed out|No route|unreachable": "Mend the address in ROOST_DATABASE_URL, or the network and the firewall between.",
    "refused": "Start it, or mend the address in ROOST_DATABASE_URL; it must listen there (listen_addresses).",
}  # fmt: skip


def why_not_reached(error: Exception) -> str:
    """What libpq says of a connection that failed: its first line, which holds no password."""
    return (str(error).strip().splitlines() or ["no answer"])[0]


def how_to_reach(why: str) -> str:
    """What to do when libpq says this (`why_not_reached`), in a sentence; libpq says what is the matter, and not where it is mended."""
    fitting = (remedy for said, remedy in _REMEDIES.items() if re.search(said, why))
    return next(fitting, "Start it, or mend ROOST_DATABASE_URL.")
