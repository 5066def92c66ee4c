"""``make chaos``: people say numbered messages on both platforms while everything breaks; each is then looked at.

``make chaos ARGS="--seconds 600 --messages 20000 --faults 200"``; docs/chaos.md says what happens and how to read it.
"""

import argparse
import asyncio
import contextlib
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from rich.console import Console

from end_to_end.brokers import BrokerProcess, Embedded, Rabbit  # the path above is for running this as a program
from end_to_end.faults import KINDS, Scene, kinds_for, plan
from end_to_end.sides import ROOMS, SIDES, Side, settings_of
from end_to_end.verdict import Answer, Asked, Report, judge
from support.bot import RunningBot
from support.rabbitmq import RabbitMQ

__all__ = ["Order", "run"]

SKILLS: Final = '''
import os
from typing import Literal

from dragoman import Context, Skill

# Attempts that a kill has ended count: with many kills, few retries would park a message that nothing is wrong with.
skill = Skill("number", order="conversation", retries=20)


@skill.hear(r"^number (?P<number>[0-9]+)(?: (?P<how>exit|raise))?$")
def number(ctx: Context, number: int, how: str = "") -> str:
    """Answer with the number; fail first, if that is asked for."""
    if ctx.attempt == 1 and how == "exit":
        os._exit(1)
    if ctx.attempt == 1 and how == "raise":
        raise RuntimeError(f"number {number} was to fail")
    return f"got {number}"
'''
ANSWER: Final = re.compile(r"got (\d+)")
#: For so many seconds after the last answer, doubles are waited for.
CALM: Final = 8.0
#: Seconds between two looks at all that was said: with many messages, a look at each change would be all that is done.
LOOK: Final = 0.5
#: How much of the log is shown for a message that something is wrong with.
LINES: Final = 12


@dataclass(frozen=True)
class Order:
    """What is to happen.

    Args:
        messages: on all platforms together, spread evenly over the seconds; the faults are spread at random.
        away: for how many seconds the broker is away, when it is.
        patience: seconds without any answer after which what is missing is lost.
        only: these kinds of faults.
    """

    seed: int
    messages: int = 2400
    faults: int = 60
    seconds: float = 120.0
    platforms: Sequence[str] = ("slack", "discord")
    away: float = 5.0
    patience: float = 120.0
    only: Sequence[str] = ()


class Stage:
    """The bot, the people and what goes wrong."""

    def __init__(self, order: Order, sides: Sequence[Side], scene: Scene) -> None:
        self.order = order
        self.sides = sides
        self.scene = scene
        self.asked: list[Asked] = []
        self.faults: Counter[str] = Counter()

    async def talk(self, began: float) -> None:
        """Say the numbers, the platforms in turn, each in a room by chance."""
        order, chance = self.order, random.Random(f"{self.order.seed} rooms")
        for number in range(order.messages):
            await _until(began + number * order.seconds / order.messages)
            side, room = self.sides[number % len(self.sides)], chance.randrange(ROOMS)
            how = f" {self.scene.hows.pop(0)}" if self.scene.hows else ""
            self.asked.append(Asked(number, side.name, room, await side.say(room, f"number {number}{how}")))

    async def break_things(self, began: float, kinds: Sequence[str]) -> None:
        """Each fault at its time, also while others last."""
        async with asyncio.TaskGroup() as lasting:
            for at, kind in plan(
                random.Random(f"{self.order.seed} faults"), kinds, self.order.faults, self.order.seconds
            ):
                await _until(began + at)
                lasting.create_task(self._fault(kind))

    async def _fault(self, kind: str) -> None:
        if await KINDS[kind](self.scene):
            self.faults[kind] += 1

    def answers(self, side: Side) -> list[Answer]:
        """What the bot has said there."""
        return [
            Answer(
                side.name,
                each.room,
                each.at,
                int(found[1]) if (found := ANSWER.fullmatch(each.text)) else None,
                each.text,
            )
            for each in side.heard()
        ]

    async def settle(self) -> None:
        """Until everything is answered and no double has come for a while; or nothing has come for a long time."""
        count, since = -1, time.monotonic()
        while True:
            said = [answer for side in self.sides for answer in self.answers(side)]
            if len(said) != count:
                count, since = len(said), time.monotonic()
            missing = {asked.number for asked in self.asked} - {answer.number for answer in said}
            if time.monotonic() - since > (self.order.patience if missing else CALM):
                return
            await asyncio.sleep(LOOK)


