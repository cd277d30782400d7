"""`amqps://`: RabbitMQ must show a certificate for the host of the URL, signed by who is trusted.

The libraries' own `amqps://` asks whether somebody signed the certificate, and not for which host: whoever is on the way and has one for any
host of theirs could take RabbitMQ's place. And they cannot be told of an authority in the URL.
"""

from __future__ import annotations

import ssl
from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.pyamqp import SSLTransport

from roost.settings import settings


class VerifiedTransport(SSLTransport):
    """AMQP over TLS, to one of the URL's hosts."""

    def establish_connection(self) -> Any:
        """Connect to the host whose turn it is. Raises ssl.SSLError when it is not who was meant."""
        connection: Any = self.client
        connection.ssl = {
            "cert_reqs": ssl.CERT_REQUIRED,
            "ca_certs": settings().broker_ca,
            "server_hostname": connection.hostname,
        }
        return super().establish_connection()  # type: ignore[no-untyped-call]  # kombu is typed in part


def verify_hosts() -> None:
    """Let every connection of this process to `amqps://` be such a one, Celery's too."""
    TRANSPORT_ALIASES["amqps"] = f"{VerifiedTransport.__module__}:{VerifiedTransport.__qualname__}"
