"""SIP messages as bytes, in both directions, and the digest that proves a password. No I/O.

RFC 3261 (messages), RFC 2617 (digest), RFC 3325 (P-Asserted-Identity).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

_NAME_ADDRESS = re.compile(
    r'\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^<"]*?))\s*<sips?:(?P<user>[^@>;]+)'
)


def name_and_number(header: str) -> tuple[str, str]:
    """Display name (empty: none) and user part of a From, To or P-Asserted-Identity; ValueError when it is none."""
    found = _NAME_ADDRESS.match(header)
    if found is None:
        raise ValueError(f"no name and address in {header!r}")
    quoted = found["quoted"]
    name = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else found["plain"]
    return name, unquote(found["user"])


def address_of(header: str) -> str:
    """The URI between `<` and `>`."""
    return header.partition("<")[2].partition(">")[0]


def tag_of(header: str) -> str:
    """The tag of a From or To; empty when it has none."""
    found = re.search(r";tag=([^;>\s]+)", header)
    return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class SipMessage:
    """A request or a response. Headers keep their order; several of one name are several pairs."""

    start: str
    headers: tuple[tuple[str, str], ...]
    body: str = ""

    @classmethod
    def parse(cls, data: bytes) -> SipMessage:
        """Read one datagram."""
        head, _, body = data.decode("utf-8", "surrogateescape").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return cls(start, tuple((name.strip(), value.strip()) for name, _, value in pairs), body)

    def encode(self) -> bytes:
        """Write one datagram; Content-Length is added."""
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers)]
        body = self.body.encode()
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
        return head.encode("utf-8", "surrogateescape") + body

    @property
    def status(self) -> int:
        """The status of a response; 0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """The method of a request, or of the request that a response answers."""
        return self["CSeq"].split()[1]

    def __getitem__(self, name: str) -> str:
        """The first header of this name; empty when there is none."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        """Every header of this name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def reply(
        self, status: str, tag: str, more: Iterable[tuple[str, str]] = (), body: str = ""
    ) -> SipMessage:
        """The response to this request; `status` is such as "180 Ringing"."""
        to = self["To"] if tag_of(self["To"]) else f"{self['To']};tag={tag}"
        same = [
            (key, value)
            for key, value in self.headers
            if key.lower() in {"via", "record-route", "from", "call-id", "cseq"}
        ]
        return SipMessage(f"SIP/2.0 {status}", (*same, ("To", to), *more), body)


def session(host: str, port: int) -> str:
    """The body that offers speech at a UDP port, in G.711 (SDP, RFC 4566)."""
    family = "IP6" if ":" in host else "IP4"
    lines = (
        "v=0", f"o=- 1 1 IN {family} {host}", "s=-", f"c=IN {family} {host}", "t=0 0",
        f"m=audio {port} RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=sendrecv",
    )  # fmt: skip
    return "\r\n".join([*lines, ""])


def proof(challenge: SipMessage, method: str, uri: str, user: str, secret: str) -> tuple[str, str]:
    """The header that answers a 401 or 407 with algorithm MD5 and qop=auth."""
    asked, name = (
        ("WWW-Authenticate", "Authorization")
        if challenge.status == 401
        else ("Proxy-Authenticate", "Proxy-Authorization")
    )
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge[asked]))
    once = secrets.token_hex(8)
    ours, theirs = _md5(f"{user}:{given['realm']}:{secret}"), _md5(f"{method}:{uri}")
    response = _md5(f"{ours}:{given['nonce']}:00000001:{once}:auth:{theirs}")
    opaque = f', opaque="{given["opaque"]}"' if "opaque" in given else ""
    return name, (
        f'Digest username="{user}", realm="{given["realm"]}", nonce="{given["nonce"]}", uri="{uri}", '
        f'response="{response}", algorithm=MD5, cnonce="{once}", qop=auth, nc=00000001{opaque}'
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
