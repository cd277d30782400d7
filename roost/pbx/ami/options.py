"""What must be known to log in over AMI, and what an operator should hear of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from roost.finding import Finding, Level, is_public
from roost.pbx.kinds import NodeOptions
from roost.pbx.node import NodeAddress

PORT = 5038


class AmiOptions(NodeOptions):
    """How to log in."""

    username: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,80}$")] = "roost"


def usual_port(_options: AmiOptions) -> int:
    """Where AMI listens unless its operator says otherwise."""
    return PORT


def examine_transport(address: NodeAddress, _options: AmiOptions) -> Iterator[Finding]:
    """Say so if the secret and the routes cross networks of others in clear."""
    if is_public(address.host):
        yield Finding(
            "nodes", Level.WARNING, f"AMI at the public address {address.host} is plain text.",
            "Reach it over a private network or a tunnel.",
        )  # fmt: skip
