"""The gateway, with a real store, a broker in memory, and an adapter that does as the test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import ClassVar

import pytest
from sqlalchemy import Engine, text

from dragoman import AccountError, ActionBase, Adapter, DeliveryError, Edit, Event, Receive, Send, Sent, Target
from dragoman.exchange import Broker, Publisher
from dragoman.gateway import Gateway
from dragoman.messages import action_message
from dragoman.store.engine import open_store, reading
from dragoman.store.ledger import look_up, postpone_actions
from support.samples import message, send
from support.servers import wait_until


class Recorder(Adapter):
    """Remembers what it was told to do; fails as it is told."""

    platform: ClassVar[str] = "recorder"

    def __init__(self) -> None:
        super().__init__("acme", None)
        self.performed: list[ActionBase] = []
        self.failures: list[Exception] = []
        self.away: set[str] = set()
        self.receive: Receive | None = None
        self.broken: Exception | None = None

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
        return Sent(ids=(f"id-{len(self.performed)}",))

    @property
    def texts(self) -> list[str]:
        return [action.content.text for action in self.performed if isinstance(action, Send | Edit)]


class Rig:
    """A gateway and its surroundings."""

    def __init__(self, engine: Engine, broker: Broker) -> None:
        self.engine, self.broker, self.adapter = engine, broker, Recorder()
        self.gateway = Gateway(engine, broker, broker.topology, {"acme": self.adapter}, grace=5)

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
    yield Rig(engine, broker)
    engine.dispose()
    broker.forget()


def event(key: str = "e1") -> Event:
    return message("hello", key=key)


async def test_an_event_is_in_the_ledger_when_the_adapter_is_told_so(rig: Rig) -> None:
    async with rig.running():
        assert rig.adapter.receive is not None
        await rig.adapter.receive(event(key="k"))
        with rig.engine.connect() as connection:
            row = connection.execute(text("SELECT key, body FROM events")).one()
        assert row.key == "k"
        assert "traceparent" in row.body
        await rig.until(lambda: rig.broker.depth(rig.broker.topology.router_queue().name) == 1)
        await rig.adapter.receive(event(key="k"))  # again: it is known
        await rig.adapter.receive(event(key="other"))
        await rig.until(lambda: rig.broker.depth(rig.broker.topology.router_queue().name) == 2)


async def test_the_platform_is_not_told_ok_when_the_ledger_cannot_be_written(rig: Rig) -> None:
    async with rig.running():
        assert rig.adapter.receive is not None
        with rig.engine.begin() as connection:
            connection.execute(text("ALTER TABLE events RENAME TO gone"))
        with pytest.raises(Exception, match="no such table"):
            await rig.adapter.receive(event())
        with rig.engine.begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO events"))
        await rig.adapter.receive(event())


async def test_an_action_is_performed_once_however_often_it_comes(rig: Rig) -> None:
    async with rig.running():
        once = send(key="once", run="")
        await rig.publish(once, once, once.model_copy(update={"again": True}))
        await rig.until(lambda: rig.state("once") == "sent")
        await rig.publish(once, send(key="last", run=""))
        await rig.until(lambda: rig.state("last") == "sent")
        assert [action.key for action in rig.adapter.performed] == ["once", "last"]


async def test_what_is_said_in_one_conversation_leaves_in_order(rig: Rig) -> None:
    async with rig.running():
        actions = [send(key=f"k{n}", run="", ordinal=n, text=str(n)) for n in range(50)]
        await rig.publish(*actions)
        await rig.until(lambda: len(rig.adapter.performed) == 50)
        assert rig.adapter.texts == [str(n) for n in range(50)]


async def test_what_its_run_said_before_leaves_first_even_if_the_broker_has_lost_it(rig: Rig) -> None:
    first, second = (send(key=f"k{n}", run="r" * 26, ordinal=n, text=str(n)) for n in range(2))
    with rig.engine.begin() as connection:
        postpone_actions(connection, [first, second])
    async with rig.running():
        await rig.publish(second)
        await rig.until(lambda: rig.state("k1") == "sent")
        assert rig.adapter.texts == ["0", "1"]
        assert rig.adapter.performed[0].again


async def test_what_the_platform_refuses_is_parked_with_its_reason(rig: Rig) -> None:
    rig.adapter.failures = [DeliveryError("the channel is archived", code="is_archived")]
    async with rig.running():
        await rig.publish(send(key="no", run=""), send(key="yes", run=""))
        await rig.until(lambda: rig.state("yes") == "sent")
        assert rig.state("no") == "parked"
        with rig.engine.connect() as connection:
            error = connection.execute(text("SELECT error FROM actions WHERE key = 'no'")).scalar_one()
        assert "is_archived" in error


async def test_what_failed_for_now_stays_due_and_holds_back_the_rest_of_its_run(rig: Rig) -> None:
    rig.adapter.away = {"r0"}
    async with rig.running():
        run = [send(key=f"r{n}", run="r" * 26, ordinal=n, text=str(n)) for n in range(3)]
        with rig.engine.begin() as connection:
            postpone_actions(connection, run)
        await rig.publish(*run, send(key="another", run="", text="another"))
        await rig.until(lambda: rig.state("another") == "sent")
        assert rig.adapter.texts == ["another"]
        assert [rig.state(f"r{n}") for n in range(3)] == ["pending"] * 3
        rig.adapter.away.clear()
        # The sweeper publishes them again.
        await rig.publish(*(action.model_copy(update={"again": True}) for action in run))
        await rig.until(lambda: rig.state("r2") == "sent")
        assert rig.adapter.texts == ["another", "0", "1", "2"]


async def test_an_edit_finds_its_message_by_the_key_of_what_sent_it(rig: Rig) -> None:
    async with rig.running():
        original = send(key="original", run="", text="first")
        await rig.publish(original)
        await rig.until(lambda: rig.state("original") == "sent")
        edit = Edit(key="edit", address=original.address, target=Target(key="original"), content=original.content)
        nowhere = edit.model_copy(update={"key": "nowhere", "target": Target(key="never sent")})
        await rig.publish(edit, nowhere)
        await rig.until(lambda: rig.state("nowhere") == "parked")
    (performed,) = (action for action in rig.adapter.performed if isinstance(action, Edit))
    assert performed.target.id == "id-1"


async def test_an_account_that_cannot_work_ends_a_gateway_that_has_no_other(rig: Rig) -> None:
    rig.adapter.broken = AccountError("account 'acme': the bot_token is wrong", account="acme")
    with pytest.raises(AccountError, match="bot_token"):
        await rig.gateway.run()


async def test_what_was_performed_when_it_stops_under_load_is_in_the_ledger(rig: Rig) -> None:
    async with rig.running():
        await rig.publish(*(send(key=f"k{n}", run="", ordinal=n) for n in range(300)))
        await rig.until(lambda: len(rig.adapter.performed) >= 20)
    performed = {action.key for action in rig.adapter.performed}
    assert {key for key in performed if rig.state(key) == "sent"} == performed


async def test_an_adapter_that_fails_is_started_again(rig: Rig) -> None:
    rig.adapter.broken = RuntimeError("a mistake of the adapter")
    task = asyncio.create_task(rig.gateway.run())
    await asyncio.sleep(0)
    rig.adapter.broken = None
    await rig.until(lambda: rig.adapter.receive is not None)
    rig.gateway.stop()
    await task


async def test_what_a_run_says_on_anothers_account_is_left_to_its_gateway(rig: Rig) -> None:
    theirs = send(key="theirs", run="r" * 26, ordinal=0)
    theirs = theirs.model_copy(update={"address": theirs.address.model_copy(update={"account": "umbrella"})})
    ours = send(key="ours", run="r" * 26, ordinal=1)
    with rig.engine.begin() as connection:
        postpone_actions(connection, [theirs, ours])
    async with rig.running():
        await rig.publish(ours)
        await rig.until(lambda: rig.state("ours") == "sent")
        assert [action.key for action in rig.adapter.performed] == ["ours"]
        assert rig.state("theirs") == "pending"
