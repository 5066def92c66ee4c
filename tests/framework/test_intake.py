"""What comes in while the ledger or the broker is away: nothing is lost, and the order is kept."""

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import Connection, Engine, event, select
from sqlalchemy.exc import DataError, OperationalError

from dragoman import Event
from dragoman import intake as intake_module
from dragoman.exchange import Broker
from dragoman.exchange.embedded import EmbeddedValkey
from dragoman.gateway import Gateway
from dragoman.spool import SpoolError
from dragoman.store.engine import open_store
from dragoman.store.ledger import record_events
from dragoman.store.outage import AWAY
from dragoman.store.schema import events
from framework.gateway_rig import Recorder
from support.postgres import PostgreSQL
from support.rabbitmq import RabbitMQ
from support.samples import message
from support.servers import wait_until

LIMIT = 100_000


class Once(Recorder):
    """Its platform offers an event only once."""

    offers_once: ClassVar[bool] = True


class Rig:
    """A gateway with a spool; `outage` takes its ledger away."""

    def __init__(self, engine: Engine, broker: Broker, folder: Path, *, limit: int = LIMIT) -> None:
        self.engine, self.broker, self.folder, self.limit = engine, broker, folder, limit
        self.away = False

        @event.listens_for(engine, "begin")
        def begin(_: Connection) -> None:
            if self.away:
                raise OperationalError("COMMIT", {}, Exception("the database is away"))

    @contextlib.contextmanager
    def outage(self) -> Iterator[None]:
        self.away = True
        try:
            yield
        finally:
            self.away = False

    @contextlib.asynccontextmanager
    async def running(self, adapter: Recorder | None = None) -> AsyncIterator[Recorder]:
        adapter = adapter or Once()
        gateway = Gateway(
            self.engine,
            self.broker,
            self.broker.topology,
            {"acme": adapter},
            grace=3,
            spool=(self.folder, self.limit),
        )
        task = asyncio.create_task(gateway.run())
        try:
            await asyncio.to_thread(wait_until, lambda: adapter.receive is not None)
            yield adapter
        finally:
            gateway.stop()
            await task

    def keys(self) -> list[str]:
        """Of the events in the ledger, in order."""
        with self.engine.connect() as connection:
            return list(connection.execute(select(events.c.key).order_by(events.c.position)).scalars())

    async def until_recorded(self, keys: Sequence[str], timeout: float = 10.0) -> None:
        await asyncio.to_thread(wait_until, lambda: self.keys() == list(keys), timeout, f"{len(keys)} events in order")

    def published(self, *, distinct: bool = True) -> list[str]:
        """The keys in the router's queue, in order."""
        found: list[str] = []
        with self.broker.connection("test") as connection:
            queue = self.broker.topology.router_queue()(connection.default_channel)
            while (letter := queue.get(no_ack=True)) is not None:
                found.append(json.loads(letter.body)["key"])
        return list(dict.fromkeys(found)) if distinct else found


def said(key: str) -> Event:
    return message("hello", key=key)


async def hand_over(adapter: Recorder, keys: Sequence[str]) -> None:
    assert adapter.receive is not None
    await asyncio.gather(*(adapter.receive(said(key)) for key in keys))


@pytest.fixture
async def rig(tmp_path: Path, namespace: str) -> AsyncIterator[Rig]:
    engine = open_store(f"sqlite:///{tmp_path / 'store.db'}", durable=True)
    broker = Broker(f"memory://{namespace}", namespace)
    yield Rig(engine, broker, tmp_path / "spool")
    engine.dispose()
    broker.forget()


def numbered(*numbers: int) -> list[str]:
    return [f"e{number:03}" for number in numbers]


async def test_what_is_offered_once_waits_in_the_spool_and_goes_first_into_the_ledger(rig: Rig) -> None:
    async with rig.running() as adapter:
        with rig.outage():
            await hand_over(adapter, numbered(*range(20)))
            assert list((rig.folder / "acme").iterdir())
        await hand_over(adapter, numbered(*range(20, 40)))
        await rig.until_recorded(numbered(*range(40)))
        await asyncio.to_thread(wait_until, lambda: not list((rig.folder / "acme").iterdir()))
        await hand_over(adapter, numbered(40))
        await rig.until_recorded(numbered(*range(41)))
    assert rig.published() == numbered(*range(41))


async def test_what_the_platform_offers_again_is_refused(rig: Rig) -> None:
    async with rig.running(Recorder()) as adapter:
        with rig.outage(), pytest.raises(AWAY):
            await hand_over(adapter, ["e1"])
        await hand_over(adapter, ["e1"])
        await rig.until_recorded(["e1"])
    assert not rig.folder.exists()


async def test_the_next_gateway_finds_the_spool_of_one_that_ended_in_an_outage(rig: Rig) -> None:
    with rig.outage():
        async with rig.running() as adapter:
            await hand_over(adapter, numbered(1, 2, 3))
    async with rig.running() as adapter:
        await hand_over(adapter, numbered(2, 3, 4))
        await rig.until_recorded(numbered(1, 2, 3, 4))
    assert rig.published() == numbered(1, 2, 3, 4)


