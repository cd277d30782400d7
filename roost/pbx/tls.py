"""TLS to a node, for every kind whose wire may have it: whom to trust, and in plain words what is wrong."""

from __future__ import annotations

import re
import socket
import ssl
from functools import lru_cache

from roost.errors import NodeRefused

#: Bytes that the certificates of an authority may have.
MAX_CA = 65_536
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
#: OpenSSL's verification errors (x509_vfy.h): the host name or the address is another; too early, expired.
_ANOTHER_HOST = {62, 64}
_NOT_NOW = {9, 10}
#: What OpenSSL says of an answer that is no TLS at all.
_NO_TLS = {
    "WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE",
}  # fmt: skip


class TlsRefused(NodeRefused):
    """TLS to the PBX node is not as it was set up."""

    code = "node_tls"

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what} {mend}")
        self.what, self.mend = what, mend


def certificates(text: str) -> str:
    """The certificates in a PEM text, and nothing else that is in it. Raises ValueError."""
    found = "".join(f"{each}\n" for each in _CERTIFICATE.findall(text))
    if not found:
        raise ValueError("there is no certificate in it (PEM)")
    if len(found) > MAX_CA:
        raise ValueError(f"it has more than {MAX_CA} bytes")
    try:
        _context(found)
    except ssl.SSLError:
        raise ValueError("a certificate in it cannot be read") from None
    return found


def wrap(plain: socket.socket, host: str, ca: str, own: str = "") -> ssl.SSLSocket:
    """Begin TLS on a connection, within its timeout; the other side must have a certificate for `host`.

    `ca` are the certificates to trust, in PEM; empty: those that the system trusts. `own` is a file with our own certificate and its key,
    if the other side asks for one. Raises TlsRefused, and OSError.
    """
    place = f"{host}:{plain.getpeername()[1]}"
    try:
        return _with_own(ca, own).wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise _untrusted(place, error) from error
    except ssl.SSLError as error:
        if error.reason in _NO_TLS:
            raise TlsRefused(
                f"{place} does not speak TLS.",
                "Give the port where it does, turn TLS on there, or: roost node set NODE --no-tls.",
            ) from error
        raise


def _untrusted(place: str, error: ssl.SSLCertVerificationError) -> TlsRefused:
    if error.verify_code in _ANOTHER_HOST:
        return TlsRefused(
            f"The certificate at {place} is for another host.",
            "Give the host that it names: roost node set NODE --host HOST.",
        )
    if error.verify_code in _NOT_NOW:
        return TlsRefused(
            f"The certificate at {place} is not valid now: {error.verify_message}.",
            "Renew it there, and look at the clocks.",
        )
    return TlsRefused(
        f"The certificate at {place} is not trusted: {error.verify_message}.",
        "Give who signed it: roost node set NODE --ca FILE.",
    )


def _with_own(ca: str, own: str) -> ssl.SSLContext:
    """The file is read each time, so that a renewed certificate counts at once."""
    if not own:
        return _context(ca)
    context = _context.__wrapped__(ca)
    try:
        context.load_cert_chain(own)
    except OSError as error:
        raise TlsRefused(
            f"Our certificate {own} cannot be read: {error.strerror or error}.",
            "Put it there on every machine of push workers, certificate and key in one PEM file; a unit of systemd sees nothing of /tmp, /home and /root.",
        ) from error
    return context


@lru_cache(maxsize=64)
def _context(ca: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca or None)
    # Python 3.13 asks for extensions that private authorities leave out, and lets a certificate stand for itself; the same everywhere.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
