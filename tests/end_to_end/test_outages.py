"""A broker or a database that is away for a while: everybody is answered once, in order, when it is back."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from dragoman_discord.simulator import DiscordSimulator
from dragoman_slack.simulator import SlackSimulator
from support.bot import settings_for
from support.parts import PARTS, SeparateParts
from support.postgres import PostgreSQL
from support.servers import free_port, wait_until

from .test_roll_over import started
from .test_watched import ask, until

SKILLS = '''
from dragoman import Skill

skill = Skill("count", order="conversation")


@skill.hear(r"^number (?P<number>[0-9]+)$")
def count(number: int) -> str:
    """One after another."""
    return f"got {number}"
'''


@pytest.mark.timeout(150)
@pytest.mark.parametrize("kind", ["embedded", "rabbitmq"])
async def test_what_is_said_while_the_broker_is_away_is_answered_once_and_in_order(
    request: pytest.FixtureRequest, kind: str, namespace: str, tmp_path: Path
) -> None:
    server: Any = request.getfixturevalue(kind)
    if server.pid is None:
        server.start()
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        rooms = [acme.channel(f"room-{number}", members=[ann]) for number in range(5)]
        toml = settings_for(slack, {"acme": acme}, broker=server.url, name=namespace)
        ports = {part: free_port() for part in PARTS}
        async with started(SeparateParts(tmp_path, toml, SKILLS, ports), "count"):
            await slack.connected(1, timeout=60)
            await ann.say(rooms[0], "number 0")
            await slack.until(lambda: rooms[0].said, 60)
            await asyncio.to_thread(server.stop)
            try:
                said = [await ann.say(rooms[number % 5], f"number {number}") for number in range(1, 51)]
                # Slack is told "ok": they are in the ledger.
                await slack.until(lambda: all(message.accepted for message in said), 20)
                for port in ports.values():  # each says that it is well, and what it waits for
                    await until(lambda port=port: ask(port, "/ready")[0] == 503)
                    assert json.loads(ask(port, "/ready")[1])["checks"]["broker"].startswith("not connected")
                    assert ask(port, "/live")[0] == 200
            finally:
                await asyncio.to_thread(server.start)
            await slack.until(lambda: sum(len(room.said) for room in rooms) >= 51, 90)
            for port in ports.values():
                await until(lambda port=port: ask(port, "/ready")[0] == 200)
            for place, room in enumerate(rooms):
                assert [each.text for each in room.said] == [f"got {n}" for n in range(51) if n % 5 == place]


@pytest.mark.timeout(150)
async def test_what_is_said_while_the_gateway_is_down_is_answered_once_after_its_start(
    embedded: Any, namespace: str, tmp_path: Path
) -> None:
    if embedded.pid is None:
        embedded.start()
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        room = acme.channel("general", members=[ann])
        toml = settings_for(slack, {"acme": acme}, broker=embedded.url, name=namespace)
        async with started(SeparateParts(tmp_path, toml, SKILLS), "count") as parts:
            await slack.connected(1, timeout=60)
            await ann.say(room, "number 0")
            await slack.until(lambda: room.said, 60)
            assert (await asyncio.to_thread(parts.stop, "gateway"))[0] == 0
            for number in range(1, 6):
                await ann.say(room, f"number {number}")
            acme.app.link.waiting.clear()  # Slack has given up
            parts.start("gateway")
            await slack.until(lambda: len(room.said) >= 6, 60)
            # It reads once more what it has seen of late; then it is told something new.
            assert (await asyncio.to_thread(parts.roll_over, "gateway"))[0] == 0
            await slack.connected(1, timeout=60)
            await slack.until(lambda: sum(call.method == "conversations.history" for call in slack.calls) >= 2, 60)
            await ann.say(room, "number 6")
            await slack.until(lambda: "got 6" in [each.text for each in room.said], 60)
            assert [each.text for each in room.said] == [f"got {number}" for number in range(7)]


@pytest.mark.timeout(150)
async def test_what_is_said_on_discord_while_postgresql_restarts_is_answered_once_and_in_order(
    postgres: PostgreSQL, embedded: Any, namespace: str, tmp_path: Path
) -> None:
    if embedded.pid is None:
        embedded.start()
    async with DiscordSimulator() as discord:
        guild = discord.guild("acme")
        bob, app = guild.user("bob"), discord.application("dragoman")
        rooms = [guild.channel(f"room-{number}") for number in range(3)]
        toml = (
            f'[bot]\nname = "{namespace}"\n[broker]\nurl = "{embedded.url}"\n'
            f'[store]\nurl = "postgresql{postgres.database()}"\n'
            f'[accounts.guild]\nplatform = "discord"\ntoken = "{app.token}"\napi_url = "{discord.api_url}"\n'
            f'gateway_url = "{discord.gateway_url}"\nidentify_delay = 0\n'
        )
        async with started(SeparateParts(tmp_path, toml, SKILLS), "count") as parts:
            await discord.connected(1, timeout=60)
            await bob.say(rooms[0], "number 0")
            await discord.until(lambda: rooms[0].said, 60)
            await asyncio.to_thread(postgres.stop)
            try:
                for number in range(1, 16):
                    await bob.say(rooms[number % 3], f"number {number}")
                spool = tmp_path / ".dragoman" / "spool" / "guild"
                await asyncio.to_thread(_until_spooled, spool, 15)
                # Discord has nothing to repeat after this: the number of the session has gone on.
                parts.kill("gateway")
            finally:
                await asyncio.to_thread(postgres.start)
            parts.start("gateway")
            await discord.until(lambda: sum(len(room.said) for room in rooms) >= 16, 90)
            for place, room in enumerate(rooms):
                assert [each.content for each in room.said] == [f"got {n}" for n in range(16) if n % 3 == place]
            assert not list(spool.iterdir())


def _until_spooled(folder: Path, count: int) -> None:
    def lines() -> int:
        return sum(file.read_bytes().count(b"\n") for file in folder.glob("*.jsonl"))

    wait_until(lambda: lines() >= count, 30.0, f"{count} events in the spool")