async def test_a_full_spool_refuses_says_so_and_takes_again_when_the_ledger_is_back(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.limit = 2000
    async with rig.running() as adapter:
        with rig.outage():
            taken = 0
            with contextlib.suppress(SpoolError):
                for key in numbered(*range(100)):
                    await hand_over(adapter, [key])
                    taken += 1
            with pytest.raises(SpoolError, match="full"):
                await hand_over(adapter, ["e999"])
        await rig.until_recorded(numbered(*range(taken)))
        await asyncio.to_thread(wait_until, lambda: "2 events were refused" in caplog.text)
        await hand_over(adapter, ["e999"])
    assert taken > 0
    assert sum("from now on" in record.message for record in caplog.records if record.levelname == "ERROR") == 1


async def test_one_failed_commit_does_not_let_later_events_past(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that breaks fails one commit; the next one succeeds at once on another."""
    failures = iter([True])

    def breaks_once(connection: Connection, items: Sequence[Any]) -> list[bool]:
        if next(failures, False):
            raise OperationalError("INSERT", {}, Exception("server closed the connection"))
        return record_events(connection, items)

    monkeypatch.setattr(intake_module, "record_events", breaks_once)
    async with rig.running() as adapter:
        waiting: list[asyncio.Task[None]] = []
        for key in numbered(*range(30)):
            waiting.append(asyncio.create_task(hand_over(adapter, [key])))
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        await rig.until_recorded(numbered(*range(30)))


async def test_an_event_that_the_ledger_does_not_take_is_no_outage(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def picky(connection: Connection, items: Sequence[Any]) -> list[bool]:
        if any(item.key == "bad" for item in items):
            raise DataError("INSERT", {}, Exception("it is too long"))
        return record_events(connection, items)

    monkeypatch.setattr(intake_module, "record_events", picky)
    async with rig.running() as adapter:
        with pytest.raises(DataError):
            await hand_over(adapter, ["bad"])
        with rig.outage():
            await hand_over(adapter, ["e1", "bad", "e2"])
        await rig.until_recorded(["e1", "e2"])
        await asyncio.to_thread(wait_until, lambda: "the ledger does not take it" in caplog.text)
        await hand_over(adapter, ["e3"])
        await rig.until_recorded(["e1", "e2", "e3"])


async def test_a_locked_sqlite_is_an_outage(tmp_path: Path, namespace: str) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'store.db'}?timeout=0", durable=True)
    broker = Broker(f"memory://{namespace}", namespace)
    rig = Rig(engine, broker, tmp_path / "spool")
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    async with rig.running() as adapter:
        other.execute("PRAGMA busy_timeout = 10000")
        other.execute("BEGIN IMMEDIATE")
        await hand_over(adapter, ["e1"])
        other.execute("ROLLBACK")
        await rig.until_recorded(["e1"])
    other.close()
    engine.dispose()
    broker.forget()


async def test_a_full_disk_is_an_outage(rig: Rig) -> None:
    def limit(pages: int) -> Callable[..., None]:
        def set_limit(connection: Any, *_: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages}")

        return set_limit

    async with rig.running() as adapter:
        full = limit(1)
        event.listen(rig.engine, "checkout", full)
        keys = numbered(*range(60))
        for start in range(0, 60, 10):
            await hand_over(adapter, keys[start : start + 10])
        assert list((rig.folder / "acme").iterdir())
        event.remove(rig.engine, "checkout", full)
        event.listen(rig.engine, "checkout", limit(1_000_000))
        await rig.until_recorded(keys)


async def test_a_postgresql_that_restarts_loses_nothing_and_keeps_the_order(
    postgres: PostgreSQL, tmp_path: Path, namespace: str
) -> None:
    engine = open_store(f"postgresql{postgres.database()}")
    broker = Broker(f"memory://{namespace}", namespace)
    rig = Rig(engine, broker, tmp_path / "spool")
    async with rig.running() as adapter:
        await hand_over(adapter, numbered(*range(10)))
        await asyncio.to_thread(postgres.stop)
        try:
            await hand_over(adapter, numbered(*range(10, 30)))
        finally:
            await asyncio.to_thread(postgres.start)
        await hand_over(adapter, numbered(*range(30, 50)))
        await rig.until_recorded(numbered(*range(50)), 30.0)
    assert rig.published() == numbered(*range(50))
    engine.dispose()
    broker.forget()


@pytest.mark.parametrize("broker", ["embedded", "rabbitmq"], indirect=True)
async def test_what_a_broker_that_is_away_cannot_take_goes_out_in_order_when_it_is_back(
    broker: Broker, server: "EmbeddedValkey | RabbitMQ", tmp_path: Path
) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'store.db'}", durable=True)
    rig = Rig(engine, broker, tmp_path / "spool")
    async with rig.running(Recorder()) as adapter:
        await hand_over(adapter, numbered(0))
        await asyncio.to_thread(wait_until, lambda: broker.depth(broker.topology.router_queue().name) == 1)
        await asyncio.to_thread(server.stop)
        try:
            await hand_over(adapter, numbered(*range(1, 51)))
            assert rig.keys() == numbered(*range(51))
        finally:
            await asyncio.to_thread(server.start)
        await hand_over(adapter, numbered(*range(51, 60)))
        await asyncio.to_thread(
            wait_until, lambda: broker.depth(broker.topology.router_queue().name) >= 60, 30.0, "all in the queue"
        )
    assert await asyncio.to_thread(rig.published) == numbered(*range(60))
    engine.dispose()
