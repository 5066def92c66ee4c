"""Answers to slash commands where the bot may not post: through the command's ``response_url``.

People may use a slash command anywhere, also in channels and between people where the bot is not. There Slack takes
an answer only at the address that came with the command: five times, within thirty minutes
(https://docs.slack.dev/interactivity/handling-user-interaction). It is a secret, kept by the gateway
under the event's key, so an answer finds its way after a restart too.

* The answer is for everybody there (``"response_type": "in_channel"``), as it is where the bot is a member: the same
  command should not be public in one channel and a whisper in the next, and a poll or a roll of dice that only one
  person sees is of no use. With it Slack shows what was typed, which it otherwise hides.
* Slack tells no ``ts`` of such a message, so it has no id: `Sent.ids` is empty. What would edit or delete it, or react
  to it, is refused by the gateway (``target_has_no_message``), and what goes below it goes to the channel.
* Files cannot be sent so: they are links or names below the text.
* What was said is written down beside the address. If a crash comes between the two, it is said twice: rather than
  never, since nobody can look for it where the bot is not.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import aiohttp
from pydantic_core import from_json

from dragoman import ActionBase, AdapterServices, DeliveryError, Send, SlashCommand

from .api import Api
from .compose import compose
from .hosts import reply_address
from .render import told

__all__ = ["NOT_HERE", "Replies"]

log = logging.getLogger(__name__)

#: Refusals that mean that the bot is not in the conversation.
#: https://docs.slack.dev/reference/methods/chat.postMessage#errors and files.completeUploadExternal#errors
NOT_HERE: Final = frozenset({"not_in_channel", "channel_not_found", "invalid_channel"})
MOST_USES: Final = 5
#: Seconds; a minute less than Slack says.
GOOD_FOR: Final = 29 * 60.0


class Replies:
    """The ``response_url`` addresses of one account.

    Args:
        services: what the gateway keeps for the adapter; asked at each use, since it is set late.
    """

    def __init__(
        self, account: str, api: Api, services: Callable[[], AdapterServices], clock: Callable[[], float] = time.time
    ) -> None:
        self._account = account
        self._api = api
        self._services = services
        self._clock = clock

    async def keep(self, event: SlashCommand, payload: Mapping[str, Any]) -> None:
        """Keep where a command can be answered; while the store is away the command goes on without."""
        url = payload.get("response_url")
        if not isinstance(url, str) or not url:
            return
        if reply_address(url, self._api.url) is None:
            log.warning("%s: %s: its response_url is not Slack's, so it is not used", self._account, event.key)
            return
        until = self._clock() + GOOD_FOR
        await self._keep(event.key, {"response_url": url, "until": until})

    async def known(self, action: ActionBase) -> bool:
        """Whether an action answers a command that can still be answered so."""
        return isinstance(action, Send) and await self._found(action) is not None

    async def answer(self, action: Send, *, unfurl: bool) -> bool:
        """Say what the action says, without what was said so before; false if it answers no command (any more).

        Raises:
            DeliveryError: Slack refused, or the address is used up.
        """
        kept = await self._found(action)
        if kept is None:
            return False
        parts = compose(told(action.content))
        said = list(kept.get("said") or ())
        todo = [(mark, part) for number, part in enumerate(parts) if (mark := _mark(action.key, number)) not in said]
        uses = int(kept.get("uses") or 0)
        if len(todo) > MOST_USES - uses:
            raise DeliveryError(
                f"Slack takes {MOST_USES} answers to a slash command where the bot is not: {MOST_USES - uses} are "
                f"left, and this needs {len(todo)}. Invite the bot to the channel",
                code="used_url",
            )
        for mark, part in todo:
            await self._post(kept["response_url"], part, unfurl)
            uses += 1
            said.append(mark)
            await self._keep(action.key.partition("|")[0], {**kept, "uses": uses, "said": said})
        return True

    async def _found(self, action: ActionBase) -> dict[str, Any] | None:
        event_key, bar, _ = action.key.partition("|")
        found = await self._services().credentials(event_key) if bar else None
        if found is None or "response_url" not in found or float(found.get("until") or 0.0) < self._clock():
            return None
        return found

    async def _keep(self, event_key: str, kept: dict[str, Any]) -> None:
        try:
            await self._services().keep_credentials(event_key, kept, kept["until"])
        except Exception as error:  # the store's, of any kind; its text might have the address in it
            log.warning("%s: %s: its response_url was not kept (%s)", self._account, event_key, type(error).__name__)

    async def _post(self, url: str, text: str, unfurl: bool) -> None:
        """The address is in no message: whoever has it can speak in the channel."""
        address = reply_address(url, self._api.url)
        if address is None:
            raise DeliveryError("the response_url is not Slack's", code="bad_url")
        body = {
            "response_type": "in_channel",
            "replace_original": False,
            "text": text,
            "unfurl_links": unfurl,
            "unfurl_media": unfurl,
        }
        try:
            async with self._api.session.post(
                address, json=body, proxy=self._api.proxy, allow_redirects=False
            ) as answer:
                status, said = answer.status, await answer.text()
        except (aiohttp.ClientError, OSError, TimeoutError, UnicodeDecodeError) as error:
            what = type(error).__name__
            raise DeliveryError(f"response_url: no answer ({what})", code="connection", retry=True) from None
        if status == 200:
            return
        code = _code(said) or f"http_{status}"
        passing = status == 429 or status >= 500
        raise DeliveryError(f"response_url: HTTP {status}, {code}", code=code, retry=passing)


def _mark(key: str, number: int) -> str:
    return hashlib.sha256(f"{number}|{key}".encode()).hexdigest()[:20]


def _code(said: str) -> str:
    try:
        body = from_json(said)
    except ValueError:
        return ""
    code = body.get("error") if isinstance(body, dict) else None
    return code if isinstance(code, str) and code.isascii() and code.isidentifier() else ""
