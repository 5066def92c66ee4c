"""``dragoman queues``, ``pause``, ``resume``, ``drain``, ``scale`` and ``purge``: while the bot runs, and kept."""

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from .errors import SettingsError
from .reporting import reports_errors

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from .store.controls import State

__all__ = ["QUEUE_COMMANDS"]


@click.command("queues")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
@reports_errors
def queues(state: Any, as_json: bool) -> None:
    """Show what waits in each queue, how old it is, how fast it goes, who takes from it, and what is paused."""
    from .queues import list_queues, show_queues
    from .roles import BotContext

    settings = state.settings
    bot = BotContext.of(settings)
    with state.store() as engine:
        rows, problem = list_queues(engine, bot.broker, tuple(settings.accounts))
    if as_json:
        click.echo(json.dumps([row._asdict() for row in rows], indent=2))
    else:
        show_queues(rows)
    if problem:
        click.echo(f"dragoman: {problem}; what waits there is not known", err=True)
        sys.exit(1)


@click.command("pause")
@click.argument("skill")
@click.option("--reason", default="paused by an operator", help="Shown by `dragoman queues`.")
@click.pass_obj
@reports_errors
def pause(state: Any, skill: str, reason: str) -> None:
    """Stop running SKILL until `dragoman resume`: what runs is finished, what is asked of it waits."""
    _say(state, skill, "paused", reason)
    click.echo(f"{skill} is paused; what it is asked waits for `dragoman resume {skill}`")


@click.command("resume")
@click.argument("skill")
@click.pass_obj
@reports_errors
def resume(state: Any, skill: str) -> None:
    """Let SKILL run again, and get new runs again."""
    _say(state, skill, "running", "")
    click.echo(f"{skill} runs")


@click.command("drain")
@click.argument("skill")
@click.option("--reason", default="taken out of service by an operator", help="Shown by `dragoman queues`.")
@click.pass_obj
@reports_errors
def drain(state: Any, skill: str, reason: str) -> None:
    """Take SKILL out of service: it gets no new runs, people are told so, and what waits is worked off."""
    _say(state, skill, "draining", reason)
    click.echo(f"{skill} gets no new runs; `dragoman queues` shows what is left, `dragoman resume {skill}` ends it")


@click.command("scale")
@click.argument("skill")
@click.argument("number", type=click.IntRange(0, 1000))
@click.pass_obj
@reports_errors
def scale(state: Any, skill: str, number: int) -> None:
    """Have at most NUMBER runs of SKILL at once in each worker; 0: as many as its settings say."""
    from .store.controls import set_concurrency

    with state.store() as engine:
        _known(engine, skill)
        with engine.begin() as connection:
            set_concurrency(connection, skill, number or None)
    click.echo(f"{skill}: at most {number} at once in each worker" if number else f"{skill}: as its settings say")


@click.command("purge")
@click.argument("skill")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@reports_errors
def purge(state: Any, skill: str, yes: bool) -> None:
    """Throw away what waits for SKILL. What runs goes on; nobody is told."""
    from .roles import BotContext
    from .store.controls import purge_runs
    from .store.engine import reading
    from .store.standing import backlogs

    bot = BotContext.of(state.settings)
    with state.store() as engine:
        _known(engine, skill)
        with reading(engine) as connection:
            backlog = backlogs(connection).get(("skill", skill))
        waiting = backlog.waiting if backlog is not None else 0
        if not yes:
            click.confirm(f"Throw away {waiting} runs that wait for {skill}?", abort=True)
        before, purged = time.time(), 0
        while True:
            with engine.begin() as connection:
                some = purge_runs(connection, skill, before)
            purged += some
            if not some:
                break
        # A run that was asked for in this moment is in the ledger, which publishes it again.
        if not bot.in_memory:
            bot.broker.purge(bot.topology.skill_queue(skill).name)
    click.echo(f"purged {purged}")


#: All of them, for the ``dragoman`` command.
QUEUE_COMMANDS = (queues, pause, resume, drain, scale, purge)


def _say(state: Any, skill: str, what: "State", reason: str) -> None:
    from .store.controls import set_state

    with state.store() as engine:
        _known(engine, skill)
        with engine.begin() as connection:
            set_state(connection, skill, what, reason)


def _known(engine: "Engine", skill: str) -> None:
    """Raises SettingsError: no worker has published such a skill, and nothing waits for one."""
    import difflib

    from .store.catalogue import Reader
    from .store.controls import read_controls
    from .store.engine import reading
    from .store.standing import backlogs

    with reading(engine) as connection:
        waiting = {name for kind, name in backlogs(connection) if kind == "skill"}
        known = {manifest.name for manifest in Reader(engine).manifests} | waiting | set(read_controls(connection))
    if skill not in known:
        near = difflib.get_close_matches(skill, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(known)) or 'none'}"
        raise SettingsError(f"no worker has published a skill {skill!r}: {hint}")
