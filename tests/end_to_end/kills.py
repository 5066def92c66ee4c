"""Kills parts of a running bot at random while people talk to it, then looks at every message.

``python tests/end_to_end/kills.py --messages 5000 --kills 60 [--broker amqp://...] [--platforms slack,discord]
[--seed N]``

Messages are of all platforms in turn. Parts are processes of the bot, and ``sockets``: its connections to them.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from dragoman_discord.simulator import DiscordSimulator
from dragoman_slack.simulator import SlackSimulator  # likewise
from support.bot import RunningBot, settings_for  # the path above is for running this as a program

__all__ = ["Report", "run"]

CHANNELS = 20


@dataclass(frozen=True)
class Report:
    """What became of the messages."""

    seed: int
    messages: int
    accepted: int
    lost: tuple[int, ...]
    twice: tuple[int, ...]
    kills: Counter[str]
    worst: float
    seconds: float

    def __str__(self) -> str:
        kills = ", ".join(f"{part} {count}" for part, count in sorted(self.kills.items()))
        return (
            f"seed {self.seed}: {self.messages} messages in {self.seconds:.0f} s, {self.accepted} accepted, "
            f"{len(self.lost)} lost, {len(self.twice)} answered twice; "
            f"killed {sum(self.kills.values())} times ({kills}); worst delay {self.worst:.1f} s"
        )


@dataclass(frozen=True)
class Side:
    """One platform.

    Attributes:
        say: somebody asks for the echo of a number, in one of the channels.
        said: what the bot has said, and when.
        accepted: whether the platform was told that a message is accepted, or may still replay it.
    """

    simulator: SlackSimulator | DiscordSimulator
    settings: str
    say: Callable[[int], Coroutine[Any, Any, Any]]
    said: Callable[[], list[tuple[str, float]]]
    accepted: Callable[[Any], bool]


def time_of(snowflake: str) -> float:
    """https://docs.discord.com/developers/reference#snowflakes"""
    return ((int(snowflake) >> 22) + 1_420_070_400_000) / 1000


@asynccontextmanager
async def slack_side(name: str, broker: str) -> AsyncIterator[Side]:
    # Slack tries three times more: nearly at once, after 1 minute and after 5 (https://docs.slack.dev/apis/events-api/).
    async with SlackSimulator(ack_timeout=3.0, retry_delays=(0.2, 3.0, 20.0)) as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        channels = [acme.channel(f"room-{i}", members=[ann]) for i in range(CHANNELS)]
        yield Side(
            slack,
            settings_for(slack, {"acme": acme}, broker=broker, name=name, skills='"help"'),
            lambda number: ann.say(channels[number % CHANNELS], f"@dragoman echo {number}"),
            lambda: [(message.text, float(message.ts)) for message in slack.said()],
            lambda message: bool(message.accepted),
        )


@asynccontextmanager
async def discord_side() -> AsyncIterator[Side]:
    """Discord is told nothing: it replays to a session that is resumed."""
    async with DiscordSimulator() as discord:
        guild = discord.guild("acme")
        bob, app = guild.user("bob"), discord.application("dragoman")
        channels = [guild.channel(f"room-{i}") for i in range(CHANNELS)]
        yield Side(
            discord,
            f'[accounts.guild]\nplatform = "discord"\ntoken = "{app.token}"\napi_url = "{discord.api_url}"\n'
            f'gateway_url = "{discord.gateway_url}"\nidentify_delay = 0\n',
            lambda number: bob.say(channels[number % CHANNELS], f"{app.user.mention} echo {number}"),
            lambda: [(message.text, time_of(message.id)) for message in discord.said()],
            lambda message: True,
        )


