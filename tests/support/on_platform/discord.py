"""Discord, for tests of skills: a guild of the simulator, and the real adapter."""

import asyncio
import re
from collections.abc import Callable
from typing import Any, Final

from dragoman import EventBase
from dragoman_discord.adapter import DiscordAdapter
from dragoman_discord.emoji import reaction
from dragoman_discord.settings import DiscordSettings
from dragoman_discord.simulator import DiscordSimulator

from .ground import Ground, Shown, reaction_to, the_message

__all__ = ["DiscordGround"]

MENTION: Final = re.compile(r"<@([^>]+)>")


class DiscordGround(Ground):
    """One guild for all tests."""

    name = "discord"

    def __init__(self) -> None:
        super().__init__()
        self._people: dict[str, Any] = {}
        self.call(self._start())

    async def _start(self) -> None:
        self._discord = await DiscordSimulator().__aenter__()
        self._guild = self._discord.guild("acme")
        self._app = self._discord.application("dragoman")
        settings = {"token": self._app.token, "api_url": self._discord.api_url, "identify_delay": 0}
        self.adapter = DiscordAdapter("here", DiscordSettings.model_validate({"platform": "discord", **settings}))
        self._task = asyncio.create_task(self.adapter.run(self.receive, lambda: None))
        await self._discord.connected(1)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await super().stop()
        await self._discord.__aexit__(None, None, None)

    @property
    def tenant(self) -> str:
        return self._guild.id

    def person(self, name: str) -> str:
        return str(self._person(name).id)

    def program(self, name: str) -> str:
        if name not in self._people:
            self._people[name] = self._do(lambda: self._discord.application(name.lower())).user
        return self.person(name)

    def _person(self, name: str) -> Any:
        if name not in self._people:
            self._people[name] = self._do(lambda: self._guild.user(name.lower()))
        return self._people[name]

    def channel(self, name: str) -> str:
        return str(self._do(lambda: self._guild.channel(name)).id)

    def direct(self, name: str) -> str:
        return str(self._do(self._person(name).dm).id)

    def thread(self, channel: str) -> str:
        starter = self._person("starter")

        async def start() -> Any:
            return await starter.start_thread(await starter.say(self._place(channel), "a thread"), "a thread")

        return str(self.call(start()).id)

    def say(self, person: str, channel: str, thread: str | None, text: str, *, to_bot: bool) -> EventBase:
        typed = MENTION.sub(lambda found: str(self._person(found[1]).mention), text)
        if to_bot:
            typed = f"{self._app.user.mention} {typed}"
        said = self.call(self._person(person).say(self._place(thread or channel), typed))
        return self.heard(the_message(said.id))

    def react(self, person: str, channel: str, message: str, emoji: str, *, added: bool) -> EventBase:
        who, found = self._person(person), self._found(channel, message)
        self.call((who.react if added else who.unreact)(found, self.emoji(emoji)))
        return self.heard(reaction_to(message, added))

    def emoji(self, name: str) -> str:
        return reaction(name, {})

    def shown(self, channel: str, message: str) -> Shown | None:
        found = self._found(channel, message)
        if found is None:
            return None
        marks = {emoji for emoji, who in found.reactions.items() if self._app.user.id in who}
        return Shown(found.text, found.channel.id if found.channel.is_thread else None, frozenset(marks))

    def _found(self, channel: str, message: str) -> Any:
        place = self._place(channel)
        return next((found for each in (place, *place.threads) if (found := each.find(message))), None)

    def _place(self, channel: str) -> Any:
        return self._discord.channels[channel]

    def _do(self, work: Callable[[], Any]) -> Any:
        async def there() -> Any:
            return work()

        return self.call(there())
