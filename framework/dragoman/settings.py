"""Settings: ``dragoman.toml``, overridden by ``DRAGOMAN_*`` environment variables and ``.env``.

A nested key is written with two underscores: ``DRAGOMAN_BROKER__URL`` is ``[broker] url``, and
``DRAGOMAN_ACCOUNTS__ACME__BOT_TOKEN`` is ``[accounts.acme] bot_token``. An unknown or misspelt key is an
error that names it and suggests the right one.
"""

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, get_args

import pydantic_settings
from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from .address import AccountName
from .errors import SettingsError
from .manifest import SkillName

__all__ = [
    "Bot",
    "BrokerSettings",
    "PoolSettings",
    "RunSettings",
    "Settings",
    "StoreSettings",
    "explain",
    "load",
]

FILE: Final = "dragoman.toml"
PREFIX: Final = "DRAGOMAN_"
#: Environment variables with our prefix that are no settings.
OTHER: Final = frozenset({"DRAGOMAN_CONFIG", "DRAGOMAN_API_SPECS"})


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
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] = "dragoman"
    skills: tuple[SkillName, ...] = ("help",)
    folder: Path = Path("skills")
    prefixes: tuple[Annotated[str, Field(min_length=1, max_length=8)], ...] = ("!",)


class BrokerSettings(Section):
    """``[broker]``: ``embedded`` (a private Valkey), ``amqp://``, ``redis://``, or ``memory://`` in one process."""

    url: SecretStr = SecretStr("embedded")


class StoreSettings(Section):
    """``[store]``: a database URL (SQLite in the data folder if left out), and how many days to keep what is done."""

    url: SecretStr | None = None
    retention_days: Annotated[float, Field(gt=0)] = 30.0


class PoolSettings(Section):
    """``[pools.NAME]``: tasks in flight at once, and of one skill (half of them if left out)."""

    concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None
    per_skill: Annotated[int, Field(ge=1, le=1000)] | None = None


class RunSettings(Section):
    """``[run]``: the data folder, and the seconds that a stop may take."""

    data: Path = Path(".dragoman")
    grace: Annotated[float, Field(ge=0)] = 10.0