async def run(
    folder: Path,
    *,
    broker: str,
    messages: int,
    kills: int,
    seed: int,
    parts: Sequence[str],
    seconds: float,
    patience: float = 90.0,
    platforms: Sequence[str] = ("slack",),
) -> Report:
    """Spread messages and kills over some seconds; wait for all answers; count.

    Args:
        messages: on all platforms together.
    """
    chance = random.Random(seed)
    async with AsyncExitStack() as stack:
        sides = [await stack.enter_async_context(slack_side(f"kills{seed}", broker))]
        if "discord" in platforms:
            sides.append(await stack.enter_async_context(discord_side()))
        bot = RunningBot(folder, "".join(side.settings for side in sides))
        await asyncio.to_thread(bot.__enter__)
        try:
            for side in sides:
                await side.simulator.connected(1, timeout=40)
            asked: dict[int, float] = {}
            messages_of: dict[int, Any] = {}
            killed: Counter[str] = Counter()
            began = time.monotonic()

            async def talk() -> None:
                for number in range(messages):
                    wait = began + number * seconds / messages - time.monotonic()
                    if wait > 0:
                        await asyncio.sleep(wait)
                    asked[number] = time.time()
                    messages_of[number] = await sides[number % len(sides)].say(number)

            async def end(part: str) -> bool:
                if part == "sockets":
                    return sum([side.simulator.drop_sockets() for side in sides]) > 0
                return await asyncio.to_thread(bot.kill, part)

            async def kill() -> None:
                times = sorted(chance.uniform(0.0, seconds) for _ in range(kills))
                # Each part at least once, then any.
                first = list(dict.fromkeys(parts))
                chance.shuffle(first)
                for at, wanted in zip(times, [*first, *[""] * len(times)], strict=False):
                    await asyncio.sleep(max(0.0, began + at - time.monotonic()))
                    # A part that is just being started again cannot be killed: wait until one is there.
                    while True:
                        part = wanted or chance.choice(list(parts))
                        if await end(part):
                            killed[part] += 1
                            break
                        await asyncio.sleep(0.05)

            await asyncio.gather(talk(), kill())

            def said() -> list[tuple[str, float]]:
                return [each for side in sides for each in side.said()]

            async def until(condition: Callable[[], bool], timeout: float) -> None:
                """Whichever of them hears something asks about all."""
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(timeout):
                        while not condition():
                            waiting = [asyncio.create_task(heard(side, len(side.said()))) for side in sides]
                            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                            for task in waiting:
                                task.cancel()
                            await asyncio.gather(*waiting, return_exceptions=True)

            async def heard(side: Side, count: int) -> None:
                await side.simulator.until(lambda: len(side.said()) != count, 2 * patience)

            wanted = {f"echo {number}" for number in range(messages)}
            await until(lambda: len(said()) >= messages and wanted <= {text for text, _ in said()}, patience)
            # Whatever would be said twice has to be given the time to be said.
            await until(lambda: len(said()) > messages, 6.0)
            counts = Counter(text for text, _ in said())
            accepted = {n for n in range(messages) if sides[n % len(sides)].accepted(messages_of[n])}
            lost = tuple(n for n in accepted if not counts[f"echo {n}"])
            twice = tuple(n for n in range(messages) if counts[f"echo {n}"] > 1)
            at = dict(said())
            worst = max((at[f"echo {n}"] - when for n, when in asked.items() if f"echo {n}" in at), default=0.0)
            return Report(seed, messages, len(accepted), lost, twice, killed, worst, time.monotonic() - began)
        finally:
            await asyncio.to_thread(bot.stop)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=150.0)
    parser.add_argument("--broker", default="embedded")
    parser.add_argument("--platforms", default="slack", help="slack, or slack,discord")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    parts = ["gateway", "router", "worker default", *(["broker"] if options.broker == "embedded" else [])]
    if "discord" in options.platforms:
        parts.append("sockets")
    print(f"seed {options.seed}", flush=True)
    folder = Path(tempfile.mkdtemp())
    print(f"folder {folder}", flush=True)
    report = asyncio.run(
        run(
            folder,
            broker=options.broker,
            messages=options.messages,
            kills=options.kills,
            seed=options.seed,
            parts=parts,
            seconds=options.seconds,
            platforms=options.platforms.split(","),
        )
    )
    print(report)
    if report.lost or report.twice:
        print("lost:", report.lost[:20], "twice:", report.twice[:20], "folder:", folder)
        sys.exit(1)


if __name__ == "__main__":
    main()
