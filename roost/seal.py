"""Secrets on their way: NaCl sealed boxes. Front doors hold the public key; only some workers can open.

What is sealed is bound to the request it belongs to: a box taken from one message opens in no other.
See https://doc.libsodium.org/public-key_cryptography/sealed_boxes
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from roost.errors import Invalid, SettingMissing

#: What the login secret of a PBX node is sealed for.
NODE_SECRET = "node"  # noqa: S105 - a name, not a secret


class SealBroken(Invalid):
    """The sealed text cannot be opened here, or belongs to something else."""

    code = "seal_broken"


def new_keys() -> tuple[str, str]:
    """A fresh pair: (public, private), in base64."""
    private = PrivateKey.generate()
    return b64encode(bytes(private.public_key)).decode(), b64encode(bytes(private)).decode()


def seal(public_key: str, belongs_to: str, secret: str) -> str:
    """Seal a secret that belongs to a request id or another name without NUL; base64."""
    box = SealedBox(PublicKey(_key(public_key, "ROOST_SEAL_PUBLIC_KEY")))
    return b64encode(box.encrypt(f"{belongs_to}\0{secret}".encode())).decode()


def unseal(private_keys: str | Sequence[str], belongs_to: str, sealed: str) -> str:
    """Open what `seal` made, with whichever of the keys fits. Raises SealBroken."""
    keys = (private_keys,) if isinstance(private_keys, str) else private_keys
    for key in keys:
        box = SealedBox(PrivateKey(_key(key, "ROOST_SEAL_PRIVATE_KEY")))
        try:
            owner, _, secret = box.decrypt(b64decode(sealed, validate=True)).decode().partition("\0")
        except (CryptoError, NotBase64, ValueError):
            continue
        if owner == belongs_to:
            return secret
    raise SealBroken


def _key(text: str, variable: str) -> bytes:
    try:
        key = b64decode(text, validate=True)
    except (NotBase64, ValueError):
        key = b""
    if len(key) != PublicKey.SIZE:
        raise SettingMissing(f"{variable} must be 32 bytes in base64; `roost keys` makes a pair.")
    return key
