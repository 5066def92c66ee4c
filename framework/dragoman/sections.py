"""The sections of ``dragoman.toml``, each a table with its keys."""

import difflib
import zoneinfo
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ByteSize, ConfigDict, Field, SecretStr, model_validator

from .errors import AddressError
from .manifest import SkillName
from .operator import find_channel

__all__ = [
    "Bot",
    "BreakerSettings",
    "BrokerSettings",
    "FilesSettings",
    "PoolSettings",
    "RunSettings",
    "Section",
    "StoreSettings",
    "TimeZone",
    "WatchSettings",
    "WebSettings",
    "WebhookSettings",
]


def verify_timezone(name: str) -> str:
    """The name of a time zone of the IANA database.

    Raises:
        ValueError: there is none of this name.
    """
    try:
        zoneinfo.ZoneInfo(name)
    # A folder of zones and a path out of them are neither's "not found".
    except (KeyError, ValueError, OSError):
        near = _near_zones(name)
        hint = f"; did you mean {near[0]}?" if near else ", such as Europe/Berlin"
        raise ValueError(f"this is not the name of a time zone{hint}") from None
    return name


def _near_zones(name: str) -> list[str]:
    """Zones of a similar name, the nearest first; the city alone is enough."""
    known = {zone.casefold(): zone for zone in sorted(zoneinfo.available_timezones())}
    cities = {zone.rpartition("/")[2]: full for zone, full in known.items()}
    said = name.strip().replace(" ", "_").casefold()
    near = [known[found] for found in difflib.get_close_matches(said, known, n=1, cutoff=0.75)]
    return near or [cities[found] for found in difflib.get_close_matches(said.rpartition("/")[2], cities, n=1)]


TimeZone = Annotated[str, AfterValidator(verify_timezone)]


def verify_channel(text: str) -> str:
    """A channel that can be written to.

    Raises:
        ValueError: it is none.
    """
    try:
        find_channel(text)
    except AddressError as error:
        raise ValueError(str(error)) from None
    return text


class Section(BaseModel):
    """A table of the file: frozen, and strict about its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Bot(Section):
    """``[bot]``

    Attributes:
        name: lower case; the namespace of all queues, so several bots can share one broker.
        skills: which discovered skills are enabled; those in ``folder`` always are.
        folder: a folder with skills of the bot's own: each ``*.py`` file there with a ``Skill`` in it.
        prefixes: what makes a message a command without the bot's name in front.
        timezone: of people who have not told theirs, by its IANA name.
        plugins: which discovered plugins are loaded, beside skills and adapters.
        strict: whether a plugin that cannot be loaded stops the start.
        operator: the channel that is told what is wrong with the bot, such as ``acme/#ops``.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] = "dragoman"
    skills: tuple[SkillName, ...] = ("help",)
    folder: Path = Path("skills")
    prefixes: tuple[Annotated[str, Field(min_length=1, max_length=8)], ...] = ("!",)
    timezone: TimeZone = "UTC"
    plugins: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    strict: bool = False
    operator: Annotated[str, AfterValidator(verify_channel)] | None = None


class BreakerSettings(Section):
    """``[breaker]``: ``failures`` attempts in a row and none good pause a skill, for ``seconds`` at first."""

    failures: Annotated[int, Field(ge=1)] = 20
    seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0


class BrokerSettings(Section):
    """``[broker]``

    Attributes:
        url: ``embedded`` (a private Valkey), ``amqp://``, ``redis://``, or ``memory://`` in one process; with TLS,
            ``amqps://`` or ``rediss://``.
        ca_file: whom to believe who the broker is, instead of the authorities that the machine trusts.
        cert_file, key_file: our own certificate and its key, for a broker that wants one.
        verify: whether the broker has to prove who it is.
    """

    url: SecretStr = SecretStr("embedded")
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    verify: bool = True


class FilesSettings(Section):
    """``[files]``

    Attributes:
        folder: where files are kept on their way; left out, ``files`` in the data folder. All processes of the bot,
            on every machine, need the same one.
        limit: how large one may be, such as ``25MB`` or a number of bytes.
        days: how long one is kept that nobody opens.
    """

    folder: Path | None = None
    limit: Annotated[ByteSize, Field(gt=0)] = ByteSize(25_000_000)
    days: Annotated[float, Field(gt=0)] = 30.0


class StoreSettings(Section):
    """``[store]``

    Attributes:
        url: of a database; left out, it is SQLite in the data folder.
        retention_days: how long to keep what is done.
        dead_days: how long to keep what has failed for good, so that it can be replayed.
        handles_days: how long what the bot said can be changed by its handle: without its words, where it was said and
            the platform's ids are kept for so long.
    """

    url: SecretStr | None = None
    retention_days: Annotated[float, Field(gt=0)] = 30.0
    dead_days: Annotated[float, Field(gt=0)] = 90.0
    handles_days: float = 400.0

    @model_validator(mode="after")
    def handles_are_kept_longer(self) -> Self:
        if not self.handles_days >= self.retention_days:
            raise ValueError(
                f"handles_days is {self.handles_days:g} and retention_days is {self.retention_days:g}: what is kept "
                f"keeps its handle, so set handles_days to {self.retention_days:g} or more, or keep less"
            )
        return self


class PoolSettings(Section):
    """``[pools.NAME]``: tasks in flight at once, and of one skill (half of them if left out).

    Attributes:
        max_memory: a process that a run has left larger is replaced.
    """

    concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None
    per_skill: Annotated[int, Field(ge=1, le=1000)] | None = None
    max_memory: Annotated[ByteSize, Field(ge=1_000_000)] | None = None


class RunSettings(Section):
    """``[run]``: the data folder, and the seconds that a stop may take.

    Attributes:
        partitions: into how many parts the conversations of an account are divided among its gateways.
        spool: how much may wait on a gateway's own disk while the ledger is away, of each account whose platform offers
            an event only once; 0 for nothing.
        log: what a line of the log is: text for people, or a JSON object for programs.
    """

    data: Path = Path(".dragoman")
    grace: Annotated[float, Field(ge=0)] = 10.0
    partitions: Annotated[int, Field(ge=1, le=64)] = 4
    spool: Annotated[ByteSize, Field(ge=0)] = ByteSize(50_000_000)
    log: Literal["text", "json"] = "text"


class WebSettings(Section):
    """``[web]``: where webhooks are listened for. Port 0: any that is free."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080


class WatchSettings(Section):
    """``[watch]``: where each part of ``dragoman run`` tells how it is: metrics, and whether it is live and ready.

    Attributes:
        host: whoever can reach it needs no password, so it is this machine unless you say otherwise.
        port: of the gateway; the others have those behind it. 0: nobody listens.
    """

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65500)] = 0


def verify_secret(secret: SecretStr) -> SecretStr:
    """A secret that cannot be guessed.

    Raises:
        ValueError: it is shorter than 16 characters.
    """
    if len(secret.get_secret_value()) < 16:
        raise ValueError("a secret needs at least 16 characters: make one with `openssl rand -hex 32`")
    return secret


class WebhookSettings(Section):
    """``[webhooks.SKILL]``: what callers of this skill's paths have to know."""

    secret: Annotated[SecretStr, AfterValidator(verify_secret)]
