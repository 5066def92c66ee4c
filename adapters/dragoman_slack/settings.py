"""What ``[accounts.NAME]`` may hold with ``platform = "slack"``."""

from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr, field_validator

from dragoman import AccountSettings, Pacing
from dragoman.adapting import Span

__all__ = ["SlackSettings"]

SLACK: Final = "https://slack.com/api/"
#: Slack allows "short bursts" and gives no number: few enough to be short.
BURST: Final = 5


class SlackSettings(AccountSettings):
    """A Slack app in one workspace (or organisation).

    Attributes:
        bot_token: the "Bot User OAuth Token" (``xoxb-...``) from the app's page "OAuth & Permissions".
        app_token: an app-level token (``xapp-...``, scope ``connections:write``) from "Basic Information".
        api_url: where Slack's Web API is; another one for tests and proxies.
        proxy: the HTTP proxy to use; without it the environment's ``HTTPS_PROXY`` and ``NO_PROXY`` count.
        timeout: seconds that one API call may take.
        max_retries: how often one call is tried again after a server error (500, 503), or, if it only reads, after a
            rate limit (429).
        pace: messages that may be posted in one channel in a second, in the long run; 0 for no such limit. Left out,
            1, which is what Slack allows (https://docs.slack.dev/apis/web-api/rate-limits), and none with another
            ``api_url``.
        catch_up: seconds, or such as ``15m``: how old a message may be that is read from the channels' histories when
            nobody was connected as it was said; 0: none is read.
        unfurl: whether Slack shows previews of the links that the bot posts.
    """

    platform: Literal["slack"]
    bot_token: SecretStr
    app_token: SecretStr
    api_url: Annotated[str, Field(pattern=r"^https?://\S+$")] = SLACK
    proxy: str | None = None
    timeout: Annotated[float, Field(gt=0, le=600)] = 30.0
    max_retries: Annotated[int, Field(ge=0, le=20)] = 5
    pace: Annotated[float, Field(ge=0, le=100)] | None = None
    catch_up: Span = Field("15m", validate_default=True)
    unfurl: bool = False

    @property
    def pacing(self) -> Pacing | None:
        """The pace for the gateway to keep to."""
        pace = self.pace
        if pace is None:
            pace = 1.0 if self.api_url == SLACK else 0.0
        return Pacing(every=1 / pace, burst=BURST) if pace else None

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
