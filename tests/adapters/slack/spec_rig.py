"""A simulator with a small workspace, and slack_sdk's own clients pointed to it."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from dragoman_slack.simulator import SlackSimulator

__all__ = ["Bot", "Rig", "refused", "rig"]

_QUIET = logging.getLogger("dragoman.tests.slack_sdk")
_QUIET.setLevel(logging.CRITICAL)


class Bot:
    """A Socket Mode client that remembers what it was sent, and acknowledges while ``acking``."""

    def __init__(self, slack: SlackSimulator, web: AsyncWebClient, app_token: str) -> None:
        self.slack = slack
        self.acking = True
        self.requests: list[SocketModeRequest] = []
        self.client = SocketModeClient(app_token, logger=_QUIET, web_client=web, ping_interval=0.2)
        self.client.socket_mode_request_listeners.append(self._received)

    async def _received(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        self.requests.append(request)
        self.slack.changed()
        if self.acking:
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

    async def close(self) -> None:
        await self.client.close()  # type: ignore[no-untyped-call]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [request.payload["event"] for request in self.requests]

    async def got(self, count: int, timeout: float = 10.0) -> list[dict[str, Any]]:
        """Wait for that many events, and for nothing else to be on its way."""
        await self.slack.until(lambda: len(self.requests) >= count, timeout)
        await self.slack.until(lambda: not (self.slack.pending and self.acking), timeout)
        assert len(self.requests) == count, self.events
        return self.events


class Rig:
    """Ann and Bob in #general with the bot, and the bot's clients."""

    def __init__(self, slack: SlackSimulator, session: aiohttp.ClientSession) -> None:
        self.slack = slack
        self.session = session
        self.acme = slack.workspace("acme")
        self.app = self.acme.app
        self.ann = self.acme.user("ann", real_name="Ann Lee")
        self.bob = self.acme.user("bob")
        self.general = self.acme.channel("general")
        self.web = self.client(self.app.bot_token)
        self.bots: list[Bot] = []

    def client(self, token: str | None) -> AsyncWebClient:
        return AsyncWebClient(
            token, base_url=self.slack.url, session=self.session, retry_handlers=[], logger=_QUIET, timeout=5
        )

    async def connect(self) -> Bot:
        """One more socket of the app."""
        bot = Bot(self.slack, self.web, self.app.app_token)
        self.bots.append(bot)
        before = len(self.app.link.sockets)
        await bot.client.connect()  # type: ignore[no-untyped-call]
        await self.slack.connected(before + 1)
        return bot


@asynccontextmanager
async def rig(**settings: Any) -> AsyncIterator[Rig]:
    """A `Rig` that leaves nothing open behind it."""
    async with SlackSimulator(**settings) as slack, aiohttp.ClientSession() as session:
        made = Rig(slack, session)
        try:
            yield made
        finally:
            for bot in made.bots:
                await bot.close()
                await bot.client.aiohttp_client_session.close()


async def refused(call: Any) -> dict[str, Any]:
    """The answer to a call that Slack must refuse."""
    with pytest.raises(SlackApiError) as caught:
        await call
    answer = caught.value.response.data
    assert isinstance(answer, dict)
    assert answer["ok"] is False
    return answer
