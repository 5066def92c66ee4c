"""The directory of a gateway, with a real store and a platform that says what the test says."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import Engine

from dragoman import (
    ActionBase,
    Adapter,
    Address,
    ChannelInfo,
    DeliveryError,
    Event,
    LookUp,
    Person,
    PersonChanged,
    Receive,
    Sent,
)
from dragoman import directory as module
from dragoman.directory import Directory, is_named
from dragoman.store.batch import Batcher
from dragoman.store.directory import read_channel, read_person, write_channel, write_person
from dragoman.store.engine import open_store, reading
from support.samples import HERE, message
from support.servers import wait_until

ANN = Person(id="U1", name="Ann", timezone="Europe/Berlin", roles=("admin",))
AWAY = DeliveryError("the platform is away", code="away", retry=True)


class Platform(Adapter):
    """Knows Ann and #general; says so when ``open`` is set."""

    platform: ClassVar[str] = "platform"

    def __init__(self) -> None:
        super().__init__("acme", None)
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failure: Exception | None = None
        self.people: dict[str, Any] = {"U1": ANN}
        self.channels = {name: ChannelInfo(id="C2", tenant="T1", name="general") for name in ("C2", "#general")}
        self.channels["@U1"] = ChannelInfo(id="D1", tenant="T1")

    async def check(self) -> str:
        return ""

    async def run(self, receive: Receive, ready: Callable[[], None]) -> None: ...

    async def perform(self, action: ActionBase) -> Sent:
        return Sent()

    async def look_up_person(self, person: str, tenant: str) -> Person | None:
        await self._ask(f"{tenant}/{person}")
        return self.people.get(person)

    async def look_up_channel(self, channel: str, tenant: str) -> ChannelInfo | None:
        await self._ask(channel)
        return self.channels.get(channel.lower() if channel[0] == "#" else channel)

    async def _ask(self, what: str) -> None:
        self.asked.append(what)
        await self.open.wait()
        if self.failure is not None:
            raise self.failure


class Rig:
    def __init__(self, engine: Engine, *, threaded: bool) -> None:
        self.engine, self.platform = engine, Platform()
        self.batcher = Batcher(engine, call_soon=None if threaded else asyncio.get_running_loop().call_soon)
        self.directory = Directory({"acme": self.platform}, self.batcher)

    async def learn(self, event: Event) -> None:
        """As an event does that has to wait."""
        assert not self.directory.knows(event)
        if wait := self.directory.learn(event):
            await asyncio.wait(wait, timeout=5)

    def person(self, id: str = "U1") -> Person | None:
        with reading(self.engine) as connection:
            found = read_person(connection, "acme", "T1", id)
        return found.person if found else None

    def write(self, *, age: float, person: Person = ANN) -> None:
        with self.engine.begin() as connection:
            write_person(connection, "acme", "T1", person, time.time() - age)
            write_channel(connection, "acme", self.platform.channels["C2"], time.time() - age)


