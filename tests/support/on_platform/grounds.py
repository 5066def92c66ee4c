"""Every platform that there is an adapter for."""

from typing import Final

from .console import ConsoleGround
from .discord import DiscordGround
from .ground import Ground
from .slack import SlackGround

__all__ = ["GROUNDS"]

GROUNDS: Final[dict[str, type[Ground]]] = {
    ground.name: ground for ground in (SlackGround, DiscordGround, ConsoleGround)
}
