"""``dragoman check``: settings, plugins, broker, store and tokens; a line for each, with what to do."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.text import Text

from .accounts import make_adapters
from .adapter import Adapter
from .errors import DragomanError
from .plugins import ADAPTERS, SKILLS, discover
from .roles import BotContext, pools_of
from .settings import Settings, load

__all__ = ["Line", "check", "run_check"]

MARKS: Final = {"ok": ("ok", "green"), "note": ("--", "yellow"), "bad": ("NO", "red")}

#: Seconds that a platform may take to answer about a token.
PATIENCE: Final = 20.0


class Line(NamedTuple):
    """``status`` is ``ok``, ``note`` (nothing is wrong) or ``bad``."""

    status: str
    subject: str
    text: str


def run_check(config: Path | None) -> bool:
    """Print the lines; whether all is well."""
    console = Console(highlight=False, soft_wrap=True)
    well = True
    for line in check(config):
        mark, colour = MARKS[line.status]
        console.print(Text.assemble((f"{mark:>2}  ", colour), (f"{line.subject:<10} ", "bold"), line.text))
        well = well and line.status != "bad"
    return well


def check(config: Path | None) -> Iterator[Line]:
    """Verify one thing after another; what cannot be verified without an earlier one is left out."""
    try:
        settings = load(config)
        bot = BotContext.of(settings)
    except DragomanError as error:
        yield Line("bad", "settings", str(error))
        return
    yield Line("ok", "settings", f"bot {settings.bot.name!r} in {settings.root}")
    yield from _skills(bot)
    yield from _broker(bot)
    yield from _store(bot)
    yield from _accounts(settings)


def _skills(bot: BotContext) -> Iterator[Line]:
    try:
        skills = bot.skills()
    except DragomanError as error:
        yield Line("bad", "skills", str(error))
        return
    for name, skill in skills.items():
        commands = ", ".join(handler.name for handler in skill.manifest().commands()) or "no commands"
        yield Line("ok", "skill", f"{name} ({skill.origin}): {commands}")
    yield Line(
        "ok",
        "pools",
        "; ".join(f"{pool}: {', '.join(names)}" for pool, names in pools_of(skills).items()) or "none",
    )
    try:
        more = [found for found in discover(SKILLS) if found.name not in skills]
    except DragomanError as error:
        yield Line("bad", "plugins", str(error))
        return
    for found in more:
        yield Line(
            "note",
            "skill",
            f"{found.name} ({found.origin}) is installed but not enabled: add it to [bot] skills",
        )
    used = {account["platform"] for account in bot.settings.accounts.values()}
    for found in discover(ADAPTERS):
        if found.name not in used:
            yield Line("note", "adapter", f"{found.name} ({found.origin}) is installed; no account uses it")


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
