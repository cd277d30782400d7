"""PostgreSQL over TLS with `sslmode=verify-full`. The server of the tests speaks none, so something that does stands before it."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from localcluster import ports
from localcluster.certificates import Authority
from roost.database import Database
from roost.diagnosis.database import check_server
from roost.errors import DatabaseUnavailable

#: PostgreSQL, "SSLRequest": its length, and a number that stands for the wish.
SSL_REQUEST = bytes.fromhex("0000000804d2162f")


class TlsFront:
    """Takes connections as a PostgreSQL with a certificate does, and passes on what comes."""

    def __init__(self, pem: Path, behind: tuple[str, int]) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pem)
        self._behind = behind
        self._listening = socket.create_server((ports.LOOPBACK, 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):  # it was closed
            while True:
                taken, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(taken,), daemon=True).start()

    def _serve(self, taken: socket.socket) -> None:
        with suppress(OSError), taken:
            assert taken.recv(8) == SSL_REQUEST
            taken.sendall(b"S")
            with (
                self._context.wrap_socket(taken, server_side=True) as front,
                socket.create_connection(self._behind) as back,
            ):
                threading.Thread(target=pass_on, args=(back, front), daemon=True).start()
                pass_on(front, back)


def pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def url(database_url: str, authority: Authority) -> Iterator[str]:
    """The database behind TLS, and `verify-full`, but for whom to trust."""
    parts = urlsplit(database_url)
    assert parts.port is not None
    with closing(
        TlsFront(authority.issue("postgres", address=ports.LOOPBACK), (ports.LOOPBACK, parts.port))
    ) as front:
        yield database_url.replace(f":{parts.port}/", f":{front.port}/") + "?sslmode=verify-full&sslrootcert="


def written(path: Path, authority: Authority) -> str:
    path.write_text(authority.certificate)
    return quote(str(path), safe="")


def test_only_who_was_meant_is_told_the_password(url: str, authority: Authority, tmp_path: Path) -> None:
    right = url + written(tmp_path / "right.pem", authority)
    pool = Database(right, size=1)
    with pool.connection() as connection:
        assert connection.pgconn.ssl_in_use
    pool.close()
    assert all(finding.level not in {"error", "warning"} for finding in check_server(right))
    wrong = {
        url + written(tmp_path / "wrong.pem", Authority(tmp_path / "another")): "certificate verify failed",
        right.replace(f"@{ports.LOOPBACK}", "@localhost"): 'does not match host name "localhost"',
        url + quote(str(tmp_path / "none.pem"), safe=""): "does not exist",
    }
    for each, said in wrong.items():
        pool = Database(each, size=1)
        with pytest.raises(DatabaseUnavailable, match=said) as refused:
            pool.reach()
        pool.close()
        assert "\n" not in str(refused.value)
        (finding,) = check_server(each)
        assert said in finding.says
        assert "sslrootcert" in finding.mend