@pytest.fixture(params=[False, True], ids=["on the loop", "in a thread"])
async def rig(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    """As with a file on this machine, and as with a database server."""
    engine = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    made = Rig(engine, threaded=request.param)
    yield made
    await made.directory.close()
    made.batcher.close()
    engine.dispose()


async def until(condition: Callable[[], object]) -> None:
    await asyncio.to_thread(wait_until, condition)


def place(channel: str, tenant: str = "*") -> Address:
    return Address(account="acme", tenant=tenant, channel=channel)


# -- people and channels of events --------------------------------------------------------------------


async def test_somebody_who_speaks_for_the_first_time_is_asked_for_and_kept(rig: Rig) -> None:
    await rig.learn(message("hello"))
    assert rig.person() == ANN
    assert sorted(rig.platform.asked) == ["C2", "T1/U1"]
    assert rig.directory.knows(message("hello again", key="e2"))


async def test_many_who_wait_for_one_answer_ask_once(rig: Rig) -> None:
    await asyncio.gather(*(rig.learn(message("hello", key=f"e{n}")) for n in range(5)))
    assert sorted(rig.platform.asked) == ["C2", "T1/U1"]


async def test_who_is_in_the_store_is_not_asked_for(rig: Rig) -> None:
    rig.write(age=60)
    await rig.learn(message("hello"))
    assert rig.directory.knows(message("hello"))
    assert rig.platform.asked == []


async def test_who_is_known_but_old_is_asked_for_while_nobody_waits(rig: Rig) -> None:
    rig.write(age=module.FRESH + 1, person=Person(id="U1", name="Anne"))
    rig.platform.open.clear()
    await rig.learn(message("hello"))
    assert rig.directory.knows(message("hello"))
    person = rig.person()
    assert person is not None
    assert person.name == "Anne"
    rig.platform.open.set()
    await until(lambda: rig.person() == ANN)


async def test_who_is_known_from_long_ago_is_waited_for_since_a_role_may_be_gone(rig: Rig) -> None:
    rig.write(age=module.OLD + 1, person=Person(id="U1", roles=("deployers",)))
    rig.platform.people["U1"] = Person(id="U1", roles=())
    await rig.learn(message("hello"))
    assert rig.person() == Person(id="U1", roles=())


async def test_who_is_known_from_long_ago_is_believed_where_the_platform_does_not_answer(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER", 0.02)
    rig.write(age=module.OLD + 1, person=ANN)
    rig.platform.open.clear()
    await rig.learn(message("hello"))
    assert rig.person() == ANN
    assert rig.directory.knows(message("hello"))


async def test_what_was_remembered_from_long_ago_is_waited_for(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.learn(message("hello"))
    rig.platform.people["U1"] = Person(id="U1", roles=())
    now, later = time.monotonic(), time.time() + module.OLD + 10
    monkeypatch.setattr(time, "monotonic", lambda: now + module.OLD + 10)
    monkeypatch.setattr(rig.directory, "_clock", lambda: later)
    await rig.learn(message("hello"))
    assert rig.person() == Person(id="U1", roles=())


async def test_what_was_remembered_for_too_long_is_asked_for_while_nobody_waits(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH", -1.0)
    await rig.learn(message("hello"))
    rig.platform.asked.clear()
    rig.platform.open.clear()
    assert not rig.directory.knows(message("hello"))
    assert rig.directory.learn(message("hello")) == []
    assert rig.directory.knows(message("hello")), "one question at a time"
    await until(lambda: sorted(rig.platform.asked) == ["C2", "T1/U1"])


@pytest.mark.parametrize("failure", [AWAY, ValueError("a mistake of the adapter")])
async def test_a_platform_that_cannot_answer_is_left_alone_for_a_while(rig: Rig, failure: Exception) -> None:
    rig.platform.failure = failure
    await rig.learn(message("hello"))
    assert rig.person() is None
    assert rig.directory.knows(message("hello"))


async def test_a_platform_that_is_slow_is_not_waited_for(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER", 0.02)
    rig.platform.open.clear()
    await rig.learn(message("hello"))
    assert rig.directory.knows(message("hello"))


async def test_an_adapter_that_answers_nonsense_delays_nothing(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.platform.people["U1"] = "Ann"
    await rig.learn(message("hello"))
    assert rig.person() is None
    assert "Person or None was expected, not str" in caplog.text


async def test_programs_and_direct_conversations_are_not_asked_for(rig: Rig) -> None:
    event = message("hello", bot=True).model_copy(update={"conversation": "direct"})
    assert rig.directory.knows(event)


async def test_the_name_of_a_channel_that_came_with_an_event_is_kept(rig: Rig) -> None:
    await rig.learn(message("hello", bot=True).model_copy(update={"channel_name": "random"}))
    assert rig.platform.asked == []

    def name() -> str:
        with reading(rig.engine) as connection:
            found = read_channel(connection, "acme", "T1", "C2")
        return found.channel.name if found else ""

    await until(lambda: name() == "random")


async def test_who_has_changed_is_kept_as_the_platform_says(rig: Rig) -> None:
    await rig.learn(message("hello"))
    changed = ANN.model_copy(update={"timezone": "Asia/Tokyo"})
    event = PersonChanged(key="c1", address=HERE, conversation="direct", person=changed)
    rig.platform.asked.clear()
    await rig.learn(event)
    assert rig.person() == changed
    assert rig.platform.asked == []


async def test_what_is_remembered_is_bounded(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    await rig.learn(message("hello"))
    other = message("hello").model_copy(update={"person": Person(id="U2"), "conversation": "direct"})
    await rig.learn(other)
    assert rig.directory.knows(other)
    assert not rig.directory.knows(message("hello"))


# -- on request ---------------------------------------------------------------------------------------


async def test_a_look_up_fetches_somebody_who_never_spoke(rig: Rig) -> None:
    await rig.directory.look_up(LookUp(key="k", address=HERE, person="U1"))
    assert rig.person() == ANN
    await rig.directory.look_up(LookUp(key="k", address=HERE, person="U999"))  # there is no such person


async def test_a_look_up_says_when_the_platform_cannot_be_asked(rig: Rig) -> None:
    rig.platform.failure = AWAY
    with pytest.raises(DeliveryError, match="is away") as caught:
        await rig.directory.look_up(LookUp(key="k", address=HERE, person="U1"))
    assert caught.value.retry


@pytest.mark.parametrize(
    ("named", "found"),
    [(place("#general"), "C2"), (place("#General", "T1"), "C2"), (place("@U1", "T1"), "D1"), (place("C2"), "C2")],
)
async def test_a_place_is_found_by_its_name_and_remembered(rig: Rig, named: Address, found: str) -> None:
    assert is_named(named)
    assert rig.directory.resolved(named) is None
    resolved = await rig.directory.resolve(named.in_thread("1"))
    assert resolved == Address(account="acme", tenant="T1", channel=found, thread="1")
    assert not is_named(resolved)
    assert await rig.directory.resolve(named) == rig.directory.resolved(named) == resolved.in_thread(None)
    assert rig.platform.asked == [named.channel]


async def test_an_address_is_a_place_already(rig: Rig) -> None:
    assert rig.directory.resolved(HERE) is HERE
    assert await rig.directory.resolve(HERE) is HERE


async def test_a_name_in_the_store_is_believed_for_a_day(rig: Rig) -> None:
    rig.write(age=module.NAMED / 2)
    assert (await rig.directory.resolve(place("#general"))).channel == "C2"
    assert rig.platform.asked == []


async def test_an_older_name_is_asked_for(rig: Rig) -> None:
    rig.write(age=module.NAMED + 60)
    rig.platform.channels["#general"] = ChannelInfo(id="C9", tenant="T1", name="general")
    assert (await rig.directory.resolve(place("#general"))).channel == "C9"


async def test_a_name_that_led_to_a_refusal_is_asked_for_again(rig: Rig) -> None:
    assert (await rig.directory.resolve(place("#general"))).channel == "C2"
    rig.platform.channels["#general"] = ChannelInfo(id="C9", tenant="T1", name="general")
    rig.directory.distrust(place("C2", "T1"))
    assert (await rig.directory.resolve(place("#general"))).channel == "C9"


async def test_a_channel_that_is_not_there_is_refused_in_words(rig: Rig) -> None:
    with pytest.raises(DeliveryError, match="acme has no channel #nope that the bot can see") as caught:
        await rig.directory.resolve(place("#nope"))
    assert (caught.value.code, caught.value.retry) == ("channel_not_found", False)


async def test_a_channel_is_looked_for_later_if_the_platform_is_away(rig: Rig) -> None:
    rig.platform.failure = AWAY
    with pytest.raises(DeliveryError) as caught:
        await rig.directory.resolve(place("#general"))
    assert caught.value.retry
    rig.platform.failure = None
    assert (await rig.directory.resolve(place("#general"))).channel == "C2"
