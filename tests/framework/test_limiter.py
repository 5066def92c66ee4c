"""Whose turn it is, at a clock that the tests move on."""

import asyncio

import pytest

from dragoman import Content, Pacing, React, Send, Sent, Target
from dragoman.limiter import Limiter, Recalled
from support.samples import HERE, send


class Clock:
    """Steady, and moved on by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Line:
    """Actions that wait for their turns; ``went`` are the keys of those whose turn has come, in order."""

    def __init__(self, pacing: Pacing | None = None) -> None:
        self.clock = Clock()
        self.limiter = Limiter("acme", pacing, clock=self.clock)
        self.went: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def add(self, *keys: str, channel: str = "C2", bulk: bool = False, parts: int = 1) -> None:
        """Let some actions wait; they are performed at once in their turn."""
        for key in keys:
            where = HERE.model_copy(update={"channel": channel})
            action = Send(key=key, address=where, content=Content(text=key), bulk=bulk)
            self.tasks[key] = asyncio.create_task(self._go(action, parts))
        await self.settle()

    async def _go(self, action: Send, parts: int) -> None:
        await self.limiter.turn(action)
        self.went.append(action.key)
        self.limiter.done(action, Sent(ids=("m",) * parts))

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def pass_(self, seconds: float) -> None:
        self.clock.now += seconds
        self.limiter._go_on()  # as its timer does
        await self.settle()

    async def end(self) -> None:
        self.limiter.close()
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


async def test_without_a_pace_everybody_goes_at_once() -> None:
    line = Line()
    await line.add(*(str(n) for n in range(50)))
    assert len(line.went) == 50
    assert line.limiter.waiting == 0


async def test_a_channel_has_a_burst_and_then_a_pace() -> None:
    line = Line(Pacing(every=1.0, burst=3))
    await line.add("1", "2", "3", "4", "5")
    assert line.went == ["1", "2", "3"]
    await line.pass_(0.9)
    assert line.went == ["1", "2", "3"]
    await line.pass_(0.1)
    assert line.went == ["1", "2", "3", "4"]
    await line.add("else", channel="C3")
    assert line.went[-1] == "else"
    await line.pass_(1.0)
    assert line.went[-1] == "5"
    await line.pass_(10.0)
    await line.add("6", "7", "8", "9")
    assert line.went[-3:] == ["6", "7", "8"]  # rested, and no more than that
    await line.end()


async def test_the_pace_is_for_what_is_said_and_a_long_text_counts_for_its_parts() -> None:
    line = Line(Pacing(every=1.0))
    await line.add("long", parts=3)
    react = React(key="r", address=HERE, target=Target(id="m"), emoji="wave")
    await asyncio.wait_for(line.limiter.turn(react), 1)
    line.limiter.done(react, Sent())
    await line.add("next")
    await line.pass_(2.9)
    assert line.went == ["long"]
    await line.pass_(0.1)
    assert line.went == ["long", "next"]


async def test_when_the_platform_wants_to_be_left_alone_all_wait_and_who_is_waited_for_goes_first(
    caplog: pytest.LogCaptureFixture,
) -> None:
    line = Line()
    assert line.limiter.limit("", 30)
    assert not line.limiter.limit("", 30)  # another call of the same moment was told the same
    await line.add("news 1", "news 2", bulk=True)
    await line.add("answer 1", channel="C3")
    await line.add("answer 2", channel="C4")
    await line.pass_(29.9)
    assert line.went == []
    await line.pass_(0.2)
    assert line.went == ["answer 1", "answer 2", "news 1", "news 2"]
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "acme: the platform wants no more for 30 s; what is to be said waits",
        "acme: the limit is over; 4 actions waited",
    ]


async def test_after_a_limit_it_begins_with_one_at_a_time() -> None:
    line = Line()
    line.limiter.limit("", 1)
    first, second = send("a"), send("b")
    turns = [asyncio.ensure_future(line.limiter.turn(action)) for action in (first, second)]
    await line.settle()
    await line.pass_(1.1)
    assert [turn.done() for turn in turns] == [True, False]
    line.limiter.limit("", 5)  # the first is told that it was too early
    line.limiter.done(first, None)
    await line.settle()
    assert not turns[1].done()
    await line.pass_(5.1)
    assert turns[1].done()
    line.limiter.done(second, Sent())
    await line.add("c", "d", "e", "f")
    assert line.went == ["c", "d", "e", "f"]


async def test_a_limit_of_a_channel_is_no_others() -> None:
    line = Line()
    line.limiter.limit("C2", 10)
    await line.add("here")
    await line.add("there", channel="C3")
    assert line.went == ["there"]
    await line.pass_(10.1)
    assert line.went == ["there", "here"]


async def test_its_own_timer_wakes_those_who_wait() -> None:
    limiter = Limiter("acme")
    limiter.limit("", 0.05)
    await asyncio.wait_for(limiter.turn(send("a")), 5)
    limiter.done(send("a"), Sent())


async def test_who_is_recalled_or_cancelled_takes_no_turn() -> None:
    line = Line()
    line.limiter.limit("", 10)
    recalled, cancelled = (asyncio.ensure_future(line.limiter.turn(send(key))) for key in "ab")
    await line.settle()
    line.limiter.recall(lambda action: action.key == "a")
    cancelled.cancel()
    with pytest.raises(Recalled):
        await recalled
    await line.settle()
    assert line.limiter.waiting == 0
    await line.pass_(10.1)
    await line.add("c", "d")
    assert line.went == ["c", "d"]


@pytest.mark.parametrize(("every", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_pace_that_cannot_be_kept_is_an_error(every: float, burst: int) -> None:
    with pytest.raises(ValueError, match="more than 0 seconds"):
        Pacing(every=every, burst=burst)
