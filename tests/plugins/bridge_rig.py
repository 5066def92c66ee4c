"""A bot that joins channels, and people who talk in them."""

from typing import Any, Final

import pytest

from dragoman import Skill
from dragoman.settings import Settings
from dragoman.testing import Bot, Reply
from dragoman_bridge import skill
from dragoman_dice import skill as dice

__all__ = ["BRIDGE", "THREE", "bot_settings", "emoji_on", "more", "say", "skills"]

LABELS: Final = {"slack": "Slack", "discord": "Discord"}
BRIDGE: Final = {"bridges": [{"channels": ["slack:#general", "discord:#general"]}], "labels": LABELS}
THREE: Final = {"bridges": [{"channels": ["slack:#general", "discord:#general", "irc:#general"]}], "labels": {}}


@pytest.fixture
def skills() -> list[Skill]:
    return [skill, dice]


@pytest.fixture
def more() -> dict[str, Any]:
    """Settings of the bridge; a test parametrizes them."""
    return {}


@pytest.fixture
def bot_settings(more: dict[str, Any]) -> Settings:
    return Settings.model_validate({"skills": {"bridge": {**BRIDGE, **more}}})


def say(bot: Bot, text: str, *, on: str = "slack", **more: Any) -> tuple[str, list[Reply]]:
    """Somebody says something that is not for the bot: the id of their message, and the copies."""
    replies = bot.say(text, on=on, **{"to_bot": False, **more})
    return getattr(bot._last, "id", ""), list(replies)


def emoji_on(bot: Bot, message: str) -> list[str]:
    """What the bot has put on a message of somebody's."""
    return [emoji for on, emoji in bot.platform.reactions if on == message]
