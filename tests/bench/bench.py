"""``make bench``: how fast, beside the bare limit measured in the same run.

Prints, for each broker that is there: sustained messages per second and unloaded latency from Slack's websocket
to ``chat.postMessage``, the same three hops with kombu and Celery and nothing of ours, and the ratio. Before
that: what routing a message costs with ten and with a thousand commands and patterns.
"""

import argparse
import asyncio
import contextlib
import datetime
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rich.console import Console  # likewise
from rich.table import Table  # likewise

from bench import bare, routing  # the path above is for running this as a program
from dragoman.exchange import EmbeddedValkey  # likewise
from dragoman_slack.simulator import SlackSimulator  # likewise
from support.bot import RunningBot, settings_for  # likewise

CHANNELS = 20


async def whole_way(broker: str, folder: Path, *, many: int, few: int) -> tuple[float, list[float]]:
    """As `bare.measure`, for the whole of Dragoman."""
    async with SlackSimulator(ack_timeout=60.0) as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        rooms = [acme.channel(f"room-{number}", members=[ann]) for number in range(CHANNELS)]
        name = f"bench-{uuid.uuid4().hex[:8]}"
        toml = settings_for(slack, {"acme": acme}, broker=broker, name=name, skills='"help"')
        bot = RunningBot(folder, toml)
        await asyncio.to_thread(bot.__enter__)
        try:
            await slack.connected(timeout=60)
            for room in rooms:
                await room.reply_to(await ann.say(room, "@dragoman echo warm"), timeout=60)
            singles = []
            for _ in range(few):
                began = time.perf_counter()
                await rooms[0].reply_to(await ann.say(rooms[0], "@dragoman echo one"), timeout=60)
                singles.append(1000 * (time.perf_counter() - began))
            before, began = len(slack.said()), time.perf_counter()
            for number in range(many):
                await ann.say(rooms[number % CHANNELS], f"@dragoman echo {number}")
            await slack.until(lambda: len(slack.said()) >= before + many, 300)
            return many / (time.perf_counter() - began), sorted(singles)
        finally:
            await asyncio.to_thread(bot.stop)


async def beside(command: str, broker: str, folder: Path, *, few: int) -> list[float]:
    """The sorted milliseconds of ``help`` while fifty runs of another skill wait or are at it."""
    async with SlackSimulator(ack_timeout=60.0) as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        slow, room = acme.channel("slow", members=[ann]), acme.channel("room", members=[ann])
        name = f"bench-{uuid.uuid4().hex[:8]}"
        toml = settings_for(slack, {"acme": acme}, broker=broker, name=name, skills='"help"', more="[run]\ngrace = 1\n")
        bot = RunningBot(folder, toml)
        await asyncio.to_thread(bot.__enter__)
        try:
            await slack.connected(timeout=60)
            await room.reply_to(await ann.say(room, "@dragoman help"), timeout=60)
            for _ in range(50):
                await ann.say(slow, f"@dragoman {command} 60")
            singles = []
            for _ in range(few):
                began = time.perf_counter()
                await room.reply_to(await ann.say(room, "@dragoman help"), timeout=60)
                singles.append(1000 * (time.perf_counter() - began))
            return sorted(singles)
        finally:
            await asyncio.to_thread(bot.stop)


@contextlib.contextmanager
def valkey(folder: Path) -> Iterator[str]:
    """A Valkey for the bare hops: kombu's own URL of it, over TCP as kombu wants."""
    import redis

    from support.servers import free_port

    port = free_port()
    with EmbeddedValkey(folder) as server:
        client = redis.Redis(unix_socket_path=str(server.socket))
        client.config_set("port", port)
        client.close()
        yield f"redis://127.0.0.1:{port}/0"


@contextlib.contextmanager
def rabbitmq() -> Iterator[str]:
    """The RabbitMQ of ``BENCH_AMQP``, or a private one."""
    if url := os.environ.get("BENCH_AMQP"):
        yield url
        return
    from support.rabbitmq import RabbitMQ

    server = RabbitMQ()
    server.start()
    try:
        yield server.url
    finally:
        server.remove()


def show_routing() -> None:
    """What matching costs in the router, with ten and with a thousand commands and patterns."""
    table = Table(title="Routing one message")
    table.add_column("what is said")
    for column in ("10 commands, 10 patterns: us", "1,000 of each: us", "ratio"):
        table.add_column(column, justify="right")
    for what, (few, lots) in routing.measure().items():
        table.add_row(what, f"{few:.0f}", f"{lots:.0f}", f"{lots / few:.2f}")
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--singles", type=int, default=300)
    parser.add_argument("--only", choices=["embedded", "rabbitmq", "routing"])
    options = parser.parse_args()
    if options.only in (None, "routing"):
        show_routing()
    if options.only == "routing":
        return
    table = Table(title=f"Slack to Slack, {datetime.date.today()}, {os.cpu_count()} cores, {options.messages} messages")
    for column in ("broker", "what", "messages/s", "p50 ms", "p99 ms"):
        table.add_column(column, justify="left" if column in ("broker", "what") else "right")
    for name in ("rabbitmq", "embedded"):
        if options.only not in (None, name):
            continue
        with tempfile.TemporaryDirectory(prefix="dragoman-bench-") as temporary:
            folder = Path(temporary)
            (folder / "bot").mkdir()
            server = rabbitmq() if name == "rabbitmq" else valkey(folder / "bare")
            with server as url:
                limit = bare.measure(
                    url, f"b{uuid.uuid4().hex[:8]}", folder / "bare.log", many=options.messages, few=options.singles
                )
                broker = url if name == "rabbitmq" else "embedded"
                ours = asyncio.run(whole_way(broker, folder / "bot", many=options.messages, few=options.singles))
                helps = {}
                for command in ("sleep", "burn"):
                    (folder / command).mkdir()
                    helps[command] = asyncio.run(beside(command, broker, folder / command, few=options.singles))
            for what, (rate, singles) in (("bare kombu + Celery", limit), ("Dragoman", ours)):
                p99 = singles[int(len(singles) * 0.99)]
                table.add_row(name, what, f"{rate:.0f}", f"{statistics.median(singles):.1f}", f"{p99:.1f}")
            ratio = statistics.median(ours[1]) / statistics.median(limit[1])
            for command, singles in helps.items():
                p99 = singles[int(len(singles) * 0.99)]
                what = f"help beside 50 x {command} 60"
                table.add_row(name, what, "", f"{statistics.median(singles):.1f}", f"{p99:.1f}")
            table.add_row(name, "Dragoman / bare", f"{ours[0] / limit[0]:.2f}", f"{ratio:.2f}", "", end_section=True)
    Console().print(table)


if __name__ == "__main__":
    main()
