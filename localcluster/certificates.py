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
        return self._together(name, made, key)

    def issue_expired(self, name: str, *, address: str) -> Path:
        """The same, valid in 2020 only."""
        asked, made, key = (self._folder / f"{name}.{end}" for end in ("csr", "crt", "key"))
        policy, index = self._folder / "policy.cnf", self._folder / "index"
        index.touch()
        policy.write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={index}\nnew_certs_dir={self._folder}\nrand_serial=yes\ndefault_md=sha256\n"
            "policy=p\ncopy_extensions=copy\n[p]\ncommonName=supplied\n"
        )
        _run(
            "req", *_NEW_KEY[:-2], "-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{address}",
            "-keyout", str(key), "-out", str(asked),
        )  # fmt: skip
        _run(
            "ca", "-batch", "-notext", "-config", str(policy), "-cert", str(self._file), "-keyfile", str(self._key),
            "-in", str(asked), "-out", str(made), "-startdate", "20200101000000Z", "-enddate", "20200201000000Z",
        )  # fmt: skip
        return self._together(name, made, key)

    def _together(self, name: str, made: Path, key: Path) -> Path:
        both = self._folder / f"{name}.pem"
        both.touch(mode=0o600)
        both.write_text(made.read_text() + key.read_text())
        return both


def _openssl(*arguments: str) -> None:
    _run("req", "-x509", *_NEW_KEY, *arguments)


def _run(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=_DEADLINE)
