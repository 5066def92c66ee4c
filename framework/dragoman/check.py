"""``dragoman check``: settings, plugins, broker, store and tokens; a line for each, with what to do."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.text import Text

from .accounts import make_adapters
from .adapter import Adapter
from .errors import DragomanError
from .plugins import ADAPTERS, PLUGINS, SKILLS, Problems, discover, load_plugins
from .redaction import redact
from .roles import BotContext, pools_of
from .settings import Settings, load
from .skill import Skill
from .triggers import CommandTrigger, WebhookTrigger

__all__ = ["Line", "check", "run_check"]

MARKS: Final = {"ok": ("ok", "green"), "note": ("--", "yellow"), "bad": ("NO", "red")}

#: Seconds that a platform may take to answer about a token.
PATIENCE: Final = 20.0


class Line(NamedTuple):
    """``status`` is ``ok``, ``note`` (nothing is wrong) or ``bad``."""

    status: str
    subject: str
    text: str


def run_check(config: Path | None, *, strict: bool = False) -> bool:
    """Print the lines; whether all is well.

    Args:
        strict: end with the first broken plugin, as ``dragoman run --strict`` would.
    """
    console = Console(highlight=False, soft_wrap=True)
    well = True
    for line in check(config, strict=strict):
        mark, colour = MARKS[line.status]
        console.print(Text.assemble((f"{mark:>2}  ", colour), (f"{line.subject:<10} ", "bold"), redact(line.text)))
        well = well and line.status != "bad"
    return well


def check(config: Path | None, *, strict: bool = False) -> Iterator[Line]:
    """Verify one thing after another; what cannot be verified without an earlier one is left out."""
    try:
        settings = load(config)
        settings = settings.strictly() if strict else settings
        bot = BotContext.of(settings)
    except DragomanError as error:
        yield Line("bad", "settings", str(error))
        return
    yield Line("ok", "settings", f"bot {settings.bot.name!r} in {settings.root}")
    yield from _skills(bot)
    yield from _plugins(settings)
    yield from _broker(bot)
    yield from _store(bot)
    yield from _accounts(settings)


def _skills(bot: BotContext) -> Iterator[Line]:
    problems: Problems = {}
    try:
        skills = bot.skills(problems)
    except DragomanError as error:
        yield Line("bad", "skills", str(error))
        return
    for problem in problems.values():
        yield Line("bad", "skill", f"{problem}; the bot would start without it")
    for name, skill in skills.items():
        triggers = [handler.trigger for handler in skill.manifest().handlers]
        commands = ", ".join(name for t in triggers if isinstance(t, CommandTrigger) for name in t.names)
        commands = commands or "no commands"
        yield Line("ok", "skill", f"{name} ({skill.origin}): {commands}")
    yield Line(
        "ok",
        "pools",
        "; ".join(f"{pool}: {', '.join(names)}" for pool, names in pools_of(skills).items()) or "none",
    )
    yield from _webhooks(bot, skills)
    yield from _more(SKILLS, "skill", bot.settings.bot.skills)
    used = {account["platform"] for account in bot.settings.accounts.values()}
    for found in discover(ADAPTERS):
        if found.name not in used:
            yield Line("note", "adapter", f"{found.name} ({found.origin}) is installed; no account uses it")


def _more(group: str, what: str, enabled: Collection[str]) -> Iterator[Line]:
    for found in discover(group):
        if found.name not in enabled:
            text = f"{found.name} ({found.origin}) is installed but not enabled: add it to [bot] {what}s"
            yield Line("note", what, text)


def _plugins(settings: Settings) -> Iterator[Line]:
    problems: Problems = {}
    try:
        plugins = load_plugins(settings, problems=problems)
    except DragomanError as error:
        yield Line("bad", "plugins", str(error))
        return
    for problem in problems.values():
        yield Line("bad", "plugin", f"{problem}; the bot would start without it")
    for name in plugins.names:
        yield Line("ok", "plugin", name)
    yield from _more(PLUGINS, "plugin", settings.bot.plugins)


def _webhooks(bot: BotContext, skills: Mapping[str, Skill]) -> Iterator[Line]:
    web = bot.settings.web
    for name, skill in skills.items():
        paths = [h.trigger.path for h in skill.manifest().handlers if isinstance(h.trigger, WebhookTrigger)]
        hook = bot.settings.webhooks.get(name)
        if paths and not (hook and hook.secret):
            yield Line(
                "bad", "webhook", f"{name} has no secret, so every call is refused: set [webhooks.{name}] secret"
            )
        elif paths:
            urls = ", ".join(f"http://{web.host}:{web.port}/hooks/{name}{path}" for path in paths)
            yield Line("ok", "webhook", f"{name}: {urls}")


def _broker(bot: BotContext) -> Iterator[Line]:
    if bot.in_memory:
        yield Line("note", "broker", "memory:// keeps nothing: for trying out, in one process")
        return
    if bot.embedded is not None and not bot.embedded.ready():
        try:
            bot.embedded.command()
        except DragomanError as error:
            yield Line("bad", "broker", str(error))
        else:
            yield Line("ok", "broker", "embedded; `dragoman run` starts it")
        return
    try:
        bot.broker.depth(bot.topology.router_queue().name)
    except DragomanError as error:
        yield Line("bad", "broker", f"{error}; start it, or correct [broker] url")
    else:
        yield Line("ok", "broker", bot.broker.safe_url)


def _store(bot: BotContext) -> Iterator[Line]:
    try:
        engine = bot.open_store()
    except DragomanError as error:
        yield Line("bad", "store", f"{error}; correct [store] url or [run] data")
    else:
        yield Line("ok", "store", engine.url.render_as_string(hide_password=True))
        engine.dispose()


def _accounts(settings: Settings) -> Iterator[Line]:
    if not settings.accounts:
        yield Line("note", "accounts", "none yet: add [accounts.NAME], or try `dragoman chat`")
        return
    for name in settings.accounts:
        try:
            (adapter,) = make_adapters(settings, [name]).values()
            yield Line("ok", "account", f"{name}: {asyncio.run(_ask(adapter))}")
        except DragomanError as error:
            yield Line("bad", "account", f"{name}: {error}")
        except TimeoutError:
            yield Line(
                "bad",
                "account",
                f"{name}: the platform did not answer within {PATIENCE:g} s; is there a network?",
            )


async def _ask(adapter: Adapter) -> str:
    try:
        return await asyncio.wait_for(adapter.check(), PATIENCE)
    finally:
        await adapter.close()
