"""Several gateways of one account, with a real store and a broker in memory: who says what, and in which order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from dragoman import ActionBase, Address, Content, DeliveryError, Send, Sent, wire
from dragoman.blobs import Blobs
from dragoman.exchange import Broker, Outgoing, Publisher
from dragoman.partitions import partition_of
from dragoman.store.engine import open_store, reading
from dragoman.store.ledger import Finish, Routed, claim_runs, finish_runs, postpone_actions, record_events, route_events
from dragoman.store.lines import line
from dragoman.store.processes import Process, beat
from dragoman.store.schema import actions, partitions
from framework.gateway_rig import Recorder, Rig
from support.samples import HERE, message, task

CHANNELS = [f"C{number}" for number in range(10)]


def place(channel: str) -> Address:
    return HERE.model_copy(update={"channel": channel, "thread": None})


def said(channel: str, number: int) -> Send:
    return Send(key=f"{channel}-{number}", address=place(channel), content=Content(text=str(number)))


class Shared(Recorder):
    """Writes what it does into one list for all, with who it was."""

    def __init__(self, name: str, log: list[tuple[str, ActionBase]]) -> None:
        super().__init__()
        self.name, self.log = name, log

    async def perform(self, action: ActionBase) -> Sent:
        sent = await super().perform(action)
        self.log.append((self.name, action))
        return sent


class Team:
    """Gateways that share a store, a broker and an account."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.engine = open_store(f"sqlite:///{folder / 'store.db'}", durable=True)
        self.broker = broker
        self.blobs = Blobs(folder / "files", limit=1_000_000)
        self.log: list[tuple[str, ActionBase]] = []

    @contextlib.asynccontextmanager
    async def joined(self, name: str) -> AsyncIterator[Rig]:
        rig = Rig(self.engine, self.broker, self.blobs)
        rig.adapter = Shared(name, self.log)
        rig.gateway._adapters = {"acme": rig.adapter}
        async with rig.running():
            yield rig

    def owners(self) -> list[str | None]:
        with reading(self.engine) as connection:
            found = connection.execute(partitions.select().order_by(partitions.c.partition)).all()
        return [row.owner for row in found]

    def of(self, channel: str) -> list[str]:
        """What was said there by whomever, in order."""
        return [a.content.text for _, a in self.log if isinstance(a, Send) and a.address.channel == channel]

    def transaction(self, operation: object, *arguments: object) -> object:
        with self.engine.begin() as connection:
            return operation(connection, *arguments)  # type: ignore[operator]


@pytest.fixture
async def team(tmp_path: Path, namespace: str) -> AsyncIterator[Team]:
    made = Team(tmp_path, Broker(f"memory://{namespace}", namespace))
    yield made
    made.engine.dispose()
    made.broker.forget()


@pytest.fixture
async def anywhere(tmp_path: Path, broker: Broker) -> AsyncIterator[Team]:
    """On each broker in turn."""
    made = Team(tmp_path, broker)
    yield made
    made.engine.dispose()


async def test_one_alone_says_everything_and_lets_go_of_it_at_the_end(team: Team) -> None:
    async with team.joined("a") as a:
        await a.publish(*(said(channel, 0) for channel in CHANNELS))
        await a.until(lambda: len(team.log) == len(CHANNELS))
        assert len(set(team.owners())) == 1
        assert None not in team.owners()
    assert team.owners() == [None] * 4


async def test_while_gateways_come_and_go_each_conversation_stays_in_order_and_nothing_is_said_twice(
    anywhere: Team,
) -> None:
    team = anywhere

    async def publish(rig: Rig, numbers: range) -> None:
        for number in numbers:
            await rig.publish(*(said(channel, number) for channel in CHANNELS))

    async with team.joined("b") as b:
        async with team.joined("a") as a:
            publishing = asyncio.create_task(publish(b, range(30)))
            await a.until(lambda: len(set(team.owners())) == 2)
            await publishing
            await publish(b, range(30, 40))
            await a.until(lambda: len(team.log) == 400)
            assert sorted(map(team.owners().count, set(team.owners()))) == [2, 2]
            assert {name for name, _ in team.log} == {"a", "b"}
        await publish(b, range(40, 50))
        await b.until(lambda: len(team.log) == 500)
        assert len(set(team.owners())) == 1
    for channel in CHANNELS:
        assert team.of(channel) == [str(number) for number in range(50)]


async def test_what_is_said_in_a_conversation_is_said_by_one_of_them(team: Team) -> None:
    async with team.joined("a") as a, team.joined("b"):
        await a.until(lambda: len(set(team.owners())) == 2)
        for number in range(5):
            await a.publish(*(said(channel, number) for channel in CHANNELS))
        await a.until(lambda: len(team.log) == 5 * len(CHANNELS))
    speakers = {
        channel: {name for name, action in team.log if action.address.channel == channel} for channel in CHANNELS
    }
    assert all(len(names) == 1 for names in speakers.values())
    assert {name for names in speakers.values() for name in names} == {"a", "b"}


async def test_what_other_programs_send_without_a_partition_gets_to_its_own(team: Team) -> None:
    topology = team.broker.topology
    messages = [
        Outgoing(
            topology.actions,
            topology.action_key("acme", "send"),
            wire.encode(said(channel, number)),
            queues=(topology.deliver_queue("acme"),),
        )
        for number in range(5)
        for channel in CHANNELS
    ]
    async with team.joined("a") as a, team.joined("b"):
        await a.until(lambda: len(set(team.owners())) == 2)
        publisher = Publisher(team.broker, "test")
        assert publisher.publish(messages) == [None] * 50
        publisher.close()
        await a.until(lambda: len(team.log) == 50)
        assert {name for name, _ in team.log} == {"a", "b"}
    for channel in CHANNELS:
        assert team.of(channel) == ["0", "1", "2", "3", "4"]


