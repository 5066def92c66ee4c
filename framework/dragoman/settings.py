"""Settings: ``dragoman.toml``, overridden by ``DRAGOMAN_*`` environment variables and ``.env``.

A nested key is written with two underscores: ``DRAGOMAN_BROKER__URL`` is ``[broker] url``, and
``DRAGOMAN_ACCOUNTS__ACME__BOT_TOKEN`` is ``[accounts.acme] bot_token``. An unknown or misspelt key is an
error that names it and suggests the right one. The sections are in `dragoman.sections`.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import pydantic_settings
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from . import redaction
from .access import Access, Globs, Rule
from .address import AccountName, Address
from .blobs import Blobs
from .errors import SettingsError
from .keys import keys, plain, shape
from .manifest import SkillName
from .mistakes import PREFIX, explain, unknown_keys
from .operator import find_channel
from .sections import (
    Bot,
    BreakerSettings,
    BrokerSettings,
    FilesSettings,
    PoolSettings,
    RunSettings,
    StoreSettings,
    WatchSettings,
    WebhookSettings,
    WebSettings,
)
from .tls import Tls
from .variables import read_dotenv, read_list, read_variables

__all__ = [
    "Bot",
    "BrokerSettings",
    "FilesSettings",
    "PoolSettings",
    "Rule",
    "RunSettings",
    "Settings",
    "StoreSettings",
    "WatchSettings",
    "WebSettings",
    "WebhookSettings",
    "explain",
    "load",
]

FILE: Final = "dragoman.toml"

Model = TypeVar("Model", bound=BaseModel)


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
    breaker: BreakerSettings = BreakerSettings()
    broker: BrokerSettings = BrokerSettings()
    store: StoreSettings = StoreSettings()
    files: FilesSettings = FilesSettings()
    run: RunSettings = RunSettings()
    pools: dict[str, PoolSettings] = {}
    #: Where webhooks are listened for, and what callers of each skill's paths have to know.
    web: WebSettings = WebSettings()
    webhooks: dict[SkillName, WebhookSettings] = Field(default_factory=dict)
    #: Where each part tells how it is.
    watch: WatchSettings = WatchSettings()
    #: Who may do what: see `dragoman.access`.
    roles: dict[str, Globs] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    #: They hold secrets that only their adapters know as such, so they are never shown or dumped.
    accounts: dict[AccountName, dict[str, Any]] = Field(default_factory=dict, repr=False, exclude=True)
    #: ``[skills.NAME]``: what a skill may be told.
    skills: dict[SkillName, dict[str, Any]] = Field(default_factory=dict, repr=False, exclude=True)
    #: ``[plugins.NAME]``: what a plugin may be told.
    plugins: dict[str, dict[str, Any]] = Field(default_factory=dict, repr=False, exclude=True)
    #: The folder that relative paths start from: where dragoman.toml is.
    root: Path = Path()

    @field_validator("accounts", mode="after")
    @classmethod
    def has_platform(cls, accounts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name, account in accounts.items():
            if "platform" not in account:
                raise ValueError(f'accounts.{name} needs a platform, such as platform = "slack"')
        return accounts

    @model_validator(mode="after")
    def operator_is_there(self) -> Self:
        if self.bot.operator is not None and (account := find_channel(self.bot.operator).account) not in self.accounts:
            there = ", ".join(self.accounts) or "none"
            raise ValueError(f"bot.operator: there is no account {account!r} (there is: {there})")
        return self

    @property
    def operator(self) -> Address | None:
        """The channel that is told what is wrong with the bot."""
        return find_channel(self.bot.operator) if self.bot.operator is not None else None

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

    @property
    def broker_tls(self) -> Tls:
        """What TLS to the broker needs."""
        broker = self.broker
        ca, cert, key = (
            self.root / file if file is not None else None
            for file in (broker.ca_file, broker.cert_file, broker.key_file)
        )
        return Tls(ca, cert, key, broker.verify)

    @property
    def blobs(self) -> Blobs:
        """Where the bytes of files are."""
        folder = self.root / self.files.folder if self.files.folder else self.data / "files"
        return Blobs(folder, limit=self.files.limit)

    @property
    def access(self) -> Access:
        """Who may do what."""
        return Access(self.rules, self.roles)

    def strictly(self) -> Self:
        """The same, with ``[bot] strict = true``."""
        return self.model_copy(update={"bot": self.bot.model_copy(update={"strict": True})})

    def validate_skill(self, name: str, model: type[Model]) -> Model:
        """``[skills.NAME]`` as the skill's own model has it. Texts of variables become what the model wants.

        The model's validators may ask for the names of the bot's accounts: ``info.context["accounts"]``.

        Raises:
            SettingsError: something is missing, wrong, or unknown (unless the model says what to do with more).
        """
        return _validated(model, self.skills.get(name, {}), f"skills.{name}", {"accounts": tuple(self.accounts)})

    def validate_plugin(self, name: str, model: type[Model]) -> Model:
        """``[plugins.NAME]`` in the same way."""
        return _validated(model, self.plugins.get(name, {}), f"plugins.{name}")


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
    # Other programs' variables may stand in both.
    written = read_variables(read_dotenv(dotenv), str(dotenv), Settings)
    given = read_variables(variables, "the environment", Settings)

    class Sources(Settings):
        @classmethod
        def settings_customise_sources(  # type: ignore[override]  # the other sources come by keyword, unused
            cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, **_: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            env = EnvSettingsSource(settings_cls)
            env.env_vars = given
            found: list[PydanticBaseSettingsSource] = [init_settings, env]
            if written:
                source = DotEnvSettingsSource(settings_cls, env_file=None)
                source.env_vars = written
                found.append(source)
            if file.is_file():
                found.append(TomlConfigSettingsSource(settings_cls, toml_file=file))
            return tuple(found)

    try:
        found = Sources(root=root)
    except ValidationError as error:
        raise SettingsError(_explain(error, file, {"the environment": given, str(dotenv): written})) from None
    except pydantic_settings.SettingsError as error:
        raise SettingsError(f"the environment: {error}") from None
    except (ValueError, OSError) as error:
        # tomllib's errors and pydantic-settings' own say what is wrong and hold no values of ours.
        raise SettingsError(f"{file} cannot be read: {error}") from None
    redaction.register_from(found)
    return found


def _explain(error: ValidationError, file: Path, variables: Mapping[str, Mapping[str, str]]) -> str:
    """Each mistake with where it was written: a variable wins over the file."""
    lines = []
    for mistake, line in zip(error.errors(include_url=False), explain(error, Settings), strict=True):
        # What is wrong in a list is in the list's variable.
        parts = [str(part) for part in mistake["loc"]]
        names = {(PREFIX + "__".join(parts[:count])).lower() for count in range(1, len(parts) + 1)}
        whole = (PREFIX + "__".join(parts)).lower()
        for place, given in variables.items():
            if any(name in names or name.startswith(f"{whole}__") for name in given):
                lines.append(f"{place}: {line}")
                break
        else:
            lines.append(f"{file.name}: {line}")
    return "; ".join(lines)


def _validated(model: type[Model], written: dict[str, Any], place: str, context: dict[str, Any] | None = None) -> Model:
    lines = list(unknown_keys(model, written, place))
    try:
        try:
            found = model.model_validate(written, context=context)
        except ValidationError:
            # Variables have only texts: a list or a table may be in one.
            found = model.model_validate(_with_lists(model, written), context=context)
    except ValidationError as error:
        lines.extend(explain(error, model, place))
    if lines:
        raise SettingsError("; ".join(lines))
    redaction.register_from(found)
    return found


def _with_lists(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with texts read where the model has a list or a table."""
    known, found = keys(model), dict(values)
    for key, value in values.items():
        annotation = known.get(key)
        kind = shape(annotation)
        if isinstance(value, str) and kind in ("list", "table"):
            try:
                found[key] = read_list(value) if kind == "list" else json.loads(value)
            except ValueError:
                continue  # The model says what is wrong with it.
        elif isinstance(value, Mapping) and (inner := _model(annotation)) is not None:
            found[key] = _with_lists(inner, value)
    return found


def _model(annotation: Any) -> type[BaseModel] | None:
    found = plain(annotation)
    return found if isinstance(found, type) and issubclass(found, BaseModel) else None
