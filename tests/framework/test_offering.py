"""Adapters are told which skills there are."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from sqlalchemy import Engine

from dragoman import ActionBase, Adapter, Receive, Sent, SkillManifest
from dragoman.offering import keep_offering
from dragoman.store.catalogue import publish_manifests, retire_manifests
from dragoman.store.engine import open_store


class Plain(Adapter):
    """Has no list of commands."""

    platform: ClassVar[str] = "plain"

    def __init__(self) -> None:
        super().__init__("plain", None)

    async def check(self) -> str:
        return ""

    async def run(self, receive: Receive, ready: Callable[[], None]) -> None: ...

    async def perform(self, action: ActionBase) -> Sent:
        return Sent()


class Listing(Plain):
    """Has one."""

    def __init__(self, failure: Exception | None = None) -> None:
        super().__init__()
        self.failure = failure
        self.offered: asyncio.Queue[list[str]] = asyncio.Queue()

    async def offer(self, manifests: Sequence[SkillManifest]) -> None:
        await self.offered.put([manifest.name for manifest in manifests])
        if self.failure is not None:
            raise self.failure


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_store(f"sqlite:///{tmp_path / 'store.db'}")


def publish(engine: Engine, *names: str) -> None:
    with engine.begin() as connection:
        publish_manifests(connection, [SkillManifest(name=name) for name in names])
        retire_manifests(connection, names)


@pytest.fixture
async def offering(engine: Engine) -> AsyncIterator[Callable[..., asyncio.Task[None]]]:
    tasks: list[asyncio.Task[None]] = []

    def start(*adapters: Adapter) -> asyncio.Task[None]:
        named = {str(number): adapter for number, adapter in enumerate(adapters)}
        tasks.append(asyncio.create_task(keep_offering(engine, named, every=0.01)))
        return tasks[-1]

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    engine.dispose()


async def test_what_there_is_and_what_changes_is_offered(
    engine: Engine, offering: Callable[..., asyncio.Task[None]]
) -> None:
    publish(engine, "dice")
    adapter = Listing()
    offering(adapter, Plain())
    assert await asyncio.wait_for(adapter.offered.get(), 10) == ["dice"]
    publish(engine, "dice", "help")
    assert await asyncio.wait_for(adapter.offered.get(), 10) == ["dice", "help"]
    assert adapter.offered.empty()


async def test_an_adapter_that_fails_does_not_keep_the_others_from_it(
    engine: Engine, offering: Callable[..., asyncio.Task[None]], caplog: pytest.LogCaptureFixture
) -> None:
    publish(engine, "dice")
    broken, well = Listing(ValueError("no")), Listing()
    offering(broken, well)
    assert await asyncio.wait_for(well.offered.get(), 10) == ["dice"]
    assert "the skills cannot be offered on 0" in caplog.text


async def test_nobody_looks_where_nobody_takes_it(offering: Callable[..., asyncio.Task[None]]) -> None:
    await asyncio.wait_for(offering(Plain()), 10)
