"""The command line. Each command says what it does in its help; what it does is elsewhere."""

import contextlib
import gc
import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from . import logs
from .dead_commands import dead
from .errors import DragomanError
from .may import may
from .new import new
from .queue_commands import QUEUE_COMMANDS
from .reporting import reports_errors
from .settings import Settings, load
from .skill_commands import SKILL_COMMANDS
from .store_commands import store
from .supervisor import stop_with_parent
from .why_commands import tail, why

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["cli", "main"]

Function = TypeVar("Function", bound=Callable[..., Any])


class State:
    """What the options before the command say. Settings are read when a command asks for them."""

    def __init__(self, config: Path | None, level: str) -> None:
        self.config = config
        self.level = level

    @property
    def settings(self) -> Settings:
        return load(self.config)

    @property
    def options(self) -> list[str]:
        """The same options, for another process."""
        return [*(["--config", str(self.config)] if self.config else []), "--log-level", self.level]

    @contextlib.contextmanager
    def store(self) -> Iterator["Engine"]:
        """The store of the settings, as long as the block lasts."""
        from .store.engine import open_store

        engine = open_store(self.settings.store_url)
        try:
            yield engine
        finally:
            engine.dispose()


class Commands(click.Group):
    """The commands here, and those that adapters and plugins bring (the hook ``dragoman_commands``)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from .plugins import ADAPTERS, PLUGINS, discover, load_commands

        names = set(super().list_commands(ctx))
        for name in {found.name for group in (ADAPTERS, PLUGINS) for found in discover(group)} - names:
            try:
                if name in load_commands(name):
                    names.add(name)
            except DragomanError as error:  # the help of all the others is still good
                click.echo(f"dragoman: {error}", err=True)
        return sorted(names)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        command = super().get_command(ctx, name)
        if command is None:
            from .plugins import load_commands

            command = load_commands(name).get(name)
        return command


def strict(function: Function) -> Function:
    return click.option("--strict", is_flag=True, help="Do not start without a plugin that is broken.")(function)


def supervised(function: Function) -> Function:
    return click.option("--supervised", is_flag=True, hidden=True, help="End with the parent process.")(function)


def watchable(function: Function) -> Function:
    return click.option(
        "--watch-port",
        type=click.IntRange(0, 65500),
        default=0,
        help="Tell here how it is: /metrics, /live and /ready (0: nowhere).",
    )(function)


def watched_at(settings: Settings, port: int) -> Settings:
    """``[watch] port`` is for ``dragoman run``: of its parts, each has a port of its own."""
    return settings.model_copy(update={"watch": settings.watch.model_copy(update={"port": port})})


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", type=click.Path(path_type=Path), help="The settings file (default: dragoman.toml here).")
@click.option(
    "--log-level",
    default="info",
    show_default=True,
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="How much to log.",
)
@click.version_option(package_name="dragoman")
@click.pass_context
def cli(ctx: click.Context, config: Path | None, log_level: str) -> None:
    """Write a chat skill once; it runs on every platform."""
    ctx.obj = State(config, log_level)


@cli.command()
@click.option("--reload", is_flag=True, help="Start the workers anew when the skills or their settings change.")
@strict
@click.pass_obj
@reports_errors
def run(state: State, reload: bool, strict: bool) -> None:
    """Run the whole bot on this machine: broker, gateway, router, workers, and the web server if it is needed."""
    from .bot import run_bot

    settings = state.settings.strictly() if strict else state.settings
    logs.set_up("run", state.level, settings.run.log)
    sys.exit(run_bot(settings, state.options, reload=reload, config=state.config))


@cli.command()
@click.option("--account", "accounts", multiple=True, help="Only this account (may be repeated).")
@supervised
@watchable
@click.pass_obj
@reports_errors
def gateway(state: State, accounts: tuple[str, ...], supervised: bool, watch_port: int) -> None:
    """Connect the accounts to the exchange."""
    from .roles import run_gateway

    _start("gateway", state, supervised)
    run_gateway(watched_at(state.settings, watch_port), accounts, supervised=supervised)


@cli.command()
@supervised
@watchable
@click.pass_obj
@reports_errors
def router(state: State, supervised: bool, watch_port: int) -> None:
    """Match events to skills and enqueue their tasks; let happen what is due."""
    from .roles import run_router

    _start("router", state, supervised)
    run_router(watched_at(state.settings, watch_port), supervised=supervised)


@cli.command()
@supervised
@watchable
@click.pass_obj
@reports_errors
def web(state: State, supervised: bool, watch_port: int) -> None:
    """Listen for the skills' webhooks."""
    from .roles import run_web

    _start("web", state, supervised)
    run_web(watched_at(state.settings, watch_port), supervised=supervised)


