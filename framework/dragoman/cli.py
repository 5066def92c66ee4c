"""The command line. Each command says what it does in its help; what it does is elsewhere."""

import gc
import json
import logging
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from . import logs
from .errors import BrokerError, DragomanError, StoreError
from .settings import Settings, load
from .supervisor import CONFIG_ERROR, stop_with_parent

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


class Commands(click.Group):
    """The commands here, and those that adapters bring (the hook ``dragoman_commands``)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from .plugins import ADAPTERS, discover

        return sorted(
            {
                *super().list_commands(ctx),
                *(found.name for found in discover(ADAPTERS) if found.name != "console"),
            }
        )

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        command = super().get_command(ctx, name)
        if command is None:
            from .plugins import load_commands

            command = load_commands(name).get(name)
        return command


def supervised(function: Function) -> Function:
    return click.option("--supervised", is_flag=True, hidden=True, help="End with the parent process.")(function)


def reports_errors(function: Function) -> Function:
    """An error that Dragoman raises on purpose is a line for people, and the exit status 78: do not try again."""

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except DragomanError as error:
            click.echo(f"dragoman: {error}", err=True)
            # A store or a broker that is away comes back: a supervisor should try again.
            sys.exit(1 if isinstance(error, StoreError | BrokerError) else CONFIG_ERROR)

    return wrapper  # type: ignore[return-value]  # the same signature


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
@click.pass_obj
@reports_errors
def run(state: State) -> None:
    """Run the whole bot on this machine: broker, gateway, router and workers."""
    from .bot import run_bot

    logs.set_up("run", state.level)
    sys.exit(run_bot(state.settings, state.options))


@cli.command()
@click.option("--account", "accounts", multiple=True, help="Only this account (may be repeated).")
@supervised
@click.pass_obj
@reports_errors
def gateway(state: State, accounts: tuple[str, ...], supervised: bool) -> None:
    """Connect the accounts to the exchange."""
    from .roles import run_gateway

    _start("gateway", state, supervised)
    run_gateway(state.settings, accounts, supervised=supervised)


@cli.command()
@supervised
@click.pass_obj
@reports_errors
def router(state: State, supervised: bool) -> None:
    """Match events to skills and enqueue their tasks."""
    from .roles import run_router

    _start("router", state, supervised)
    run_router(state.settings, supervised=supervised)


@cli.command()
@click.option("--pool", help="Only this pool, in this process (default: a process for each pool).")
@click.option("--skill", "skills", multiple=True, help="Only this skill's queue (may be repeated).")
@click.option("--concurrency", type=click.IntRange(1, 1000), help="Tasks in flight at once.")
@supervised
@click.pass_obj
@reports_errors
def worker(state: State, pool: str | None, skills: tuple[str, ...], concurrency: int | None, supervised: bool) -> None:
    """Run skills: a Celery worker for each pool, or one of them."""
    if pool is None and not skills:
        if concurrency is not None:
            raise click.UsageError("--concurrency is for one worker: add --pool or --skill")
        from .bot import run_pools

        logs.set_up("workers", state.level)
        sys.exit(run_pools(state.settings, state.options))
    from .roles import run_worker

    pool = pool or skills[0]
    _start(f"worker {pool}", state, supervised)
    sys.exit(run_worker(state.settings, pool, skills, concurrency, state.level, supervised=supervised))


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
@click.pass_obj
@reports_errors
def check(state: State) -> None:
    """Verify settings, plugins, broker, store and tokens; a line for each, with what to do."""
    from .check import run_check

    quiet = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # the lines say it all
    try:
        well = run_check(state.config)
    finally:
        logging.disable(quiet)
    sys.exit(0 if well else 1)


@cli.command()
def schema() -> None:
    """Print the JSON Schema of what is on the wire, for clients in any language."""
    from . import wire

    click.echo(json.dumps(wire.schema(), indent=2))


def _start(role: str, state: State, supervised: bool) -> None:
    sys.setswitchinterval(float(__import__("os").environ.get("SWI", "0.005")))
    logs.set_up(role, state.level)
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
