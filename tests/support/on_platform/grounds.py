"""Slack, Discord and the console, for tests of skills."""

import asyncio
import contextlib
import html
import io
import itertools
import re
from collections.abc import Callable
from typing import Any, Final

from rich.console import Console

from dragoman import ActionBase, EventBase, Message, Reaction, Sent
from dragoman_console import ConsoleAdapter, ConsoleSettings
from dragoman_console.normalise import normalise
from dragoman_discord.adapter import DiscordAdapter
from dragoman_discord.emoji import reaction as unicode_of
from dragoman_discord.settings import DiscordSettings
from dragoman_discord.simulator import DiscordSimulator
from dragoman_slack.adapter import SlackAdapter
from dragoman_slack.settings import SlackSettings
from dragoman_slack.simulator import SlackSimulator

from .ground import Ground, Shown

__all__ = ["GROUNDS", "ConsoleGround", "DiscordGround", "SlackGround"]

MENTION: Final = re.compile(r"<@([^>]+)>")


def _message(id: str) -> Callable[[EventBase], bool]:
    return lambda event: isinstance(event, Message) and event.id == id


def _reaction(id: str, added: bool) -> Callable[[EventBase], bool]:
    return lambda event: isinstance(event, Reaction) and event.id == id and event.added is added


class SlackGround(Ground):
    name = "slack"

    def __init__(self) -> None:
        super().__init__()
        self.call(self._start())

    async def _start(self) -> None:
        self._slack = await SlackSimulator().__aenter__()
        self._acme = self._slack.workspace("acme")
        app = self._acme.app
        settings = {"bot_token": app.bot_token, "app_token": app.app_token, "api_url": self._slack.url}
        self.adapter = SlackAdapter("here", SlackSettings.model_validate({"platform": "slack", **settings}))
        self._task = asyncio.create_task(self.adapter.run(self.receive, lambda: None))
        await self._slack.connected(1)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await super().stop()
        await self._slack.__aexit__(None, None, None)

    @property
    def tenant(self) -> str:
        return self._acme.id

    def person(self, name: str) -> str:
        return str(self._person(name).id)

    def _person(self, name: str) -> Any:
        return self._acme.find_user(name) or self._do(lambda: self._acme.user(name))

    def channel(self, name: str) -> str:
        return str(self._do(lambda: self._acme.channel(name)).id)

    def direct(self, name: str) -> str:
        return str(self._do(self._person(name).dm).id)

    def thread(self, channel: str) -> str:
        return str(self.call(self._person("starter").say(self._place("starter", channel), "a thread")).ts)

    def say(self, person: str, channel: str, thread: str | None, text: str, *, to_bot: bool) -> EventBase:
        typed = MENTION.sub(lambda found: f"@{self._person(found[1]).name}", text)
        if to_bot:
            typed = f"@{self._acme.app.user.name} {typed}"
        said = self.call(self._person(person).say(self._place(person, channel), typed, thread=thread))
        return self.heard(_message(said.ts))

    def react(self, person: str, channel: str, message: str, emoji: str, *, added: bool) -> EventBase:
        who, found = self._person(person), self._place(person, channel).find(message)
        self.call((who.react if added else who.unreact)(found, emoji))
        return self.heard(_reaction(message, added))

    def shown(self, channel: str, message: str) -> Shown | None:
        found = self._acme.channels[channel].find(message)
        bot = self._acme.app.user.id
        if found is None:
            return None
        # Three characters are escaped: https://docs.slack.dev/messaging/formatting-message-text#escaping
        return Shown(html.unescape(found.text), sum(bot in who for who in found.reactions.values()))

    def _place(self, person: str, channel: str) -> Any:
        """The channel; whoever says something there has joined it."""
        place = self._acme.channels[channel]
        if self._person(person).id not in place.members:
            self.call(self._person(person).join(place))
        return place

    def _do(self, work: Callable[[], Any]) -> Any:
        async def there() -> Any:
            return work()

        return self.call(there())


