"""RabbitMQ over TLS, with an authority of its own: whoever is not who was meant is refused, with what to do."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster import ports
from localcluster.certificates import Authority
from localcluster.product import Product
from localcluster.rabbitmq import RabbitCluster, by_tls
from roost.settings import settings
from tasks.broker import BROKER_LOST, connect, why_broker_lost
from tasks.topology import ANNOUNCE, fixed_queues
from tests.cluster import wait_until
from tests.world import World

#: The same address, written so that no certificate names it.
ANOTHER_NAME = "2130706433"


@pytest.fixture
def trusted(rabbitmq: RabbitCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file that ROOST_BROKER_CA names: the authority of this RabbitMQ."""
    assert rabbitmq.authority is not None
    file = tmp_path / "authority.pem"
    file.write_text(rabbitmq.authority.certificate)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ROOST_BROKER_CA", str(file))
    settings.cache_clear()
    yield file
    settings.cache_clear()


def refusal(url: str) -> str:
    with pytest.raises(BROKER_LOST) as refused, connect(url):
        pass
    said = why_broker_lost(refused.value)
    assert "\n" not in said
    return said


def test_who_is_not_who_was_meant_is_refused_with_what_to_do(
    rabbitmq: RabbitCluster, trusted: Path, tmp_path: Path
) -> None:
    right = by_tls(rabbitmq.url(), rabbitmq)
    with connect(right) as connection:
        cipher = connection.connection.transport.sock.version()
    assert cipher in {"TLSv1.2", "TLSv1.3"}
    assert "is for another host: mend the host" in refusal(
        right.replace(f"@{ports.LOOPBACK}", f"@{ANOTHER_NAME}")
    )
    assert "does not speak TLS there" in refusal(rabbitmq.url().replace("amqp:", "amqps:"))
    trusted.write_text(Authority(tmp_path / "another").certificate)
    assert "not trusted (unable to get local issuer certificate): name the file" in refusal(right)
    trusted.write_text("no certificate")
    assert refusal(right) == f"There is no certificate in {trusted}: name a file in PEM in ROOST_BROKER_CA."
    trusted.unlink()
    assert f"ROOST_BROKER_CA cannot be read ({trusted}: No such file or directory): mend its name" in refusal(
        right
    )
    trusted.mkdir()
    assert "Is a directory): mend its name, or put it beside .env" in refusal(right)


def test_a_certificate_that_has_expired_is_not_mended_by_another_authority() -> None:
    expired = ssl.SSLCertVerificationError()
    expired.verify_code, expired.verify_message = 10, "certificate has expired"
    said = "Its certificate is not valid now (certificate has expired): renew it there, and look at the clocks of both machines."
    assert why_broker_lost(expired) == said


def test_of_several_hosts_each_must_be_itself(rabbitmq: RabbitCluster, trusted: Path) -> None:
    """The name that is asked for is that of the host whose turn it is, also after the first was away."""
    right = by_tls(rabbitmq.url(), rabbitmq)
    away = right.replace(f"@{ports.LOOPBACK}:{rabbitmq.nodes[0].tls_port}", f"@127.0.0.9:{ports.free_port()}")
    with connect(f"{away};{right}") as connection:
        assert connection.hostname == ports.LOOPBACK
    with pytest.raises(ssl.SSLCertVerificationError):
        connect(f"{away};{right.replace(f'@{ports.LOOPBACK}', f'@{ANOTHER_NAME}')}")


def test_a_process_works_over_tls(
    rabbitmq: RabbitCluster, trusted: Path, world: World, tmp_path: Path
) -> None:
    """Celery makes its connections by itself; they are verified like ours."""
    url = by_tls(rabbitmq.add_vhost(), rabbitmq)
    none = {"center": 0, "bind": 0, "verify": 0, "push": 0}
    product = Product(
        tmp_path / "roost", database_url=world.settings.need("database_url"), broker_url=url, counts=none,
        more={"ROOST_BROKER_CA": str(trusted)},
    )  # fmt: skip
    with connect(url) as connection:
        channel = connection.default_channel
        for queue in fixed_queues():
            queue(channel).declare()
        with product:
            wait_until(
                lambda: channel.queue_declare(ANNOUNCE, passive=True).message_count > 0, "the beat asks", 20
            )
