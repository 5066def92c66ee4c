"""The platforms that a bot is tried on: a simulator of each, somebody who talks there, and rooms to talk in."""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from dragoman_discord.simulator import DiscordSimulator
from dragoman_slack.simulator import SlackSimulator

__all__ = ["ROOMS", "SIDES", "Heard", "Side", "discord_side", "settings_of", "slack_side"]

#: How many channels there are on each platform.
ROOMS = 20


@dataclass(frozen=True)
class Heard:
    """Something that the bot has said: in which room (its number), what, and when (unix seconds, the platform's)."""

    room: int
    text: str
    at: float


@dataclass(frozen=True)
class Side:
    """One platform.

    Attributes:
        settings: the account.
        say: somebody says a text in the room of that number; returns when, by the platform's clock.
        heard: what the bot has said, room by room, in each in the order of the platform's own ids.
        redeliver: the platform tells the bot once more of the last messages, at most so many; says of how many.
        post: the name of the call that posts a message, for faults.
    """

    name: str
    simulator: SlackSimulator | DiscordSimulator
    settings: str
    say: Callable[[int, str], Coroutine[Any, Any, float]]
    heard: Callable[[], Sequence[Heard]]
    redeliver: Callable[[int], int]
    post: str


def time_of(snowflake: str) -> float:
    """https://docs.discord.com/developers/reference#snowflakes"""
    return ((int(snowflake) >> 22) + 1_420_070_400_000) / 1000


@asynccontextmanager
async def slack_side() -> AsyncIterator[Side]:
    """Slack tries three times more: nearly at once, after 1 minute and after 5; here sooner.

    https://docs.slack.dev/apis/events-api/#retries
    """
    async with SlackSimulator(ack_timeout=3.0, retry_delays=(0.2, 3.0, 20.0)) as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        rooms = [acme.channel(f"room-{number}", members=[ann]) for number in range(ROOMS)]

        async def say(room: int, text: str) -> float:
            return float((await ann.say(rooms[room], text)).ts)

        def heard() -> list[Heard]:
            return [Heard(place, each.text, float(each.ts)) for place, room in enumerate(rooms) for each in room.said]

        def redeliver(count: int) -> int:
            last = [message for room in rooms for message in room.messages[-count:] if message.deliveries]
            last = sorted(last, key=lambda message: float(message.ts))[-count:]
            for message in last:
                slack.redeliver(message)
            return len(last)

        settings = (
            f'[accounts.acme]\nplatform = "slack"\napi_url = "{slack.url}"\n'
            f'bot_token = "{acme.app.bot_token}"\napp_token = "{acme.app.app_token}"\n'
        )
        yield Side("slack", slack, settings, say, heard, redeliver, "chat.postMessage")


@asynccontextmanager
async def discord_side() -> AsyncIterator[Side]:
    """Discord is not told what arrived: it repeats it to a session that is resumed."""
    async with DiscordSimulator() as discord:
        guild = discord.guild("acme")
        bob, app = guild.user("bob"), discord.application("dragoman")
        rooms = [guild.channel(f"room-{number}") for number in range(ROOMS)]

        async def say(room: int, text: str) -> float:
            return time_of((await bob.say(rooms[room], text)).id)

        def heard() -> list[Heard]:
            return [Heard(place, each.text, time_of(each.id)) for place, room in enumerate(rooms) for each in room.said]

        def redeliver(count: int) -> int:
            last = [message for room in rooms for message in room.messages[-count:] if message.author is bob]
            last = sorted(last, key=lambda message: int(message.id))[-count:]
            for message in last:
                discord.redeliver(message)
            return len(last)

        settings = (
            f'[accounts.guild]\nplatform = "discord"\ntoken = "{app.token}"\napi_url = "{discord.api_url}"\n'
            f'gateway_url = "{discord.gateway_url}"\nidentify_delay = 0\n'
        )
        yield Side("discord", discord, settings, say, heard, redeliver, "POST /channels/{channel_id}/messages")


SIDES: Mapping[str, Callable[[], AbstractAsyncContextManager[Side]]] = {"slack": slack_side, "discord": discord_side}


def settings_of(sides: Sequence[Side], *, name: str, broker: str, more: str = "") -> str:
    """A ``dragoman.toml`` for a bot with an account on each."""
    accounts = "".join(side.settings for side in sides)
    return f'[bot]\nname = "{name}"\n[broker]\nurl = "{broker}"\n{more}\n{accounts}'
