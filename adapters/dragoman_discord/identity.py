"""Who the bot is on Discord."""

from dataclasses import dataclass

__all__ = ["Identity"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are: from ``GET /users/@me`` and ``GET /oauth2/applications/@me``.

    ``name`` is for people to read; ``flags`` are the application's
    (https://docs.discord.com/developers/resources/application#application-object-application-flags). ``endpoint``:
    where it wants its interactions to go, instead of the gateway; or empty.
    """

    user_id: str
    application_id: str
    name: str = ""
    flags: int = 0
    endpoint: str = ""
