"""Awaiting a publisher from asyncio."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from dragoman.errors import BrokerError, UnroutableError
from dragoman.exchange.broker import Broker
from dragoman.exchange.message import Outgoing
from dragoman.exchange.publisher import AsyncPublisher, Publisher
from support.exchange import Inbox, consuming, task


async def test_many_that_wait_are_published_together(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    batches: list[int] = []
    original = Publisher.publish

    def publish(self: Publisher, batch: Sequence[Outgoing]) -> list[Exception | None]:
        batches.append(len(batch))
        return original(self, batch)

    monkeypatch.setattr(Publisher, "publish", publish)
    async with AsyncPublisher(broker, "gateway") as publisher:
        await asyncio.gather(*(publisher.publish(task(broker, str(number))) for number in range(1000)))
    assert sum(batches) == 1000
    assert len(batches) < 100
    inbox = Inbox()
    with consuming(broker, inbox):
        await asyncio.to_thread(inbox.wait, 1000)
    assert inbox.bodies == [str(number) for number in range(1000)]


async def test_each_caller_gets_its_own_outcome(broker: Broker) -> None:
    async with AsyncPublisher(broker, "gateway") as publisher:
        outcomes = await asyncio.gather(
            publisher.publish(task(broker, "1")),
            publisher.publish(Outgoing(broker.topology.skills, "nowhere", b"{}")),
            publisher.publish(task(broker, "2")),
            return_exceptions=True,
        )
    assert outcomes[0] is None
    assert isinstance(outcomes[1], UnroutableError)
    assert outcomes[2] is None


async def test_without_a_broker_every_caller_is_told() -> None:
    broker = Broker("amqp://127.0.0.1:1//", "nobody")
    async with AsyncPublisher(broker, "gateway", timeout=0.3) as publisher:
        outcomes = await asyncio.gather(
            *(publisher.publish(task(broker, str(number))) for number in range(20)), return_exceptions=True
        )
    assert all(isinstance(outcome, BrokerError) for outcome in outcomes)
    assert "is it running" in str(outcomes[0])


async def test_closing_publishes_what_waits_and_refuses_what_comes_later(broker: Broker) -> None:
    publisher = AsyncPublisher(broker, "gateway")
    publisher.start()
    waiting = [asyncio.ensure_future(publisher.publish(task(broker, str(number)))) for number in range(50)]
    await asyncio.sleep(0)  # lets them begin
    await asyncio.to_thread(publisher.close)
    assert await asyncio.gather(*waiting) == [None] * 50
    with pytest.raises(BrokerError, match="closed"):
        await publisher.publish(task(broker, "late"))
    await asyncio.to_thread(publisher.close)


async def test_closing_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, release = threading.Event(), threading.Event()

    def publish(self: Publisher, batch: Sequence[Outgoing]) -> list[Exception | None]:
        begun.set()
        release.wait(10)
        return [None] * len(batch)

    monkeypatch.setattr(Publisher, "publish", publish)
    broker = Broker("memory://stuck", "stuck")
    publisher = AsyncPublisher(broker, "gateway")
    publisher.start()
    first = asyncio.ensure_future(publisher.publish(task(broker, "1")))
    await asyncio.sleep(0)
    await asyncio.to_thread(begun.wait)
    second = asyncio.ensure_future(publisher.publish(task(broker, "2")))
    await asyncio.sleep(0)
    await asyncio.to_thread(publisher.close, timeout=0.05)
    with pytest.raises(BrokerError, match="closed"):
        await second
    release.set()
    await first


async def test_a_caller_that_is_cancelled_does_not_disturb_the_others(broker: Broker) -> None:
    async with AsyncPublisher(broker, "gateway") as publisher:
        gone = asyncio.ensure_future(publisher.publish(task(broker, "1")))
        stays = asyncio.ensure_future(publisher.publish(task(broker, "2")))
        await asyncio.sleep(0)
        gone.cancel()
        await stays
    assert gone.cancelled()


def test_threads_may_wait_too(broker: Broker) -> None:
    publisher = AsyncPublisher(broker, "worker")
    publisher.start()
    futures = [publisher.submit(task(broker, str(number))) for number in range(100)]
    assert [future.result(10) for future in futures] == [None] * 100
    publisher.close()
    with pytest.raises(BrokerError, match="closed"):
        publisher.submit(task(broker, "late")).result(1)
