"""Kills parts of a running bot at random while people talk to it, then looks at every message.

``python tests/end_to_end/kills.py --messages 5000 --kills 60 [--broker amqp://...] [--seed N]``
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

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
) -> Report:
    """Spread messages and kills over some seconds; wait for all answers; count."""
    chance = random.Random(seed)
    async with SlackSimulator(ack_timeout=3.0, retry_delays=(0.2, 1.0, 3.0)) as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        channels = [acme.channel(f"room-{i}", members=[ann]) for i in range(CHANNELS)]
        toml = settings_for(slack, {"acme": acme}, broker=broker, name=f"kills{seed}", skills='"help"')
        bot = RunningBot(folder, toml)
        await asyncio.to_thread(bot.__enter__)
        try:
            await slack.connected(1)
            said: dict[int, float] = {}
            killed: Counter[str] = Counter()
            began = time.monotonic()

            async def talk() -> None:
                for number in range(messages):
                    wait = began + number * seconds / messages - time.monotonic()
                    if wait > 0:
                        await asyncio.sleep(wait)
                    said[number] = time.time()
                    await ann.say(channels[number % CHANNELS], f"@dragoman echo {number}")

            async def kill() -> None:
                times = sorted(chance.uniform(0.0, seconds) for _ in range(kills))
                for at in times:
                    await asyncio.sleep(max(0.0, began + at - time.monotonic()))
                    # A part that is just being started again cannot be killed: wait until one is there.
                    while True:
                        part = chance.choice(list(parts))
                        if await asyncio.to_thread(bot.kill, part):
                            killed[part] += 1
                            break
                        await asyncio.sleep(0.05)

            await asyncio.gather(talk(), kill())

            def answered() -> set[int]:
                return {int(text.split()[1]) for text in (m.text for m in slack.said()) if text.startswith("echo ")}

            with contextlib.suppress(TimeoutError):
                await slack.until(lambda: len(slack.said()) >= messages and len(answered()) >= messages, patience)
            # Whatever would be said twice has to be given the time to be said.
            with contextlib.suppress(TimeoutError):
                await slack.until(lambda: len(slack.said()) > messages, 6.0)
            counts = Counter(m.text for m in slack.said())
            accepted = sum(1 for channel in channels for m in channel.messages if m.accepted)
            lost = tuple(n for n in range(messages) if not counts[f"echo {n}"])
            twice = tuple(n for n in range(messages) if counts[f"echo {n}"] > 1)
            at = {m.text: float(m.ts) for m in slack.said()}
            worst = max((at[f"echo {n}"] - when for n, when in said.items() if f"echo {n}" in at), default=0.0)
            return Report(seed, messages, accepted, lost, twice, killed, worst, time.monotonic() - began)
        finally:
            await asyncio.to_thread(bot.stop)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=150.0)
    parser.add_argument("--broker", default="embedded")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    parts = ["gateway", "router", "worker default", *(["broker"] if options.broker == "embedded" else [])]
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
        )
    )
    print(report)
    if report.lost or report.twice:
        print("lost:", report.lost[:20], "twice:", report.twice[:20], "folder:", folder)
        sys.exit(1)


if __name__ == "__main__":
    main()
