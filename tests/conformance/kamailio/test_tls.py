"""The table by TLS, with a certificate of ours that the Kamailio asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from localcluster.certificates import Authority
from localcluster.kamailio import KamailioNode, kamailio_addresses
from roost.errors import NodeRefused, NodeUnavailable
from roost.pbx.kamailio import KIND
from roost.pbx.node import Change, Cursor, Rings, key_of
from roost.pbx.tls import TlsRefused


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def kamailio(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KamailioNode]:
    (address,) = kamailio_addresses("k1").values()
    folder = tmp_path_factory.mktemp("k1")
    ca = folder / "ca.pem"
    ca.write_text(authority.certificate)
    with KamailioNode(
        "k1", address, folder, certificate=authority.issue("k1", address=address), authority=ca
    ) as node:
        yield node


def test_a_table_by_tls_with_a_certificate_of_ours(authority: Authority, kamailio: KamailioNode) -> None:
    ours = authority.issue("push-worker", address="127.0.0.1")
    options = {"tls": True, "ca": authority.certificate, "certificate": str(ours)}
    changes: list[Change] = [Rings(f"0001*{number:05}", "k1", f"desk-{number}") for number in range(1_000)]
    with closing(KIND.open(replace(kamailio.control, options=options), 10)) as node:
        node.apply(changes, Cursor("db-1", 1))
        assert node.dump() == {key_of(change): change for change in changes}
        assert node.cursor() == Cursor("db-1", 1)


def test_who_has_no_certificate_or_trusts_another_authority_is_refused(
    authority: Authority, kamailio: KamailioNode, tmp_path: Path
) -> None:
    trusting = {"tls": True, "ca": authority.certificate}
    with pytest.raises((NodeUnavailable, NodeRefused)):
        KIND.open(replace(kamailio.control, options=trusting), 10)
    with pytest.raises(TlsRefused, match="cannot be read"):
        KIND.open(replace(kamailio.control, options={**trusting, "certificate": str(tmp_path / "none")}), 10)
    with pytest.raises(TlsRefused, match="not trusted"):
        KIND.open(replace(kamailio.control, options={"tls": True, "ca": Authority(tmp_path).certificate}), 10)
