"""How the options of a node are stored, and how a node of the database is reached.

A user name has a column of its own, which programs of 0.1.0 read and set; every other option is in the column `options`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pydantic import SecretStr

from roost.pbx.kinds import NodeOptions
from roost.pbx.node import NodeAddress
from roost.seal import NODE_SECRET, unseal


class _Login(Protocol):
    """What a node's row says of how to reach it; `secret` is sealed, and either is empty where the kind has none."""

    @property
    def kind(self) -> str: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def username(self) -> str: ...
    @property
    def secret(self) -> bytes: ...
    @property
    def options(self) -> dict[str, object]: ...


def address_of(login: _Login, private_keys: Sequence[str]) -> NodeAddress:
    """Open the secret. Raises SealBroken, and SettingMissing for a key that is none."""
    secret = unseal(private_keys, NODE_SECRET, login.secret.decode()) if login.secret else ""
    options = joined(login.username, login.options)
    return NodeAddress(login.kind, login.host, login.port, SecretStr(secret), options)


def joined(username: str, options: Mapping[str, object]) -> dict[str, object]:
    """A node's options as its kind reads them."""
    return {**options, "username": username} if username else dict(options)


def columns_of(options: NodeOptions) -> dict[str, Any]:
    """The columns that keep a node's options; what is as the kind has it by itself is left out."""
    return {
        "username": getattr(options, "username", ""),
        "options": options.model_dump(mode="json", exclude_defaults=True, exclude={"username"}),
    }


def changed(before: Mapping[str, object], given: Mapping[str, object]) -> dict[str, object]:
    """The options after a change; one given as None is taken away."""
    return {name: value for name, value in {**before, **given}.items() if value is not None}
