"""What ``[accounts.NAME]`` may hold with ``platform = "discord"``."""

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from dragoman import AccountSettings
from dragoman.adapting import Span

__all__ = ["DiscordSettings"]

Snowflake = Annotated[str, Field(pattern=r"^\d{1,20}$")]


class DiscordSettings(AccountSettings):
    """A Discord bot, in all the guilds that it was added to.

    Attributes:
        token: the bot's token, from the app's page "Bot".
        api_url: where Discord's REST API is; another one for tests and proxies.
        gateway_url: where its gateway is; without it, what ``GET /gateway/bot`` says.
        cdn_url: where the files are that people attach, instead of Discord's own hosts; for tests and proxies.
        proxy: the HTTP proxy to use.
        shards: how many connections share the guilds; 0 for as many as Discord recommends.
        shard_ids: which of them this process holds; all of them if empty.
        guild: the guild that slash commands are for while you develop (they are there at once); without it they
            are for all guilds. Names such as ``#general`` are looked for there first.
        commands: whether the skills' commands are offered as slash commands.
        patience: seconds that a slash command waits for its first answer, before Discord is told that it will
            come later. Discord gives up after 3.
        members: whether the bot may see who joins and changes (the privileged "Server Members Intent").
        message_content: whether it may read what is not addressed to it (the privileged "Message Content Intent").
        replies: whether the first thing said to a message in a channel is shown as a reply to it.
        unfurl: whether Discord shows previews of the links that the bot posts.
        timeout: seconds that one API call may take.
        catch_up: seconds, or such as ``15m``: how old a message may be that is read from the channels' histories when a
            session was lost; 0: none is read.
        heartbeat_timeout: seconds of silence after which a connection is taken for dead.
        identify_delay: seconds between two new sessions (https://docs.discord.com/developers/events/gateway#sharding).
    """

    platform: Literal["discord"]
    token: SecretStr
    api_url: Annotated[str, Field(pattern=r"^https?://\S+$")] = "https://discord.com/api/v10"
    gateway_url: Annotated[str, Field(pattern=r"^wss?://\S+$")] | None = None
    cdn_url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    proxy: str | None = None
    shards: Annotated[int, Field(ge=0, le=100_000)] = 0
    shard_ids: tuple[Annotated[int, Field(ge=0)], ...] = ()
    guild: Snowflake | None = None
    commands: bool = True
    patience: Annotated[float, Field(ge=0, le=2.5)] = 1.5
    members: bool = True
    message_content: bool = True
    replies: bool = True
    unfurl: bool = False
    timeout: Annotated[float, Field(gt=0, le=600)] = 30.0
    catch_up: Span = Field("15m", validate_default=True)
    heartbeat_timeout: Annotated[float, Field(gt=0, le=600)] = 60.0
    identify_delay: Annotated[float, Field(ge=0, le=60)] = 5.0

    @field_validator("api_url")
    @classmethod
    def _ends_without_a_slash(cls, url: str) -> str:
        return url.rstrip("/")

    @field_validator("token")
    @classmethod
    def _is_a_token(cls, token: SecretStr) -> SecretStr:
        text = token.get_secret_value().strip().removeprefix("Bot ").strip()
        if not text:
            raise ValueError("is empty: copy it from the app's page at https://discord.com/developers/applications")
        return SecretStr(text)

    @model_validator(mode="after")
    def _shards_exist(self) -> Self:
        if self.shard_ids and not self.shards:
            raise ValueError("shard_ids needs shards: how many there are in all")
        if any(shard >= self.shards for shard in self.shard_ids):
            raise ValueError(f"shard_ids are counted from 0 to {self.shards - 1}")
        return self
