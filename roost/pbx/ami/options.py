"""What must be known to log in over AMI, and what an operator should hear of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from roost.finding import Finding, Level, is_public
from roost.pbx.kinds import NodeOptions
from roost.pbx.node import NodeAddress
from roost.pbx.tls import certificates
from roost.wrong_values import written_as

PORT = 5038
TLS_PORT = 5039


class AmiOptions(NodeOptions):
    """How to log in, and whether by TLS; `ca` are the certificates to trust, in PEM, or empty for those that the system trusts."""

    username: Annotated[str, written_as(r"[\x21-\x7e]{1,80}", "1 to 80 ASCII characters without blanks")] = (
        "roost"
    )
    tls: bool = False
    ca: Annotated[str, AfterValidator(certificates)] = ""

    @model_validator(mode="after")
    def _ca_is_for_tls(self) -> Self:
        if self.ca and not self.tls:
            raise ValueError("ca is for TLS, which is off (--tls)")
        return self


def usual_port(options: AmiOptions) -> int:
    """Where AMI listens unless its operator says otherwise."""
    return TLS_PORT if options.tls else PORT


def examine_transport(address: NodeAddress, options: AmiOptions) -> Iterator[Finding]:
    """Say so if the routes cross networks of others in clear."""
    if is_public(address.host) and not options.tls:
        yield Finding(
            "nodes", Level.WARNING, f"AMI at the public address {address.host} is plain text.",
            "Reach it by TLS (roost node set NODE --tls), over a private network, or through a tunnel.",
        )  # fmt: skip
