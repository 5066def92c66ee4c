"""Slack keeps the contract of all adapters."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from dragoman import Adapter, Address, EventBase
from dragoman.testing import AdapterContract, Stage
from dragoman_slack.adapter import SlackAdapter
from dragoman_slack.normalise import normalise
from dragoman_slack.simulator import SlackSimulator

from .adapter_rig import make
from .payloads import BOT, TS, changed, deleted, message, outer, reaction

PDF = {
    "id": "F1",
    "name": "report.pdf",
    "mimetype": "application/pdf",
    "size": 1024,
    "url_private": "https://files.slack.com/files-pri/T1-F1/report.pdf",
}


class SlackStage(Stage):
    def __init__(self, slack: SlackSimulator) -> None:
        self.slack = slack
        self.acme = slack.workspace("acme")
        self.ann = self.acme.user("ann")
        self.general = self.acme.channel("general", members=[self.ann])
        self.adapter = self._made()
        self.here = Address(account="acme", tenant=self.acme.id, channel=self.general.id)

    def _made(self, **more: Any) -> SlackAdapter:
        return make(self.slack, self.acme.app, max_retries=0, **more)

    async def say(self, text: str) -> None:
        await self.ann.say(self.general, text)

    def shown(self) -> list[str]:
        return [message.text for message in self.general.said]

    def below(self, id: str) -> list[str]:
        return [said.text for said in self.general.said if said.thread_ts == id != said.ts]

    def reactions(self) -> int:
        bot = self.acme.app.user.id
        return sum(bot in people for said in self.general.messages for people in said.reactions.values())

    def called(self) -> list[str]:
        return [token for text in self.shown() for token in re.findall(r"<[@!][^>]*>", text)]

    def another(self) -> Adapter:
        return self._made()

    def refused(self) -> Adapter:
        return self._made(bot_token="xoxb-wrong")

    def unreachable(self) -> Adapter:
        return self._made(api_url="http://127.0.0.1:9/", timeout=2)

    async def hang_up(self) -> None:
        self.slack.drop_sockets()
        await self.slack.connected(1)

    async def garbage(self) -> None:
        for text in ("this is no JSON", '{"envelope_id": "e", "type": "events_api", "payload": {"event": 5}}'):
            assert self.slack.send_raw(text) == 1


class TestContract(AdapterContract):
    adapter = SlackAdapter
    payloads: ClassVar[Mapping[str, Any]] = {
        "message": outer(message("Hello, world!")),
        "mention_in_a_thread": outer(
            message("<@UBOT> roll 2d6", thread_ts="1355517520.000001", ts="1355517524.000001")
        ),
        "reply_in_a_direct_message": outer(
            message("yes, please", channel="D1", channel_type="im", thread_ts="1355517520.000001")
        ),
        "edit": outer(changed(text="On Tuesday, I mean")),
        "delete": outer(deleted()),
        "reaction": outer(reaction(reaction="wave")),
        "reaction_removed": outer(reaction("reaction_removed", reaction="wave")),
        "attachment": outer(message("The report", subtype="file_share", files=[PDF], ts="1355517525.000001")),
        "code_block": outer(message("```line one\nline two```", ts="1355517526.000001")),
        "bot_message": outer(
            message("The build is broken", subtype="bot_message", bot_id="B9", ts="1355517527.000001")
        ),
        "self_message": outer(message("I said so", user="UBOT", bot_id="BBOT")),
        "self_reaction": outer(reaction(user="UBOT")),
        "unknown_event": outer({"type": "hologram_projected", "channel": "C1", "event_ts": TS}),
    }

    def normalise(self, payload: Any) -> Sequence[EventBase]:
        event = normalise(payload, BOT, "acme")
        return [] if event is None else [event]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Stage]:
        async with SlackSimulator(ack_timeout=0.2, retry_delays=(0.0, 0.1, 0.1)) as slack:
            yield SlackStage(slack)