async def _until(moment: float) -> None:
    if (wait := moment - time.monotonic()) > 0:
        await asyncio.sleep(wait)


async def run(folder: Path, order: Order, broker: str | RabbitMQ = "embedded", name: str = "chaos") -> Report:
    """Let it happen, wait for the answers, and judge.

    Args:
        folder: for the bot's settings, skills, log and data.
        broker: ``embedded``, a RabbitMQ of ours, or the URL of a broker that nobody breaks.
        name: the bot's.
    """
    async with AsyncExitStack() as stack:
        sides = [await stack.enter_async_context(SIDES[platform]()) for platform in order.platforms]
        url = broker if isinstance(broker, str) else broker.url
        bot = RunningBot(folder, settings_of(sides, name=name, broker=url), SKILLS)
        process: BrokerProcess | None = None if isinstance(broker, str) else Rabbit(broker)
        if url == "embedded":
            process = Embedded(bot)
        chance = random.Random(f"{order.seed} details")
        scene = Scene(bot, sides, process, folder / ".dragoman" / "store.db", chance, order.away)
        stage = Stage(order, sides, scene)
        kinds = order.only or kinds_for(order.platforms, broker=process is not None)
        await asyncio.to_thread(bot.__enter__)
        try:
            await asyncio.to_thread(bot.wait_for_log, f"{name} is ready", 60.0)
            began = time.monotonic()
            async with asyncio.TaskGroup() as both:
                both.create_task(stage.talk(began))
                both.create_task(stage.break_things(began, kinds))
            await stage.settle()
        finally:
            await asyncio.to_thread(bot.stop)
        verdicts = {
            side.name: judge([each for each in stage.asked if each.platform == side.name], stage.answers(side))
            for side in sides
        }
        seconds = time.monotonic() - began - CALM
        return Report(order.seed, url.partition(":")[0], stage.faults, verdicts, seconds)


def near(log: Path, wrong: Sequence[tuple[float, str]]) -> Iterator[str]:
    """What the bot has logged around each of these times (unix seconds), below what is wrong with something then."""
    times: list[tuple[float, str]] = []
    with log.open(errors="replace") as lines:
        for line in lines:
            with contextlib.suppress(ValueError):
                times.append((datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").timestamp(), line.rstrip()))
    for at, what in wrong:
        yield what
        found = [line for when, line in times if at - 1.0 <= when <= at + 10.0]
        yield from (f"    {line}" for line in found[:LINES])


def main() -> None:
    """Run it as asked for, and exit with status 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--messages", type=int, default=Order.messages, help="on all platforms together")
    parser.add_argument("--faults", type=int, default=Order.faults)
    parser.add_argument("--seconds", type=float, default=Order.seconds, help="over which both are spread")
    parser.add_argument("--broker", default="embedded", help="embedded, rabbitmq (one of its own), or a URL")
    parser.add_argument("--platforms", default="slack,discord")
    parser.add_argument("--away", type=float, help="seconds for which the broker is away; 30 in a long run, else 5")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--only", default="", help=f"kinds of faults: {', '.join(KINDS)}")
    parser.add_argument("--keep", action="store_true", help="keep the folder also if all is well")
    options = parser.parse_args()
    order = Order(
        seed=options.seed,
        messages=options.messages,
        faults=options.faults,
        seconds=options.seconds,
        platforms=options.platforms.split(","),
        away=options.away if options.away is not None else 30.0 if options.seconds >= 300 else 5.0,
        only=[each.strip() for each in options.only.split(",") if each.strip()],
    )
    if unknown := set(order.only) - set(KINDS) or set(order.platforms) - set(SIDES):
        parser.error(f"there is no {sorted(unknown)[0]!r}")
    folder = Path(tempfile.mkdtemp(prefix="dragoman-chaos-"))
    print(f"seed {order.seed}, folder {folder}", flush=True)
    with contextlib.ExitStack() as stack:
        broker: str | RabbitMQ = options.broker
        if broker == "rabbitmq":
            broker = RabbitMQ()
            stack.callback(broker.remove)
            broker.start()
        report = asyncio.run(run(folder, order, broker))
    Console().print(report.table())
    if report.sound:
        if not options.keep:
            shutil.rmtree(folder)
        return
    print(report)
    for verdict in report.verdicts.values():
        for line in near(folder / "bot.log", verdict.wrong()):
            print(line)
    print(f"the bot's log and data are in {folder}; to try it again: --seed {order.seed}")
    sys.exit(1)


if __name__ == "__main__":
    main()
