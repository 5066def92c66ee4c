"""What ``[accounts.NAME]`` may hold with ``platform = "slack"``."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from dragoman import AccountSettings

__all__ = ["SlackSettings"]


class SlackSettings(AccountSettings):
    """A Slack app in one workspace (or organisation).

    Attributes:
        bot_token: the "Bot User OAuth Token" (``xoxb-...``) from the app's page "OAuth & Permissions".
        app_token: an app-level token (``xapp-...``, scope ``connections:write``) from "Basic Information".
        api_url: where Slack's Web API is; another one for tests and proxies.
        proxy: the HTTP proxy to use; without it the environment's ``HTTPS_PROXY`` and ``NO_PROXY`` count.
        timeout: seconds that one API call may take.
        max_retries: how often one call is tried again after a rate limit (429) or a server error (500, 503).
        unfurl: whether Slack shows previews of the links that the bot posts.
    """

    platform: Literal["slack"]
    bot_token: SecretStr
    app_token: SecretStr
    api_url: Annotated[str, Field(pattern=r"^https?://\S+$")] = "https://slack.com/api/"
    proxy: str | None = None
    timeout: Annotated[float, Field(gt=0, le=600)] = 30.0
    max_retries: Annotated[int, Field(ge=0, le=20)] = 5
    unfurl: bool = False

    @field_validator("api_url")
    @classmethod
    def _ends_with_a_slash(cls, url: str) -> str:
        return url if url.endswith("/") else f"{url}/"

    @field_validator("bot_token", "app_token")
    @classmethod
    def _not_empty(cls, token: SecretStr) -> SecretStr:
        if not token.get_secret_value().strip():
            raise ValueError("is empty: copy it from the app's page at https://api.slack.com/apps")
        return SecretStr(token.get_secret_value().strip())
