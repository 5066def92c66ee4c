"""The whole bot on PostgreSQL."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dragoman_slack.simulator import SlackSimulator
from support.bot import settings_for
from support.parts import SeparateParts
from support.postgres import PostgreSQL

from .test_roll_over import started

COUNT = '''
from dragoman import Skill

skill = Skill("count", order="conversation")


@skill.hear(r"^number (?P<number>[0-9]+)$")
def count(number: int) -> str:
    """One after another."""
    return f"got {number}"
'''


@pytest.mark.timeout(150)
async def test_two_gateways_of_an_account_and_two_workers_share_it_and_one_of_each_is_killed(
    postgres: PostgreSQL, rabbitmq: Any, namespace: str, tmp_path: Path
) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        rooms = [acme.channel(f"room-{number}", members=[ann]) for number in range(8)]
        more = f'[store]\nurl = "postgresql{postgres.database()}"\n'
        toml = settings_for(slack, {"acme": acme}, broker=rabbitmq.url, name=namespace, more=more)
        async with started(SeparateParts(tmp_path, toml, COUNT), "count") as parts:
            parts.start("gateway", "another gateway")
            parts.start("worker", "another worker")
            await slack.connected(2, timeout=60)

            async def say(numbers: range) -> None:
                for number in numbers:
                    await ann.say(rooms[number % 8], f"number {number}")

            def heard(count: int) -> bool:
                return sum(len(room.said) for room in rooms) >= count

            await say(range(80))
            await slack.until(lambda: heard(20), 60)
            await asyncio.to_thread(parts.kill, "gateway")
            await asyncio.to_thread(parts.kill, "worker")
            await say(range(80, 160))
            await slack.until(lambda: heard(160), 90)
            for place, room in enumerate(rooms):
                assert [each.text for each in room.said] == [f"got {n}" for n in range(160) if n % 8 == place]
        assert not (tmp_path / ".dragoman" / "store.db").exists()