async def test_what_one_is_told_by_the_platform_all_obey(team: Team, caplog: pytest.LogCaptureFixture) -> None:
    async with team.joined("a") as a, team.joined("b") as b:
        await a.until(lambda: len(set(team.owners())) == 2)
        await a.publish(*(said(channel, 0) for channel in CHANNELS))
        await a.until(lambda: len(team.log) == len(CHANNELS))
        here = next(action.address.channel for name, action in team.log if name == "a")
        a.adapter.failures = [DeliveryError("too many", code="ratelimited", retry=True, after=4.0)]
        await a.publish(said(here, 1))
        await b.until(lambda: sum("wants no more" in record.getMessage() for record in caplog.records) == 2)
        await b.publish(*(said(channel, 2) for channel in CHANNELS))
        assert len(team.log) == len(CHANNELS)
        await b.until(lambda: len(team.log) == 2 * len(CHANNELS) + 1)
        assert team.of(here) == ["0", "1", "2"]
    assert sum("limit is over" in record.getMessage() for record in caplog.records) == 2
    assert not any("will be tried again" in record.getMessage() for record in caplog.records)


async def test_what_waits_for_a_limit_is_handed_over_and_not_waited_for(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dragoman.share.HANDOVER", 0.1)
    async with team.joined("a") as a:
        a.adapter.failures = [DeliveryError("too many", code="ratelimited", retry=True, after=6.0)]
        for number in range(3):
            await a.publish(*(said(channel, number) for channel in CHANNELS))
        async with team.joined("b") as b:
            await b.until(lambda: len(set(team.owners())) == 2)
            assert team.log == []  # so it was handed over before the limit was over
            await b.until(lambda: len(team.log) == 3 * len(CHANNELS))
            assert {name for name, _ in team.log} == {"a", "b"}
    for channel in CHANNELS:
        assert team.of(channel) == ["0", "1", "2"]


async def test_who_takes_over_begins_with_what_was_tried_before(team: Team) -> None:
    channel = CHANNELS[0]
    team.transaction(postpone_actions, [said(channel, 1), said(channel, 2)])
    topology = team.broker.topology
    number = partition_of(place(channel), topology.partitions)
    publisher = Publisher(team.broker, "test")
    queues = (topology.deliver_queue("acme", number),)
    key = topology.action_key("acme", "send", number)
    assert publisher.publish([Outgoing(topology.actions, key, wire.encode(said(channel, 3)), queues=queues)]) == [None]
    publisher.close()
    async with team.joined("a") as a:
        await a.until(lambda: len(team.log) == 3)
    assert team.of(channel) == ["1", "2", "3"]
    assert [action.again for _, action in team.log] == [True, True, False]


async def test_an_ordered_skills_answers_keep_their_order_though_the_first_could_not_be_published(team: Team) -> None:
    answers = []
    for number in range(3):
        event = message("x", key=f"e{number}")
        found = task(event).model_copy(update={"line": line("dice", event.address)})
        team.transaction(record_events, [event])
        team.transaction(route_events, [Routed(event, ((found, 2),), ())])
        team.transaction(claim_runs, [(found.run, "me")])
        content = Content(text=str(number))
        answers.append(Send(key=f"e{number}|dice.roll|0", address=HERE, content=content, run=found.run))
        team.transaction(finish_runs, [Finish(found.run, "me", (answers[-1],), first=True, lined=True)])
    async with team.joined("a") as a:
        await a.publish(answers[2])  # the broker was away for the others: the sweeper has not looked yet
        await a.until(lambda: len(team.log) == 3)
        await a.publish(answers[0].model_copy(update={"again": True}), answers[1])
        await a.publish(Send(key="last", address=HERE, content=Content(text="last")))
        await a.until(lambda: len(team.log) == 4)
    assert team.of(HERE.channel) == ["0", "1", "2", "last"]


async def test_without_its_lease_a_gateway_says_nothing(team: Team) -> None:
    async with team.joined("a") as a:
        await a.publish(said("C0", 0))
        await a.until(lambda: len(team.log) == 1)
        share = a.outbox._share._partitions
        until, share._until = share._until, dict.fromkeys(share._until, 0.0)
        assert not a.outbox._share.has(said("C0", 1))
        assert all(until.values())
        await a.publish(said("C0", 1))
        await a.until(lambda: len(team.log) == 2)  # it looks again in a second, and the lease is still its own


async def test_one_whose_lease_was_taken_leaves_the_conversation_to_the_other(team: Team) -> None:
    async with team.joined("a") as a:
        await a.publish(said("C0", 0))
        await a.until(lambda: len(team.log) == 1)
        with team.engine.begin() as connection:
            connection.execute(update(partitions).values(owner="ghost", token=partitions.c.token + 1, until=9e12))
            beat(connection, Process("gateway", id="ghost"))
        await a.until(lambda: not a.outbox._share._partitions.held)
        await a.publish(said("C0", 1))
        number = partition_of(place("C0"), 4)
        await a.until(lambda: team.broker.depth(team.broker.topology.deliver_queue("acme", number).name) == 1)
        assert len(team.log) == 1
        assert team.transaction(lambda connection: connection.execute(actions.select()).all())
