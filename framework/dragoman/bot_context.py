"""What all parts of a bot share, made from its settings."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Engine

from .adapter import Adapter
from .address import Address
from .environment import Environment
from .errors import SettingsError
from .exchange.broker import Broker
from .exchange.embedded import EmbeddedValkey
from .exchange.topology import Topology
from .gateway import Gateway
from .match import verify
from .metrics import Metrics
from .plugin_set import PluginSet
from .plugins import Problems, load_plugins, load_skills
from .router import Router
from .settings import Settings
from .skill import Skill
from .store.engine import open_store
from .triggers import WebhookTrigger

if TYPE_CHECKING:
    from .web import Web

__all__ = ["BotContext"]

log = logging.getLogger(__name__)

EMBEDDED: Final = "embedded"


@dataclass(frozen=True)
class BotContext:
    """What every part of one bot needs."""

    settings: Settings
    broker: Broker
    topology: Topology
    embedded: EmbeddedValkey | None

    @classmethod
    def of(cls, settings: Settings) -> "BotContext":
        url = settings.broker.url.get_secret_value()
        embedded = EmbeddedValkey(settings.data / "broker") if url == EMBEDDED else None
        broker = Broker(
            embedded.url if embedded else url,
            settings.bot.name,
            partitions=settings.run.partitions,
            tls=settings.broker_tls,
        )
        return cls(settings, broker, broker.topology, embedded)

    @property
    def in_memory(self) -> bool:
        """Whether everything has to be in one process."""
        return self.broker.family == "memory"

    def require_processes(self, *, supervised: bool = False) -> None:
        """Raises SettingsError where a part cannot run by itself. A supervisor looks after the broker itself."""
        if self.in_memory:
            raise SettingsError(
                "the broker memory:// lives in one process: use `dragoman run` or `dragoman chat`, or another broker"
            )
        if self.embedded is not None and not supervised and not self.embedded.ready():
            raise SettingsError(
                "the embedded broker is not running: `dragoman run` starts it with all the rest; to run the parts "
                "by themselves, set [broker] url to a RabbitMQ, Redis or Valkey"
            )

    @cached_property
    def plugins(self) -> PluginSet:
        """The bot's enabled plugins: filters and wrappers."""
        return load_plugins(self.settings)

    @cached_property
    def metrics(self) -> Metrics:
        """What this process counts."""
        return Metrics()

    def load_plugins(self) -> None:
        """Load them now: what is wrong with them is said before anything starts."""
        log.debug("plugins: %s", ", ".join(self.plugins.names) or "none")

    def skills(self, problems: Problems | None = None) -> dict[str, Skill]:
        """The bot's enabled skills, verified to fit together.

        Args:
            problems: gets what is wrong with broken ones, which are left out, instead of the log.
        """
        bot, broken = self.settings.bot, {} if problems is None else problems
        skills = load_skills(bot.skills, self.settings.root / bot.folder, strict=bot.strict, problems=broken)
        if problems is None:
            for problem in broken.values():
                log.error("%s; the others go on without it", problem)
        verify([skill.manifest() for skill in skills.values()])
        # They may be those of a broken one.
        if not broken and (unknown := set(self.settings.skills) - skills.keys()):
            raise SettingsError(f"[skills.{min(unknown)}]: no such skill is enabled ({', '.join(skills) or 'none is'})")
        self._settings_of(skills)  # what is wrong with their settings is said at the start
        return skills

    def _settings_of(self, skills: Mapping[str, Skill]) -> dict[str, Any]:
        settings = self.settings
        return {
            name: settings.validate_skill(name, skill.settings) if skill.settings else settings.skills.get(name, {})
            for name, skill in skills.items()
        }

    def environment(self, skills: Mapping[str, Skill]) -> Environment:
        """What these skills can see of the settings; ``[skills.NAME]`` verified by the models of those that have one.

        Raises:
            SettingsError: one does not fit; the message names the key.
        """
        return Environment(
            settings=self._settings_of(skills),
            access=self.settings.access,
            timezone=self.settings.bot.timezone,
            accounts=tuple(self.settings.accounts),
            blobs=self.settings.blobs,
            around=self.plugins.around,
        )

    @property
    def breaker(self) -> tuple[int, float, Address | None]:
        """When a skill that fails everything is paused, for how long at first, and who is told."""
        breaker = self.settings.breaker
        return breaker.failures, breaker.seconds, self.settings.operator

    def router(self, engine: Engine) -> Router:
        """A router of this bot."""
        return Router(
            engine,
            self.broker,
            self.topology,
            prefixes=self.settings.bot.prefixes,
            retention=self.settings.store.retention_days,
            handles=self.settings.store.handles_days,
            files=(self.settings.blobs, self.settings.files.days),
            dead=self.settings.store.dead_days,
            access=self.settings.access,
            timezone=self.settings.bot.timezone,
            filter=self.plugins.event,
            metrics=self.metrics,
        )

    def gateway(self, engine: Engine, adapters: Mapping[str, Adapter]) -> Gateway:
        """A gateway of this bot."""
        return Gateway(
            engine,
            self.broker,
            self.topology,
            adapters,
            blobs=self.settings.blobs,
            grace=self.settings.run.grace,
            spool=(self.settings.data / "spool", self.settings.run.spool) if self.settings.run.spool else None,
            filter=self.plugins.action,
            metrics=self.metrics,
        )

    def serves_web(self, skills: Mapping[str, Skill]) -> bool:
        """Whether there is a webhook to listen for, or the settings ask for the web server."""
        return "web" in self.settings.model_fields_set or any(
            isinstance(handler.trigger, WebhookTrigger)
            for skill in skills.values()
            for handler in skill.manifest().handlers
        )

    def web(self, engine: Engine) -> "Web":
        """The web server of this bot."""
        from .web import Web  # Only one process needs an HTTP server.

        return Web(
            engine,
            self.broker,
            self.topology,
            host=self.settings.web.host,
            port=self.settings.web.port,
            hook_secrets={
                skill: hook.secret.get_secret_value() for skill, hook in self.settings.webhooks.items() if hook.secret
            },
        )

    def open_store(self, *, durable: bool = False) -> Engine:
        return open_store(self.settings.store_url, durable=durable)
