"""``dragoman run`` and ``dragoman worker``: a whole bot, or all of its workers, as supervised processes."""

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final

from .accounts import make_adapters
from .errors import BrokerError, SettingsError
from .exchange.embedded import EmbeddedValkey
from .manifest import SkillManifest
from .reload import Reloader
from .roles import BotContext, pools_of
from .settings import Settings
from .stack import Stack
from .stopping import INTERRUPTED, MARGIN
from .store.catalogue import publish_manifests, retire_manifests
from .store.processes import bury
from .supervisor import Child, Supervisor, python

__all__ = ["run_bot", "run_pools"]

log = logging.getLogger(__name__)

#: Seconds that the embedded broker may take to load its data.
LOADING: Final = 60.0


def run_bot(
    settings: Settings, options: Sequence[str] = (), *, reload: bool = False, config: Path | None = None
) -> int:
    """Run everything on this machine until SIGTERM or SIGINT; the exit status.

    Args:
        options: what the CLI was given before the command, to be given to each part.
        reload: start the workers anew when skills or settings change.
        config: the file that ``--config`` named.
    """
    bot = BotContext.of(settings)
    if reload and bot.in_memory:
        raise SettingsError("--reload starts processes anew, and the broker memory:// has but one: use another")
    if reload:
        # A file that is changed twice within a second would be taken from its cached bytecode.
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    skills = bot.skills()
    bot.load_plugins()
    adapters = make_adapters(settings)
    if bot.in_memory:
        asyncio.run(_run_stack(Stack(bot, skills, adapters, web=bot.serves_web(skills))))
        return 0
    with _alone(settings.data):
        engine = bot.open_store()

        def publish(manifests: Sequence[SkillManifest]) -> None:
            # The workers publish them as well; but the router must not tell somebody in the first second
            # that it knows no command.
            with engine.begin() as connection:
                publish_manifests(connection, manifests)
                retire_manifests(connection, [manifest.name for manifest in manifests])

        publish([skill.manifest() for skill in skills.values()])

        def died(pid: int) -> None:
            # Its runs are given back at once, not when its heart is missed.
            with engine.begin() as connection:
                bury(connection, pid)

        children = []
        if bot.embedded is not None:
            _end_orphan(bot.embedded)
            children.append(Child("broker", bot.embedded.command(), _waiter(bot.embedded), order=2))
        parts = _options(settings, "gateway", "router", "web")
        children += _workers(settings, list(pools_of(skills)), options, renewable=reload, behind=3, of_run=True)
        children.append(Child("router", python(*options, "router", *parts["router"]), order=1, tells=True))
        children.append(Child("gateway", python(*options, "gateway", *parts["gateway"]), order=0, tells=True))
        if bot.serves_web(skills):
            children.append(Child("web", python(*options, "web", *parts["web"]), order=0, tells=True))
        log.info("%s starts on %s", settings.bot.name, bot.broker.safe_url)
        name = settings.bot.name
        supervisor = Supervisor(
            children, died=died, grace=settings.run.grace + MARGIN, ready=lambda: log.info("%s is ready", name)
        )

        def renew(manifests: Sequence[SkillManifest]) -> None:
            publish(manifests)
            pools = sorted({manifest.pool for manifest in manifests})
            supervisor.renew(_workers(settings, pools, options, renewable=True, behind=3, of_run=True))

        reloader = Reloader(settings, config, renew) if reload else None
        if reloader is not None:
            reloader.start()
        try:
            status = _supervise(supervisor)
            log.info("%s has stopped", name)
            return status
        finally:
            if reloader is not None:
                reloader.stop()
            engine.dispose()


def run_pools(settings: Settings, options: Sequence[str] = ()) -> int:
    """Run a worker for each pool that the enabled skills need."""
    bot = BotContext.of(settings)
    bot.require_processes()
    bot.load_plugins()
    children = _workers(settings, list(pools_of(bot.skills())), options)
    if not children:
        raise SettingsError("no skill is enabled, so there is nothing to serve; see [bot] skills")
    grace = settings.run.grace + MARGIN
    status = _supervise(Supervisor(children, grace=grace, ready=lambda: log.info("the workers are ready")))
    log.info("the workers have stopped")
    return status


def _workers(
    settings: Settings,
    pools: Sequence[str],
    options: Sequence[str],
    *,
    renewable: bool = False,
    behind: int = 0,
    of_run: bool = False,
) -> list[Child]:
    parts = _options(settings, *pools, behind=behind)
    return [
        Child(
            f"worker {pool}",
            python(*options, "worker", "--pool", pool, *(["--of-run"] if of_run else []), *parts[pool]),
            order=1,
            renewable=renewable,
            tells=True,
        )
        for pool in pools
    ]


def _options(settings: Settings, *parts: str, behind: int = 0) -> dict[str, list[str]]:
    """The options of each supervised part. They are watched at one port behind the other."""
    first = settings.watch.port
    ports = {part: ["--watch-port", str(first + behind + n)] if first else [] for n, part in enumerate(parts)}
    return {part: ["--supervised", *port] for part, port in ports.items()}


def _supervise(supervisor: Supervisor) -> int:
    interrupted = False

    def interrupt(*_: object) -> None:
        """The first Ctrl-C stops, the second one ends everything at once."""
        nonlocal interrupted
        if interrupted:
            supervisor.end()
        else:
            interrupted = True
            supervisor.stop()

    signal.signal(signal.SIGTERM, lambda *_: supervisor.stop())
    signal.signal(signal.SIGINT, interrupt)
    return supervisor.run()


async def _run_stack(stack: Stack) -> None:
    loop = asyncio.get_running_loop()
    stopping = False

    def interrupt() -> None:
        nonlocal stopping
        if stopping:
            os._exit(INTERRUPTED)
        stopping = True
        stack.gateway.stop()

    loop.add_signal_handler(signal.SIGTERM, stack.gateway.stop)
    loop.add_signal_handler(signal.SIGINT, interrupt)
    async with stack:
        log.info("the bot is ready")
        await stack.run()
    log.info("the bot has stopped")


def _waiter(embedded: EmbeddedValkey) -> Callable[[], None]:
    def ready() -> None:
        deadline = time.monotonic() + LOADING
        while not embedded.ready():
            if time.monotonic() > deadline:
                raise BrokerError(f"the embedded broker does not answer; see its output and {embedded.folder}")
            time.sleep(0.02)

    return ready


def _end_orphan(embedded: EmbeddedValkey) -> None:
    """A broker whose supervisor was killed still has our socket; we hold the lock, so it is nobody else's."""
    if embedded.ready():
        log.warning("ending the embedded broker of an earlier run that was killed")
        embedded.shut_down()


@contextlib.contextmanager
def _alone(data: Path) -> Iterator[IO[str]]:
    """Hold the data folder, so that two bots do not run on it."""
    try:
        # What people said is in there: nobody else's to read.
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (data / "lock").open("w")
    except OSError as error:
        raise SettingsError(f"the data folder {data} cannot be used: {error}; set another [run] data") from None
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(
                f"another `dragoman run` uses the data folder {data}: stop it, or set another [run] data"
            ) from None
        yield file