@cli.command()
@click.option("--pool", help="Only this pool, in this process (default: a process for each pool).")
@click.option("--skill", "skills", multiple=True, help="Only this skill's queue (may be repeated).")
@click.option("--concurrency", type=click.IntRange(1, 1000), help="Tasks in flight at once.")
@click.option("--of-run", is_flag=True, hidden=True, help="Started by `dragoman run`, which publishes the skills.")
@strict
@supervised
@watchable
@click.pass_obj
@reports_errors
def worker(
    state: State,
    pool: str | None,
    skills: tuple[str, ...],
    concurrency: int | None,
    of_run: bool,
    strict: bool,
    supervised: bool,
    watch_port: int,
) -> None:
    """Run skills: a Celery worker for each pool, or one of them."""
    settings = watched_at(state.settings.strictly() if strict else state.settings, watch_port)
    if pool is None and not skills:
        if concurrency is not None:
            raise click.UsageError("--concurrency is for one worker: add --pool or --skill")
        from .bot import run_pools

        logs.set_up("workers", state.level, settings.run.log)
        sys.exit(run_pools(settings, state.options))
    from .roles import run_worker

    pool = pool or skills[0]
    _start(f"worker {pool}", state, supervised)
    sys.exit(run_worker(settings, pool, skills, concurrency, state.level, supervised=supervised, alone=not of_run))


@cli.command()
@click.option("--user", default="you", show_default=True, help="Who you are.")
@click.option("--skill", "skills", multiple=True, help="Enable this skill too (may be repeated).")
@click.pass_obj
@reports_errors
def chat(state: State, user: str, skills: tuple[str, ...]) -> None:
    """Talk to the skills in this terminal: no broker, no account."""
    from .chat import run_chat

    level = state.level if state.level != "info" else "warning"
    logs.set_up("chat", level)
    run_chat(state.settings, user, skills)


@cli.command()
@strict
@click.pass_obj
@reports_errors
def check(state: State, strict: bool) -> None:
    """Verify settings, plugins, broker, store and tokens; a line for each, with what to do."""
    from .check import run_check

    quiet = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # the lines say it all
    try:
        well = run_check(state.config, strict=strict)
    finally:
        logging.disable(quiet)
    sys.exit(0 if well else 1)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
@reports_errors
def plugins(state: State, as_json: bool) -> None:
    """List skills, adapters and plugins: what is loaded, from where, with which hooks."""
    from .listing import list_plugins, show_plugins

    rows = list_plugins(state.settings)
    if as_json:
        click.echo(json.dumps([row._asdict() for row in rows], indent=2))
    else:
        show_plugins(rows)


@cli.command()
@click.option("--markdown", "as_markdown", is_flag=True, help="Print only the table, as Markdown.")
@reports_errors
def adapters(as_markdown: bool) -> None:
    """List the installed adapters and what each platform can do."""
    from rich.console import Console

    from .platforms import markdown, read_platforms, show_platforms

    platforms = read_platforms()
    if as_markdown:
        click.echo(markdown(platforms))
    else:
        show_platforms(platforms, Console(highlight=False))


@cli.command()
def schema() -> None:
    """Print the JSON Schema of what is on the wire, for clients in any language."""
    from . import wire

    click.echo(json.dumps(wire.schema(), indent=2))


cli.add_command(dead)
cli.add_command(store)
cli.add_command(new)
cli.add_command(may)
cli.add_command(tail)
cli.add_command(why)
for _command in (*QUEUE_COMMANDS, *SKILL_COMMANDS):
    cli.add_command(_command)


def _start(role: str, state: State, supervised: bool) -> None:
    logs.set_up(role, state.level, state.settings.run.log)
    # What was imported stays: looking through it for garbage again and again takes a tenth of a busy part's time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    if supervised:
        stop_with_parent()


def main() -> None:
    """The ``dragoman`` command."""
    # A plugin that brings commands may be broken before any command of ours runs.
    reports_errors(cli)(prog_name="dragoman")
