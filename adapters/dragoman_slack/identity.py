"""Who the bot is in a workspace."""

from dataclasses import dataclass

__all__ = ["Identity"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are on Slack, from ``auth.test``.

    ``tenant`` is the installation: a team id, or the enterprise's for an organisation-wide one. ``name`` and
    ``team`` are for people to read. ``organisation``: whether it is for a whole one.
    """

    bot_user_id: str
    bot_id: str
    tenant: str
    app_id: str = ""
    name: str = ""
    team: str = ""
    organisation: bool = False
