"""`amqps://`: RabbitMQ must show a certificate for the host of the URL, signed by who is trusted.

The libraries' own `amqps://` asks whether somebody signed the certificate, and not for which host: whoever is on the way and has one for any
host of theirs could take RabbitMQ's place. And they cannot be told of an authority in the URL.
"""

from __future__ import annotations

import ssl
from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.pyamqp import SSLTransport

from roost.hidden_folders import HOW_TO_SHOW
from roost.settings import settings


class AuthorityUnusable(OSError):
    """The file of ROOST_BROKER_CA cannot be read, or has no certificate in it; says what mends that."""


class VerifiedTransport(SSLTransport):
    """AMQP over TLS, to one of the URL's hosts."""

    def establish_connection(self) -> Any:
        """Connect to the host whose turn it is. Raises ssl.SSLError when it is not who was meant."""
        _check_authority(settings().broker_ca)
        connection: Any = self.client
        connection.ssl = {
            "cert_reqs": ssl.CERT_REQUIRED,
            "ca_certs": settings().broker_ca,
            "server_hostname": connection.hostname,
        }
        return super().establish_connection()  # type: ignore[no-untyped-call]  # kombu is typed in part


def _check_authority(file: str | None) -> None:
    """Raise AuthorityUnusable. Without this the libraries say of no file, or of no certificate, only that something is wrong with TLS."""
    if file is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except ssl.SSLError:
        raise AuthorityUnusable(
            f"There is no certificate in {file}: name a file in PEM in ROOST_BROKER_CA."
        ) from None
    except OSError as error:
        why = f"ROOST_BROKER_CA cannot be read ({file}: {error.strerror}): mend its name, or {HOW_TO_SHOW}."
        raise AuthorityUnusable(why) from None


def verify_hosts() -> None:
    """Let every connection of this process to `amqps://` be such a one, Celery's too."""
    TRANSPORT_ALIASES["amqps"] = f"{VerifiedTransport.__module__}:{VerifiedTransport.__qualname__}"
