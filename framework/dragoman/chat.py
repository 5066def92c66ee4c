"""``dragoman chat``: the real way round, in one process and in memory, with a person at the terminal."""

import asyncio
import logging
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from .plugins import SKILLS, discover, load_adapters
from .roles import BotContext
from .settings import BrokerSettings, RunSettings, Settings, StoreSettings, WatchSettings
from .stack import Stack

__all__ = ["run_chat"]

log = logging.getLogger(__name__)


def run_chat(settings: Settings, user: str, more: Sequence[str] = ()) -> None:
    """Until the input ends. Nothing of it is kept.

    Without any ``[bot] skills`` of the user's, all installed skills are there.
    """
    chosen = settings.bot.skills
    if "skills" not in settings.bot.model_fields_set:
        chosen = tuple(found.name for found in discover(SKILLS))
    with tempfile.TemporaryDirectory(prefix="dragoman-chat-") as folder:
        own = settings.model_copy(
            update={
                "bot": settings.bot.model_copy(update={"skills": tuple(dict.fromkeys((*chosen, *more)))}),
                "broker": BrokerSettings(url=SecretStr(f"memory://{uuid.uuid4().hex}")),
                "store": StoreSettings(),
                "run": RunSettings(data=Path(folder)),
                "watch": WatchSettings(),
            }
        )
        bot = BotContext.of(own)
        adapter = load_adapters(["console"])["console"]
        console = adapter("console", adapter.Settings.model_validate({"platform": "console", "user": user}))
        try:
            asyncio.run(_chat(Stack(bot, bot.skills(), {"console": console})))
        except KeyboardInterrupt:
            log.info("goodbye")
        finally:
            bot.broker.forget()


async def _chat(stack: Stack) -> None:
    async with stack:
        await stack.run()
