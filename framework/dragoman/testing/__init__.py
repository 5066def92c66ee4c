"""For authors: test a skill as people will use it, in milliseconds, with no broker and no token.

Installing Dragoman gives pytest the fixture `bot`::

    @pytest.fixture
    def skills() -> list[Skill]:
        return [dice]

    def test_roll(bot: Bot) -> None:
        bot.say("roll 2d6", by="ann", on="slack")
        assert "2d6" in bot.replies[-1].text
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bot import Bot
    from .contract import AdapterContract, Stage
    from .platform import Reply

__all__ = ["AdapterContract", "Bot", "Reply", "Stage"]


def __getattr__(name: str) -> Any:
    # Late: pytest loads our plugin, and so this package, in every project; a store is needed by those who test a bot.
    if name == "Bot":
        from .bot import Bot

        return Bot
    if name in ("AdapterContract", "Stage"):
        from . import contract

        return getattr(contract, name)
    if name == "Reply":
        from .platform import Reply

        return Reply
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
