"""The desks that a node has set up by itself, read from it and made a file that `importing` takes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from contextlib import closing
from typing import BinaryIO

from psycopg.rows import class_row

from roost.database import Database, query
from roost.directory.cells import write_cell
from roost.directory.errors import UnknownNode
from roost.directory.node_options import address_of
from roost.directory.records import NodeLogin
from roost.errors import Invalid
from roost.pbx.kinds import kind_named
from roost.pbx.node import FoundDesk
from roost.settings import Settings


class NoDesks(Invalid):
    """A node of this kind keeps no desks of its own; import a file."""

    code = "no_desks"


def read_desks(database: Database, node: str, settings: Settings) -> list[FoundDesk]:
    """Ask the node. Raises UnknownNode, NoDesks, NodeUnavailable, NodeRefused, and SettingMissing without the private key."""
    with database.connection() as connection:
        cursor = connection.cursor(row_factory=class_row(NodeLogin))
        logins = {login.name: login for login in cursor.execute(query("list_node_addresses"))}
    if node not in logins:
        raise UnknownNode(f"({node}, or it is disabled)")
    kind = kind_named(logins[node].kind)
    if kind.desks is None:
        raise NoDesks(f"({kind.name})")
    settings.need("seal_private_key")
    with closing(
        kind.open(address_of(logins[node], settings.private_keys), settings.node_deadline)
    ) as opened:
        return list(kind.desks(opened.inside))


def file_of(desks: Iterable[FoundDesk], organization: str, node: str) -> BinaryIO:
    """Those that are without fault, as a file: a row each."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        ("organization", "number", "name", "phone", "node", "emergency_number", "emergency_location")
    )
    for desk in desks:
        if not desk.fault:
            cells = (
                desk.number, desk.name, desk.phone, node if desk.phone else "", desk.emergency_number,
                desk.emergency_location,
            )  # fmt: skip
            writer.writerow([organization, *map(write_cell, cells)])
    return io.BytesIO(text.getvalue().encode("utf-8", "replace"))
