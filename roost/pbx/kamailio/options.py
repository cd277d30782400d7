"""What must be known to write a Kamailio's table over HTTP."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from roost.pbx.kinds import NodeOptions
from roost.pbx.tls import certificates
from roost.wrong_values import written_as

PORT = 8060
TLS_PORT = 8061


class KamailioOptions(NodeOptions):
    """Whether by TLS; `ca` are the certificates to trust, in PEM, or empty for those that the system trusts.

    `certificate` is a file of the machines where push workers run, with the certificate and the key that this Kamailio asks its clients for.
    """

    tls: bool = False
    ca: Annotated[str, AfterValidator(certificates)] = ""
    certificate: Annotated[
        str, written_as(r"(/[\x21-\x7e]{1,200})?", "the whole path of a file, without blanks")
    ] = ""

    @model_validator(mode="after")
    def _all_is_for_tls(self) -> Self:
        if (self.ca or self.certificate) and not self.tls:
            raise ValueError("ca and certificate are for TLS, which is off (--tls)")
        return self


def usual_port(options: KamailioOptions) -> int:
    """Where Roost writes unless the node's operator says otherwise."""
    return TLS_PORT if options.tls else PORT
