"""A private certificate authority of a test: certificates for nodes that speak TLS, made with the program openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path

_DEADLINE = 30
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "2")


class Authority:
    """An authority in a folder; `certificate` is what to trust."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._folder = folder
        self._key, self._file = folder / "authority.key", folder / "authority.pem"
        _openssl("-subj", "/CN=Test authority", "-keyout", str(self._key), "-out", str(self._file))
        self.certificate = self._file.read_text()

    def issue(self, name: str, *, address: str) -> Path:
        """A certificate for an IP address, in one PEM file with its key."""
        made, key = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        _openssl(
            "-CA", str(self._file), "-CAkey", str(self._key), "-subj", f"/CN={name}",
            "-addext", f"subjectAltName=IP:{address}", "-addext", "basicConstraints=critical,CA:FALSE",
            "-keyout", str(key), "-out", str(made),
        )  # fmt: skip
        both = self._folder / f"{name}.pem"
        both.touch(mode=0o600)
        both.write_text(made.read_text() + key.read_text())
        return both


def _openssl(*arguments: str) -> None:
    command = ["openssl", "req", "-x509", *_NEW_KEY, *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=_DEADLINE)