class DiscordGround(Ground):
    name = "discord"

    def __init__(self) -> None:
        super().__init__()
        self.call(self._start())

    async def _start(self) -> None:
        self._discord = await DiscordSimulator().__aenter__()
        self._guild = self._discord.guild("acme")
        self._app = self._discord.application("dragoman")
        settings = {"token": self._app.token, "api_url": self._discord.api_url, "identify_delay": 0}
        self.adapter = DiscordAdapter("here", DiscordSettings.model_validate({"platform": "discord", **settings}))
        self._people: dict[str, Any] = {}
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
        return self.heard(_message(said.id))

    def react(self, person: str, channel: str, message: str, emoji: str, *, added: bool) -> EventBase:
        who, found = self._person(person), self._found(channel, message)
        self.call((who.react if added else who.unreact)(found, unicode_of(emoji, {})))
        return self.heard(_reaction(message, added))

    def shown(self, channel: str, message: str) -> Shown | None:
        found = self._found(channel, message)
        bot = self._app.user.id
        return None if found is None else Shown(found.text, sum(bot in who for who in found.reactions.values()))

    def _found(self, channel: str, message: str) -> Any:
        place = self._place(channel)
        return next((found for each in (place, *place.threads) if (found := each.find(message))), None)

    def _place(self, channel: str) -> Any:
        return self._discord.channels[channel]

    def _do(self, work: Callable[[], Any]) -> Any:
        async def there() -> Any:
            return work()

        return self.call(there())


class ConsoleGround(Ground):
    """A terminal for each channel: what is typed there is said to the bot, and there are no threads."""

    name = "console"
    threads = False

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count(1)
        self._printed = io.StringIO()
        self._texts: dict[str, str] = {}
        self._reactions: dict[str, int] = {}
        self.adapter = ConsoleAdapter("here", ConsoleSettings())
        self.adapter._console = Console(file=self._printed, highlight=False, width=10_000)

    @property
    def tenant(self) -> str:
        return "console"

    def person(self, name: str) -> str:
        return name

    def channel(self, name: str) -> str:
        return name

    def direct(self, name: str) -> str:
        return f"direct-{name}"

    def thread(self, channel: str) -> str:
        raise NotImplementedError

    def say(self, person: str, channel: str, thread: str | None, text: str, *, to_bot: bool) -> EventBase:
        return self._typed(person, channel, MENTION.sub(r"@\1", text))

    def react(self, person: str, channel: str, message: str, emoji: str, *, added: bool) -> EventBase:
        return self._typed(person, channel, f"{'+' if added else '-'}:{emoji}: {message}")

    def _typed(self, person: str, channel: str, line: str) -> EventBase:
        event = normalise(line, account="here", session=channel, number=next(self._numbers), user=person, at=0.0)
        assert event is not None
        return event

    def perform(self, action: ActionBase) -> Sent:
        self.adapter.session = action.address.channel  # type: ignore[attr-defined]  # the console's
        start = self._printed.tell()
        sent = super().perform(action)
        self._printed.seek(start)
        printed = self._printed.read().strip()
        kind = getattr(action, "kind", "")
        target = getattr(action, "target", None)
        if kind == "send":
            self._texts[sent.ids[0]] = printed
        elif target is not None and kind == "edit":
            self._texts[target.id] = re.sub(r"^\*\(message \w+ now says\)\* ", "", printed)
        elif target is not None and kind == "delete":
            with contextlib.suppress(KeyError):
                del self._texts[target.id]
        elif target is not None and kind == "react":
            change = -1 if getattr(action, "remove", False) else 1
            self._reactions[target.id] = self._reactions.get(target.id, 0) + change
        return sent

    def shown(self, channel: str, message: str) -> Shown | None:
        text = self._texts.get(message)
        return None if text is None else Shown(text, self._reactions.get(message, 0))


GROUNDS: Final[dict[str, type[Ground]]] = {
    ground.name: ground for ground in (SlackGround, DiscordGround, ConsoleGround)
}
