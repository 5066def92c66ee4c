"""The parts of a bot, each as a function that runs until it is told to stop: what the CLI calls.

Each opens what it needs from the settings. `BotContext` holds what all of them share.
"""

import asyncio
import logging
import signal
import socket
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Engine

from .accounts import make_adapters
from .adapter import Adapter
from .environment import Environment
from .errors import AccountError, SettingsError
from .exchange.broker import Broker
from .exchange.embedded import EmbeddedValkey
from .exchange.topology import Topology
from .gateway import Gateway
from .match import verify
from .plugin_set import PluginSet
from .plugins import Problems, load_plugins, load_skills
from .router import Router
from .scheduler import Scheduler
from .settings import Settings
from .skill import Skill
from .store.catalogue import publish_manifests
from .store.engine import open_store
from .triggers import WebhookTrigger

if TYPE_CHECKING:
    from .web import Web

__all__ = ["BotContext", "pools_of", "run_gateway", "run_router", "run_web", "run_worker"]

log = logging.getLogger(__name__)

EMBEDDED: Final = "embedded"
MEMORY: Final = "memory://"

#: Tasks in flight at once, unless ``[pools.NAME] concurrency`` says otherwise.
CONCURRENCY: Final[Mapping[str, int]] = {"async": 100}
PROCESSES: Final = 8


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
        broker = Broker(embedded.url if embedded else url, settings.bot.name)
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
            access=self.settings.access,
            timezone=self.settings.bot.timezone,
            filter=self.plugins.event,
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
            filter=self.plugins.action,
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


def pools_of(skills: Mapping[str, Skill]) -> dict[str, list[str]]:
    """The pools that are needed: the names of the skills of each."""
    pools: dict[str, list[str]] = {}
    for name, skill in skills.items():
        pools.setdefault(skill.manifest().pool, []).append(name)
    return dict(sorted(pools.items()))


def run_gateway(settings: Settings, accounts: Collection[str] = (), *, supervised: bool = False) -> None:
    """Run the adapters of these accounts (all of them if left out) until SIGTERM or SIGINT.

    Raises:
        AccountError: none of them can work.
    """
    bot = BotContext.of(settings)
    bot.require_processes(supervised=supervised)
    adapters = make_adapters(settings, accounts)
    engine = bot.open_store(durable=True)
    gateway = bot.gateway(engine, adapters)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, gateway.stop)
        await gateway.run()

    try:
        asyncio.run(main())
    except AccountError:
        log.error("no account is left that can work")
        raise
    finally:
        engine.dispose()


def run_router(settings: Settings, *, supervised: bool = False) -> None:
    """Route until SIGTERM or SIGINT."""
    bot = BotContext.of(settings)
    bot.require_processes(supervised=supervised)
    engine = bot.open_store()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    router = bot.router(engine)
    scheduler = Scheduler(engine, bot.broker, bot.topology)
    router.start()
    scheduler.start()
    stopping.wait()
    scheduler.stop()
    router.stop()
    engine.dispose()


def run_web(settings: Settings, *, supervised: bool = False) -> None:
    """Listen for webhooks until SIGTERM or SIGINT.

    Raises:
        SettingsError: it cannot listen on ``[web] host`` and ``port``.
    """
    bot = BotContext.of(settings)
    bot.require_processes(supervised=supervised)
    engine = bot.open_store(durable=True)

    async def main() -> None:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        async with bot.web(engine):
            await stopping.wait()

    try:
        asyncio.run(main())
    finally:
        engine.dispose()


def run_worker(
    settings: Settings,
    pool: str,
    only: Collection[str] = (),
    concurrency: int | None = None,
    loglevel: str = "info",
    *,
    supervised: bool = False,
) -> int:
    """Serve the queues of one pool's skills (or those named in ``only``) until SIGTERM; the exit status.

    Raises:
        SettingsError: there is no such pool or skill.
    """
    from .worker.app import build_app  # Celery takes a moment to import, and only workers need it.

    bot = BotContext.of(settings)
    bot.require_processes(supervised=supervised)
    skills = bot.skills()
    pools = pools_of(skills)
    if unknown := set(only) - skills.keys():
        raise SettingsError(f"there is no skill {min(unknown)!r} enabled (enabled: {', '.join(skills)})")
    if pool not in pools and not only:
        raise SettingsError(f"no skill is in the pool {pool!r} (there are: {', '.join(pools) or 'none'})")
    served = {name: skills[name] for name in (only or pools[pool])}
    engine = bot.open_store()
    with engine.begin() as connection:
        publish_manifests(connection, [skill.manifest() for skill in served.values()])
    engine.dispose()
    chosen = settings.pools.get(pool)
    app = build_app(
        served,
        broker=bot.broker,
        topology=bot.topology,
        store_url=settings.store_url,
        role=f"worker.{pool}",
        cap=chosen.per_skill if chosen else None,
        environment=bot.environment(skills),
    )
    threads = all(handler.coroutine for skill in served.values() for handler in skill.handlers.values())
    worker = app.Worker(
        hostname=f"{settings.bot.name}.{pool}@{socket.gethostname()}",
        pool="threads" if threads else "prefork",
        concurrency=concurrency or (chosen.concurrency if chosen else None) or default_concurrency(pool),
        loglevel=loglevel,
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def default_concurrency(pool: str) -> int:
    """Threads cost little; processes cost memory."""
    return CONCURRENCY.get(pool, PROCESSES)
