"""Provisions the demo's organization, as an operator would."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from demo.cast import OPERATOR, ORGANIZATION, ORGANIZATION_NAME, Cast
from demo.folder import DemoFailed
from roost.database import Database
from roost.directory import Directory
from roost.moves.outcomes import Outcome
from roost.moves.requests import SetCode
from roost.pbx.node import NodeAddress
from roost.people.person import People, Role
from roost.seal import seal
from roost.settings import Settings
from tasks.client import Client
from tasks.requests import SET_CODE

_CODE_WITHIN = 15.0


def provision(settings: Settings, cast: Cast, nodes: Mapping[str, NodeAddress]) -> None:
    """Nodes, organization, extensions and phones through the directory; codes through the workers."""
    database = Database(settings.need("database_url"))
    try:
        directory = Directory(database, settings.need("seal_public_key"))
        for name, address in nodes.items():
            directory.add_node(
                name,
                address.kind,
                address.host,
                address.port,
                secret=address.secret.get_secret_value(),
                options=address.options,
            )
        directory.add_organization(ORGANIZATION, name=ORGANIZATION_NAME)
        for person in cast.people:
            directory.add_extension(person.key, name=person.name, allows_virtualization=person.shared)
            home = cast.homes[person.phone]
            directory.add_phone(person.phone, organization=ORGANIZATION, node=home, base=person.key)
        People(database).add(OPERATOR, cast.operator_password, Role.OPERATOR)
    finally:
        database.close()
    with Client(settings) as client:
        for person in cast.people:
            if person.code is not None:
                _set_code(client, settings, person.number, person.code)


def _set_code(client: Client, settings: Settings, number: str, code: str) -> None:
    request_id = secrets.token_hex(16)
    now = client.ask_time(deadline=_CODE_WITHIN).result().now
    if now is None:
        raise DemoFailed("The workers could not reach the database.")
    sealed = seal(settings.need("seal_public_key"), request_id, code)
    request = SetCode(
        request_id=request_id,
        origin="cli",
        made_at=now,
        organization=ORGANIZATION,
        number=number,
        sealed_code=sealed,
    )
    answer = client.call(SET_CODE, request, deadline=_CODE_WITHIN)
    if answer.outcome is not Outcome.CODE_SET:
        raise DemoFailed(f"The code of {number} was not set: {answer.outcome}.")