class Settings(BaseSettings):
    """All of them. Accounts are read by the adapter of their platform; see `dragoman.accounts`."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    bot: Bot = Bot()
    broker: BrokerSettings = BrokerSettings()
    store: StoreSettings = StoreSettings()
    run: RunSettings = RunSettings()
    pools: dict[str, PoolSettings] = {}
    #: They hold secrets that only their adapters know as such, so they are never shown or dumped.
    accounts: dict[AccountName, dict[str, Any]] = Field(default_factory=dict, repr=False, exclude=True)
    #: ``[skills.NAME]``: what a skill may be told.
    skills: dict[SkillName, dict[str, Any]] = Field(default_factory=dict, repr=False, exclude=True)
    #: The folder that relative paths start from: where dragoman.toml is.
    root: Path = Path()

    @field_validator("accounts", mode="after")
    @classmethod
    def has_platform(cls, accounts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name, account in accounts.items():
            if "platform" not in account:
                raise ValueError(f'accounts.{name} needs a platform, such as platform = "slack"')
        return accounts

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.root / self.run.data

    @property
    def store_url(self) -> str:
        """Where the store is."""
        if self.store.url is not None:
            return self.store.url.get_secret_value()
        return f"sqlite:///{self.data.absolute() / 'store.db'}"


def load(path: Path | str | None = None, *, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Args:
        path: the file; left out, ``DRAGOMAN_CONFIG`` or ``dragoman.toml`` in the working folder, if it is there.
        environ: instead of the process's environment.

    Raises:
        SettingsError: the file is missing or unreadable, or a key is unknown, misspelt or wrong.
    """
    variables: Mapping[str, str] = os.environ if environ is None else environ
    named = path or variables.get("DRAGOMAN_CONFIG")
    file = Path(named) if named else Path(FILE)
    if named and not file.is_file():
        raise SettingsError(f"there is no settings file {file}; write one, or leave out --config for the defaults")
    root = file.parent.absolute()
    dotenv = root / ".env"
    # Other programs' variables may stand in the same file.
    written = {k: v for k, v in _dotenv(dotenv).items() if k.upper().startswith(PREFIX) and k.upper() not in OTHER}

    class Sources(Settings):
        @classmethod
        def settings_customise_sources(  # type: ignore[override]  # the other sources come by keyword, unused
            cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, **_: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            env = EnvSettingsSource(settings_cls)
            env.env_vars = {k.lower(): v for k, v in variables.items() if k.upper() not in OTHER}
            found: list[PydanticBaseSettingsSource] = [init_settings, env]
            if written:
                source = DotEnvSettingsSource(settings_cls, env_file=None)
                source.env_vars = {k.lower(): v for k, v in written.items()}
                found.append(source)
            if file.is_file():
                found.append(TomlConfigSettingsSource(settings_cls, toml_file=file))
            return tuple(found)

    try:
        _check_names(variables, "the environment")
        _check_names(written, str(dotenv))
        return Sources(root=root)
    except ValidationError as error:
        raise SettingsError(_explain(error, file, {"the environment": variables, str(dotenv): written})) from None
    except SettingsError:
        raise
    except pydantic_settings.SettingsError as error:
        raise SettingsError(f"the environment: {error}: a list is written as JSON, such as '[\"help\"]'") from None
    except (ValueError, OSError) as error:
        # tomllib's errors and pydantic-settings' own say what is wrong and hold no values of ours.
        raise SettingsError(f"{file} cannot be read: {error}") from None


def _check_names(environ: Mapping[str, Any], source: str) -> None:
    """pydantic-settings ignores variables that it does not know; a misspelt one must not go unseen."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields if name != "root"}
    for name in environ:
        if name.upper().startswith(PREFIX) and name.upper() not in OTHER and name.upper().split("__")[0] not in known:
            near = difflib.get_close_matches(name.upper(), sorted(known), n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}__...?" if near else ""
            raise SettingsError(f"{source}: {name} is not a setting{hint}")


def _dotenv(file: Path) -> dict[str, str | None]:
    if not file.is_file():
        return {}
    try:
        return dotenv_values(file)
    except (ValueError, OSError) as error:
        raise SettingsError(f"{file} cannot be read: {error}") from None


def _explain(error: ValidationError, file: Path, variables: Mapping[str, Mapping[str, Any]]) -> str:
    """Each mistake with where it was written: a variable wins over the file."""
    lines = []
    for mistake, line in zip(error.errors(include_url=False), explain(error, Settings), strict=True):
        name = PREFIX + "__".join(str(part) for part in mistake["loc"]).upper()
        for place, names in variables.items():
            if any(given.upper() == name or given.upper().startswith(f"{name}__") for given in names):
                lines.append(f"{place}: {line}")
                break
        else:
            lines.append(f"{file.name}: {line}")
    return "; ".join(lines)


def explain(error: ValidationError, model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """What is wrong, a line for each mistake, without the values (they may be secrets)."""
    for mistake in error.errors(include_url=False, include_input=False, include_context=False):
        loc = [str(part) for part in mistake["loc"]]
        name = ".".join([*([prefix] if prefix else []), *loc])
        if mistake["type"] == "extra_forbidden":
            near = difflib.get_close_matches(loc[-1], _names(model, loc[:-1]), n=1, cutoff=0.5)
            yield f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else "")
        elif mistake["type"] == "missing":
            variable = PREFIX + name.replace(".", "__").upper()
            yield f"{name} is missing: write it there, or {variable}=... into .env beside it"
        else:
            yield f"{name}: {mistake['msg'].removeprefix('Value error, ')}"


def _names(model: type[BaseModel], place: list[str]) -> list[str]:
    """The keys that there are at a place of a model."""
    annotation: Any = model
    for part in place:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields.get(part)
            annotation = field.annotation if field else None
        else:
            annotation = (*get_args(annotation), None, None)[1]  # the values of a dict, whatever the key
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [name for name in annotation.model_fields if name != "root"]
    return []
