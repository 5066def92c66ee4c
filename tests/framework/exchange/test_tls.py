"""TLS to real brokers: who is believed, who is not, and what is said about it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dragoman.errors import BrokerError, SettingsError
from dragoman.exchange.broker import Broker
from dragoman.exchange.embedded import EmbeddedValkey
from dragoman.exchange.publisher import Publisher
from dragoman.settings import load
from dragoman.tls import Tls
from support.certificates import Certificates, tls_before
from support.exchange import Inbox, consuming, task
from support.rabbitmq import RabbitMQ
from support.servers import free_port, listens, wait_until

#: The address of a broker with TLS, on a host of this name.
Address = Callable[[str], str]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def rabbit(certificates: Certificates) -> Iterator[RabbitMQ]:
    server = RabbitMQ(tls=(certificates.server, certificates.server_key))
    try:
        server.start()
        wait_until(lambda: listens(server.tls_port), what="RabbitMQ's port for TLS")
        yield server
    finally:
        server.remove()


@pytest.fixture(params=["amqps", "rediss"])
def address(request: pytest.FixtureRequest, certificates: Certificates, embedded: EmbeddedValkey) -> Iterator[Address]:
    if request.param == "amqps":
        server: RabbitMQ = request.getfixturevalue("rabbit")
        yield lambda host: f"amqps://guest:guest@{host}:{server.tls_port}//"
        return
    with tls_before(str(embedded.socket), certificates) as port:
        yield lambda host: f"rediss://{host}:{port}/0"


def test_messages_go_there_and_back(address: Address, namespace: str, certificates: Certificates) -> None:
    broker = Broker(address("localhost"), namespace, tls=Tls(ca_file=certificates.ca))
    expected = [str(number) * 1000 for number in range(200)]
    with closing(Publisher(broker, "test")) as publisher:
        assert publisher.publish([task(broker, each) for each in expected]) == [None] * len(expected)
    inbox = Inbox()
    with consuming(broker, inbox, prefetch=50):
        inbox.wait(len(expected))
    assert inbox.bodies == expected


@pytest.mark.parametrize(
    ("host", "authority", "told"),
    [("localhost", "stranger", "certificate is not believed"), ("127.0.0.1", "ca", "is not valid for '127.0.0.1'")],
)
def test_who_cannot_prove_who_it_is_is_not_talked_to(
    address: Address, certificates: Certificates, host: str, authority: str, told: str
) -> None:
    broker = Broker(address(host), tls=Tls(ca_file=getattr(certificates, authority)))
    with pytest.raises(BrokerError, match=r"\[broker\] ca_file") as found:
        broker.depth("any")
    assert told in str(found.value)
    with closing(Publisher(broker, "test")) as publisher:
        (error,) = publisher.publish([task(broker, "1")], timeout=0.5)
    assert error is not None
    assert told in str(error)


def test_nobody_has_to_prove_anything_where_it_is_said_so(address: Address, namespace: str) -> None:
    assert Broker(address("127.0.0.1"), namespace, tls=Tls(verify=False)).depth("any") == 0


def test_a_port_without_tls_is_told(rabbit: RabbitMQ) -> None:
    with pytest.raises(BrokerError, match="is this its port for TLS"):
        Broker(f"amqps://guest:guest@localhost:{rabbit.port}//").depth("any")


def test_a_broker_that_wants_to_know_who_we_are_is_told(
    certificates: Certificates, embedded: EmbeddedValkey, namespace: str
) -> None:
    with tls_before(str(embedded.socket), certificates, wants_client=True) as port:
        url = f"rediss://localhost:{port}/0"
        known = Tls(ca_file=certificates.ca, cert_file=certificates.client)
        assert Broker(url, namespace, tls=known).depth("any") == 0
        with pytest.raises(BrokerError, match=r"cert_file|closed|reset"):
            Broker(url, namespace, tls=Tls(ca_file=certificates.ca)).depth("any")


def test_a_file_that_cannot_be_used_is_named(certificates: Certificates, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.pem"
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    for tls, told in [
        (Tls(ca_file=nothing), f"ca_file {nothing} cannot be read: No such file"),
        (Tls(ca_file=tmp_path), f"ca_file {tmp_path} cannot be read: Is a directory"),
        (Tls(ca_file=text), f"ca_file {text} is not certificates of authorities in PEM"),
        (
            Tls(cert_file=certificates.server),
            f"cert_file {certificates.server} is not a certificate in PEM and its key",
        ),
        (Tls(cert_file=certificates.server, key_file=nothing), f"key_file {nothing} cannot be read"),
        (Tls(cert_file=certificates.client, key_file=certificates.server_key), "key_file .* is not the key"),
        (Tls(key_file=certificates.server_key), "key_file is set and cert_file is not"),
    ]:
        with pytest.raises(SettingsError, match=told):
            Broker("amqps://localhost", tls=tls)


@pytest.mark.parametrize("tls", [Tls(ca_file=Path("ca.pem")), Tls(verify=False)])
def test_settings_of_tls_are_not_passed_over_where_there_is_none(tls: Tls) -> None:
    with pytest.raises(SettingsError, match=rf"{tls.given} is for TLS"):
        Broker(f"amqp://localhost:{free_port()}", tls=tls)


def test_files_are_found_beside_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    file = tmp_path / "dragoman.toml"
    file.write_text('[broker]\nurl = "amqps://host"\nca_file = "ca.pem"\nkey_file = "/key.pem"\n')
    found = load(file, environ={"DRAGOMAN_BROKER__VERIFY": "false"}).broker_tls
    assert found == Tls(tmp_path / "ca.pem", None, Path("/key.pem"), verify=False)
