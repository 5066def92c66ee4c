"""Discord keeps the contract of all adapters."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from dragoman import Adapter, Address, EventBase
from dragoman.testing import AdapterContract, Stage
from dragoman_discord.adapter import DiscordAdapter
from dragoman_discord.normalise import normalise
from dragoman_discord.simulator import DiscordSimulator

from .adapter_rig import make
from .payloads import (
    ANN,
    BOT,
    GENERAL,
    GUILD,
    IDENTITY,
    SNOWFLAKE,
    THREAD,
    direct,
    dispatch,
    member,
    message,
    places,
    user,
)

PDF = {
    "id": "600",
    "filename": "report.pdf",
    "content_type": "application/pdf",
    "size": 1024,
    "url": "https://cdn.discordapp.com/attachments/200/600/report.pdf",
    "proxy_url": "https://media.discordapp.net/attachments/200/600/report.pdf",
}


def reaction(kind: str, who: str = ANN, sequence: int = 7) -> dict[str, Any]:
    """https://docs.discord.com/developers/events/gateway-events#message-reaction-add"""
    data = {
        "user_id": who,
        "channel_id": GENERAL,
        "message_id": SNOWFLAKE,
        "guild_id": GUILD,
        "emoji": {"id": None, "name": "👋"},
        "burst": False,
        "type": 0,
    }
    if kind == "MESSAGE_REACTION_ADD":
        data["member"] = {**member(), "user": user(who)}
    return dispatch(kind, data, sequence)


def said(content: str, id: int, **more: Any) -> dict[str, Any]:
    return dispatch("MESSAGE_CREATE", message(content, id=str(int(SNOWFLAKE) + id), **more))


class DiscordStage(Stage):
    def __init__(self, discord: DiscordSimulator) -> None:
        self.discord = discord
        self.acme = discord.guild("acme")
        self.ann = self.acme.user("ann")
        self.general = self.acme.channel("general")
        self.app = discord.application("dragoman")
        self.adapter = self._made()
        self.here = Address(account="acme", tenant=self.acme.id, channel=self.general.id)

    def _made(self, **more: Any) -> DiscordAdapter:
        return make(self.discord, **more)

    async def say(self, text: str) -> None:
        await self.ann.say(self.general, text)

    def shown(self) -> list[str]:
        return [message.text for message in self.general.said]

    def below(self, id: str) -> list[str]:
        return [said.text for thread in self.general.threads if thread.id == id for said in thread.said]

    def reactions(self) -> int:
        bot = self.app.user.id
        return sum(bot in people for said in self.general.messages for people in said.reactions.values())

    def called(self) -> list[str]:
        said = self.general.said
        everyone = ["everyone" for message in said if message.mention_everyone]
        return everyone + [id for message in said for id in (*message.mentions, *message.mention_roles)]

    def another(self) -> Adapter:
        return self._made()

    def refused(self) -> Adapter:
        return self._made(token="wrong")

    def unreachable(self) -> Adapter:
        return self._made(api_url="http://127.0.0.1:9/api/v10", timeout=2)

    async def hang_up(self) -> None:
        self.discord.drop_sockets()

    async def garbage(self) -> None:
        self.discord.send_raw("this is no JSON")
        self.discord.send_raw('{"op": 0, "t": "MESSAGE_CREATE", "s": null, "d": {"author": 5}}')


class TestContract(AdapterContract):
    adapter = DiscordAdapter
    payloads: ClassVar[Mapping[str, Any]] = {
        "message": said("Hello, world!", 0),
        "mention_in_a_thread": said(f"<@{BOT}> roll 2d6", 1, channel_id=THREAD, mentions=[user(BOT, "dragoman")]),
        "reply_in_a_direct_message": dispatch(
            "MESSAGE_CREATE",
            direct(
                "yes, please",
                type=19,
                message_reference={"message_id": "5", "channel_id": "250"},
                referenced_message={**direct("tea?"), "author": user(BOT, "dragoman", bot=True)},
            ),
        ),
        "edit": dispatch(
            "MESSAGE_UPDATE", message("On Tuesday, I mean", edited_timestamp="2016-04-30T11:19:25.796000+00:00")
        ),
        "delete": dispatch("MESSAGE_DELETE", {"id": SNOWFLAKE, "channel_id": GENERAL, "guild_id": GUILD}),
        "reaction": reaction("MESSAGE_REACTION_ADD"),
        "reaction_removed": reaction("MESSAGE_REACTION_REMOVE", sequence=8),
        "attachment": said("The report", 2, attachments=[PDF]),
        "code_block": said("```\nline one\nline two\n```", 3),
        "bot_message": said("The build is broken", 4, author=user("21", "ci", bot=True)),
        "self_message": said("I said so", 5, author=user(BOT, "dragoman", bot=True)),
        "self_reaction": reaction("MESSAGE_REACTION_ADD", BOT),
        "unknown_event": dispatch("HOLOGRAM_PROJECT", {"channel_id": GENERAL}),
    }

    def normalise(self, payload: Any) -> Sequence[EventBase]:
        return normalise(payload, IDENTITY, "acme", places(), session="s", now=5.0)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Stage]:
        async with DiscordSimulator() as discord:
            yield DiscordStage(discord)
