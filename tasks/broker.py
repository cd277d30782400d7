"""How every process reaches RabbitMQ."""

from __future__ import annotations

import errno
import socket
import ssl
import struct
from typing import Any, NoReturn

from amqp.exceptions import AccessRefused, AMQPError, NotAllowed, PreconditionFailed, UnexpectedFrame  # type: ignore[import-untyped]  # it ships no types
from kombu import Connection, compression
from kombu.exceptions import DecodeError, OperationalError

from tasks.broker_tls import AuthorityUnusable, verify_hosts

#: What publishing raises when the broker is gone; without `retry`, kombu lets through what its connection raises.
BROKER_LOST = (OperationalError, AMQPError, OSError)
#: Of these, what RabbitMQ says of a login that it will not take. Only an operator can mend that, in RabbitMQ or in ROOST_BROKER_URL.
BROKER_REFUSED = (AccessRefused, NotAllowed)
#: What reading a frame raises when it is none: the client takes its fields as they come.
NO_BROKER = (LookupError, TypeError, ValueError, struct.error)
#: A frozen broker must not hang whoever talks to it; seconds.
CONNECT_TIMEOUT = 3
#: No promise rests on a publisher confirm: what matters is in PostgreSQL, and what is unanswered is sent again.
TRANSPORT_OPTIONS: dict[str, Any] = {"read_timeout": 5, "write_timeout": 5, "confirm_publish": False}
#: OpenSSL's verification errors (x509_vfy.h): the host name or the address is another.
_ANOTHER_HOST = {62, 64}
#: The same: not valid yet, expired.
_NOT_NOW = {9, 10}
#: What OpenSSL says of an answer that is no TLS at all.
_NO_TLS = {"WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}

verify_hosts()


def _refuse_packed(_body: object) -> NoReturn:
    raise DecodeError("nobody packs what they ask")


# kombu unpacks what a message's headers tell it to, before anybody looks at it: a few kilobytes may become more than a machine has.
for _kind in compression.encoders():
    compression.register(_refuse_packed, _refuse_packed, _kind)


def connect(urls: str, *, heartbeat: int = 0, **transport: object) -> Connection:
    """Connect to the first broker of `urls` that answers. Raises what the last of them raised, one of BROKER_LOST.

    `heartbeat` in seconds, 0 for none; `transport` stands in for some of TRANSPORT_OPTIONS.
    """
    connection = Connection(
        urls,
        connect_timeout=CONNECT_TIMEOUT,
        heartbeat=heartbeat,
        transport_options=TRANSPORT_OPTIONS | transport,
    )
    # Every broker of the list once, with no pause; `connect` would try two, and pause for two seconds.
    try:
        connection.ensure_connection(max_retries=urls.count(";"), reraise_as_library_errors=False)
    except ssl.SSLError:
        raise  # one of them is a ValueError, too
    except NO_BROKER as error:
        raise UnexpectedFrame(type(error).__name__) from None
    return connection


def why_broker_lost(error: BaseException) -> str:
    """What one of BROKER_LOST means and, behind a colon, what mends it: a sentence that holds no password."""
    match error:
        case AccessRefused() if _was_let_in(error):
            return "This user lacks a right there: start a worker, which makes what may be missing, or see `roost broker setup`."
        case AccessRefused():
            return "It refuses the login: mend the user or the password in ROOST_BROKER_URL, or in RabbitMQ."
        case NotAllowed() | PreconditionFailed() if "is reached" in str(error):
            return "A limit of the virtual host or of this user is reached: raise it (`rabbitmqctl list_vhost_limits`, `list_user_limits`)."
        case PreconditionFailed():
            return f"A queue there is not as Roost makes it ({_said(error)}): give Roost a virtual host of its own, or delete that queue."
        case NotAllowed():
            return "It does not let this user into the virtual host: mend its name in ROOST_BROKER_URL, or in RabbitMQ."
        case ConnectionRefusedError():
            return "Nothing listens at the address of ROOST_BROKER_URL: start RabbitMQ, or mend the address."
        case ssl.SSLCertVerificationError() if error.verify_code in _ANOTHER_HOST:
            return "Its certificate is for another host: mend the host in ROOST_BROKER_URL, or give RabbitMQ a certificate for it."
        case ssl.SSLCertVerificationError() if error.verify_code in _NOT_NOW:
            return f"Its certificate is not valid now ({error.verify_message}): renew it there, and look at the clocks of both machines."
        case ssl.SSLCertVerificationError():
            return f"Its certificate is not trusted ({error.verify_message}): name the file of who signed it in ROOST_BROKER_CA."
        case ssl.SSLError() if error.reason in _NO_TLS:
            return "It does not speak TLS there: mend the port in ROOST_BROKER_URL (5671, as a rule), or use amqp://."
        case AuthorityUnusable():
            return str(error)
        case socket.gaierror():
            return "The host name in ROOST_BROKER_URL is not known here: mend it, or the name service."
        case UnexpectedFrame() | LookupError() | TypeError() | ValueError() | struct.error():
            return "What answers at the address of ROOST_BROKER_URL is no RabbitMQ: mend the port, which is 5672, or 5671 with TLS (amqps)."
        case TimeoutError():
            return "It does not answer in time: see whether it hangs, and what the network between loses."
        case OperationalError() if error.__cause__ is not None:
            return why_broker_lost(error.__cause__)
        case (
            ConnectionResetError()
            | BrokenPipeError()
            | OSError(errno=None | errno.ENOTCONN | errno.ECONNABORTED | errno.EINVAL)
        ):  # Linux calls it invalid to set up a socket whose other end has reset it
            return "It ended the connection: it stops just now, or another program has this port; RabbitMQ's is 5672, with TLS (amqps) 5671."
        case OSError():
            return f"It cannot be reached ({error.strerror}): start RabbitMQ, or mend the address in ROOST_BROKER_URL, or the network."
    return f"The connection failed ({type(error).__name__}): see RabbitMQ's own log."


def _said(error: AMQPError) -> str:
    """RabbitMQ's own words, which name the queue and the virtual host."""
    return str(error.message).partition(" - ")[2] or type(error).__name__


def _was_let_in(error: AMQPError) -> bool:
    """Whether it was the use of an exchange or a queue that was refused; what belongs to a connection has class 10 (AMQP 0-9-1)."""
    return bool(error.method_sig) and error.method_sig[0] > 10
