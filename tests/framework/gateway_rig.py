"""A gateway with a real store, a broker in memory, and an adapter that does as the test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import ClassVar

import pytest
from sqlalchemy import Engine, text

from dragoman import (
    ActionBase,
    Adapter,
    Address,
    ChannelInfo,
    DeliveryError,
    Edit,
    FileRef,
    Person,
    Receive,
    Send,
    Sent,
)
from dragoman.blobs import Blobs
from dragoman.exchange import Broker, Publisher
from dragoman.gateway import Gateway
from dragoman.messages import action_message
from dragoman.outbox import Outbox
from dragoman.store.engine import open_store, reading
from dragoman.store.ledger import look_up
from support.samples import send
from support.servers import wait_until

__all__ = ["Recorder", "Rig", "general", "impatient", "rig"]


class Recorder(Adapter):
    """Remembers what it was told to do; fails as it is told."""

    platform: ClassVar[str] = "recorder"

    def __init__(self) -> None:
        super().__init__("acme", None)
        self.performed: list[ActionBase] = []
        self.failures: list[Exception] = []
        self.away: set[str] = set()
        #: How many messages the platform makes of an action.
        self.parts = 1
        self.receive: Receive | None = None
        self.broken: Exception | None = None
        self.channels = {"#general": "C7"}
        self.files: dict[str, bytes] = {}
        self.answers = asyncio.Event()
        self.answers.set()

    async def look_up_person(self, person: str, tenant: str) -> Person | None:
        await self.answers.wait()
        return Person(id=person, name="Ann", timezone="Europe/Berlin")

    async def look_up_channel(self, channel: str, tenant: str) -> ChannelInfo | None:
        await self.answers.wait()
        if channel == "#away":
            raise DeliveryError("the platform is away", code="connection", retry=True)
        return ChannelInfo(id=self.channels[channel], tenant="T1") if channel in self.channels else None

    async def download(self, file: FileRef) -> AsyncIterator[bytes]:
        if file.id not in self.files:
            raise DeliveryError(f"there is no {file.id}", code="no_file")
        data = self.files[file.id]
        for start in range(0, len(data), 100_000):
            yield data[start : start + 100_000]

    async def check(self) -> str:
        return "a recorder"

    async def run(self, receive: Receive, ready: Callable[[], None]) -> None:
        if self.broken is not None:
            raise self.broken
        self.receive = receive
        ready()
        await asyncio.Event().wait()

    async def perform(self, action: ActionBase) -> Sent:
        if self.failures:
            raise self.failures.pop(0)
        if action.key in self.away:
            raise DeliveryError("the platform is away", code="connection", retry=True)
        await asyncio.sleep(0)
        self.performed.append(action)
        id = f"id-{len(self.performed)}"
        return Sent(ids=(id, *(f"{id}.{part}" for part in range(1, self.parts))))

    @property
    def texts(self) -> list[str]:
        return [action.content.text for action in self.performed if isinstance(action, Send | Edit)]


class Rig:
    """A gateway and its surroundings."""

    def __init__(self, engine: Engine, broker: Broker, blobs: Blobs) -> None:
        self.engine, self.broker, self.blobs, self.adapter = engine, broker, blobs, Recorder()
        self.filter: Callable[[ActionBase], ActionBase] = lambda action: action
        self.gateway = Gateway(
            engine,
            broker,
            broker.topology,
            {"acme": self.adapter},
            blobs=blobs,
            grace=5,
            filter=lambda action: self.filter(action),
        )

    @property
    def outbox(self) -> Outbox:
        """The running gateway's."""
        assert self.gateway.outbox is not None
        return self.gateway.outbox

    async def publish(self, *actions: ActionBase) -> None:
        def work() -> None:
            publisher = Publisher(self.broker, "test")
            assert publisher.publish([action_message(self.broker.topology, action) for action in actions]) == [
                None for _ in actions
            ]
            publisher.close()

        await asyncio.to_thread(work)

    async def until(self, condition: Callable[[], object]) -> None:
        await asyncio.to_thread(wait_until, condition)

    def state(self, key: str) -> str | None:
        with reading(self.engine) as connection:
            known = look_up(connection, [key]).get(key)
        return known.state if known else None

    def sent(self, key: str) -> Sent:
        with reading(self.engine) as connection:
            return look_up(connection, [key])[key].sent

    def error(self, key: str) -> str:
        with self.engine.connect() as connection:
            return str(
                connection.execute(text("SELECT error FROM actions WHERE key = :key"), {"key": key}).scalar_one()
            )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.gateway.run())
        try:
            await self.until(lambda: self.adapter.receive is not None)
            yield
        finally:
            self.gateway.stop()
            await task


@pytest.fixture
async def rig(tmp_path: Path, namespace: str) -> AsyncIterator[Rig]:
    engine = open_store(f"sqlite:///{tmp_path / 'store.db'}", durable=True)
    broker = Broker(f"memory://{namespace}", namespace)
    yield Rig(engine, broker, Blobs(tmp_path / "files", limit=1_000_000))
    engine.dispose()
    broker.forget()


def general(key: str, *, channel: str = "#general", said: str = "hello", ordinal: int = 0) -> Send:
    action = send(key=key, run="", ordinal=ordinal, text=said)
    return action.model_copy(update={"address": Address(account="acme", tenant="*", channel=channel)})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be done now is tried again at once."""
    monkeypatch.setattr("dragoman.outbox.AGAIN", (0.01, 0.01))
