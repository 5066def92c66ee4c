"""Slack, for tests of skills: a workspace of the simulator, and the real adapter."""

import asyncio
import html
import re
from collections.abc import Callable
from typing import Any, Final

import aiohttp

from dragoman import EventBase
from dragoman_slack.adapter import SlackAdapter
from dragoman_slack.settings import SlackSettings
from dragoman_slack.simulator import SlackSimulator

from .ground import Ground, Shown, reaction_to, the_message

__all__ = ["SlackGround"]

MENTION: Final = re.compile(r"<@([^>]+)>")


class SlackGround(Ground):
    """One workspace for all tests."""

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

    def program(self, name: str) -> str:
        return str((self._acme.find_user(name) or self._do(lambda: self._acme.install(name)).user).id)

    def _person(self, name: str) -> Any:
        return self._acme.find_user(name) or self._do(lambda: self._acme.user(name))

    def channel(self, name: str) -> str:
        return str(self._do(lambda: self._acme.channel(name)).id)

    def direct(self, name: str) -> str:
        return str(self._do(self._person(name).dm).id)

    def thread(self, channel: str) -> str:
        return str(self.call(self._person("starter").say(self._place("starter", channel), "a thread")).ts)

    def say(self, person: str, channel: str, thread: str | None, text: str, *, to_bot: bool) -> EventBase:
        who, place = self._person(person), self._place(person, channel)
        typed = MENTION.sub(lambda found: f"@{self._person(found[1]).name}", text)
        if to_bot:
            typed = f"@{self._acme.app.user.name} {typed}"
        if who.is_bot:
            ts = self.call(self._post(who, channel, thread, typed))
        else:
            ts = self.call(who.say(place, typed, thread=thread)).ts
        return self.heard(the_message(ts))

    async def _post(self, program: Any, channel: str, thread: str | None, text: str) -> str:
        """What programs say comes by the Web API: https://docs.slack.dev/reference/methods/chat.postMessage"""
        token = self._acme.app_of_bot(program.bot_id).bot_token  # type: ignore[union-attr]
        body = {"channel": channel, "text": self._acme.typed(text), "thread_ts": thread}
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
            session.post(f"{self._slack.url.rstrip('/')}/chat.postMessage", json=body) as response,
        ):
            answer = await response.json()
        assert answer["ok"], answer
        return str(answer["ts"])

    def react(self, person: str, channel: str, message: str, emoji: str, *, added: bool) -> EventBase:
        who, found = self._person(person), self._place(person, channel).find(message)
        self.call((who.react if added else who.unreact)(found, emoji))
        return self.heard(reaction_to(message, added))

    def shown(self, channel: str, message: str) -> Shown | None:
        found = self._acme.channels[channel].find(message)
        if found is None:
            return None
        marks = {name for name, who in found.reactions.items() if self._acme.app.user.id in who}
        # Three characters are escaped: https://docs.slack.dev/messaging/formatting-message-text#escaping
        return Shown(html.unescape(found.text), found.thread_ts if found.is_reply else None, frozenset(marks))

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
