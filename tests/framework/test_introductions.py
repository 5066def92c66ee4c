"""Events that wait until it is known who they are from, and what must not change while they do."""

import asyncio
import threading

import pytest

from dragoman import Event, EventBase, Person
from dragoman.directory import Directory
from dragoman.introductions import Introductions
from support.samples import HERE, message
from support.servers import wait_until


class Strangers(Directory):
    """Knows those whom the test has introduced."""

    def __init__(self) -> None:
        self.met: dict[str, asyncio.Event] = {}
        self.tasks: list[asyncio.Task[None]] = []

    def knows(self, event: EventBase) -> bool:
        assert event.person is not None
        return event.person.id not in self.met or self.met[event.person.id].is_set()

    def learn(self, event: EventBase) -> list[asyncio.Task[None]]:
        if self.knows(event):
            return []
        assert event.person is not None
        self.tasks.append(asyncio.create_task(self._meet(event.person.id)))
        return self.tasks[-1:]

    async def _meet(self, person: str) -> None:
        await self.met[person].wait()


class Rig:
    def __init__(self, *strangers: str) -> None:
        self.directory = Strangers()
        self.directory.met = {name: asyncio.Event() for name in strangers}
        self.passed: list[str] = []
        self.introductions = Introductions(
            self.directory, lambda event: self.passed.append(event.key), asyncio.get_running_loop()
        )

    def come(self, key: str, who: str, channel: str = "C2") -> None:
        self.introductions.introduce(said(key, who, channel))

    async def meet(self, who: str) -> None:
        self.directory.met[who].set()
        for _ in range(10):  # turns of the event loop
            await asyncio.sleep(0)


def said(key: str, who: str, channel: str = "C2") -> Event:
    address = HERE.model_copy(update={"channel": channel})
    return message("hello", key=key).model_copy(update={"person": Person(id=who), "address": address})


async def test_what_a_known_person_says_passes_at_once() -> None:
    rig = Rig()
    rig.come("1", "ann")
    assert rig.passed == ["1"]


async def test_the_order_within_a_channel_stays() -> None:
    rig = Rig("bob", "cid")
    rig.come("1", "bob")
    rig.come("2", "ann")
    rig.come("3", "cid")
    rig.come("4", "bob")
    await rig.meet("cid")
    assert rig.passed == []
    await rig.meet("bob")
    assert rig.passed == ["1", "2", "3", "4"]
    rig.come("5", "ann")
    assert rig.passed[-1] == "5"


async def test_other_channels_do_not_wait() -> None:
    rig = Rig("bob")
    rig.come("1", "bob")
    rig.come("2", "ann", "C3")
    assert rig.passed == ["2"]
    await rig.meet("bob")
    assert rig.passed == ["2", "1"]


async def test_all_who_wait_in_a_channel_are_asked_about_at_once() -> None:
    rig = Rig("bob", "cid")
    rig.come("1", "bob")
    rig.come("2", "cid")
    await asyncio.sleep(0)
    assert len(rig.directory.tasks) == 2
    await rig.meet("bob")
    await rig.meet("cid")
    assert rig.passed == ["1", "2"]


async def test_events_may_come_from_any_thread() -> None:
    rig = Rig("bob")

    def work() -> None:
        for number in range(200):
            rig.come(str(number), "bob" if number % 3 == 0 else "ann")

    thread = threading.Thread(target=work)
    thread.start()
    await rig.meet("bob")
    await asyncio.to_thread(wait_until, lambda: len(rig.passed) == 200)
    thread.join()
    assert rig.passed == [str(number) for number in range(200)]


@pytest.mark.parametrize("begun", [True, False])
async def test_at_the_end_nothing_stays_behind(begun: bool) -> None:
    rig = Rig("bob")
    rig.come("1", "bob")
    rig.come("2", "ann")
    if begun:
        await asyncio.sleep(0)
    await rig.introductions.close()
    assert rig.passed == ["1", "2"]
    rig.come("3", "bob")
    assert rig.passed == ["1", "2", "3"]
    for task in rig.directory.tasks:
        task.cancel()
    await asyncio.gather(*rig.directory.tasks, return_exceptions=True)
