"""``dragoman dead``: list, show, replay and drop what has failed for good, while the bot runs."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .errors import SettingsError
from .redaction import redact
from .reporting import reports_errors
from .store.dead import KINDS, DeadLetter, Filters

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from .manifest import SkillManifest

__all__ = ["dead"]

Function = TypeVar("Function", bound=Callable[..., Any])

#: How many of those that are asked about are named in the question.
NAMED = 10
#: How many are written in one transaction.
AT_ONCE = 200


class Ago(click.ParamType[float]):
    """A length of time such as ``2h30m``: the unix time that was so long ago."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from .duration import parse_duration

        try:
            return time.time() - parse_duration(str(value)).total_seconds()
        except (ValueError, OverflowError) as error:
            self.fail(str(error), param, ctx)


def filtered(function: Function) -> Function:
    """The options that choose dead letters."""
    options = (
        click.option("--skill", metavar="NAME", help="Only this skill's."),
        click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only these; repeatable."),
        click.option("--account", metavar="NAME", help="Only this account's."),
        click.option("--since", type=Ago(), metavar="TIME", help="Parked at most so long ago, such as 2h or 3d."),
        click.option("--error", metavar="TEXT", help="Only those with this in their error."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@click.group()
def dead() -> None:
    """Look after what has failed for good: runs, events, actions and messages.

    A reference is the one that a person was told, or that `dragoman dead list` shows.
    """


@dead.command("list")
@filtered
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many, the latest.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_obj
@reports_errors
def list_command(state: Any, /, limit: int, as_json: bool, **chosen: Any) -> None:
    """Show the dead letters, the latest first."""
    from . import dead as telling
    from .store.dead import list_letters
    from .store.engine import reading

    with state.store() as engine, reading(engine) as connection:
        letters = list_letters(connection, _filters(chosen), limit + 1)
    shown = letters[:limit]
    if as_json:
        click.echo(telling.as_json(shown))
        return
    if not shown:
        click.echo("no dead letters" + (" like that" if any(chosen.values()) else ""))
        return
    telling.show_letters(shown)
    if len(letters) > limit:
        click.echo(f"there are more than {limit}: see --limit, or choose with --skill, --kind, --since, --error")


@dead.command("show")
@click.argument("reference")
@click.pass_obj
@reports_errors
def show_command(state: Any, /, reference: str) -> None:
    """Tell all that is known of one."""
    from . import dead as telling
    from .store.dead import find_letters
    from .store.engine import reading

    with state.store() as engine, reading(engine) as connection:
        (letter,) = find_letters(connection, [reference])
        for line in telling.show_letter(letter):
            click.echo(line)


@dead.command("replay")
@click.argument("references", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them, or all that the options below choose.")
@filtered
@click.option("--to", metavar="SKILL", help="Give the runs to this skill, which has handlers of the same names.")
@click.option("--yes", is_flag=True, help="Do not ask before --all.")
@click.pass_obj
@reports_errors
def replay_command(
    state: Any, /, references: tuple[str, ...], everything: bool, to: str | None, yes: bool, **chosen: Any
) -> None:
    """Put dead letters back, to be tried again. What the bot has said already is not said again."""
    from .store.replaying import replay

    replayed = 0
    problems: list[str] = []
    with state.store() as engine:
        manifest = _skill(engine, to) if to is not None else None
        letters = _letters(engine, references, everything, _filters(chosen))
        if letters and everything and not yes:
            _confirm("Replay", letters)
        for some in _chunks(letters):
            with engine.begin() as connection:
                done = replay(connection, some, manifest)
            replayed += done.replayed
            problems += done.problems
    click.echo(f"replayed {replayed}")
    for problem in problems:
        click.echo(redact(f"dragoman: {problem}"), err=True)
    if problems:
        sys.exit(1)


@dead.command("drop")
@click.argument("references", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them, or all that the options below choose.")
@filtered
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
@reports_errors
def drop_command(state: Any, /, references: tuple[str, ...], everything: bool, yes: bool, **chosen: Any) -> None:
    """Throw dead letters away: they cannot be replayed then."""
    from .store.replaying import drop

    with state.store() as engine:
        letters = _letters(engine, references, everything, _filters(chosen))
        if letters and not yes:
            _confirm("Drop", letters)
        dropped = 0
        for some in _chunks(letters):
            with engine.begin() as connection:
                dropped += drop(connection, some)
    click.echo(f"dropped {dropped}")


def _filters(chosen: dict[str, Any]) -> Filters:
    kinds = chosen.pop("kinds") or KINDS
    return Filters(kinds=kinds, **chosen)


def _letters(engine: "Engine", references: Sequence[str], everything: bool, filters: Filters) -> list[DeadLetter]:
    """Raises SettingsError: neither or both of the two ways to say which."""
    from .store.dead import find_letters, list_letters
    from .store.engine import reading

    if everything == bool(references):
        raise SettingsError("say which: references such as 1A2B3C4D, or --all with or without options that choose")
    if references and filters != Filters():
        raise SettingsError("--skill, --kind, --account, --since and --error choose among --all, not among references")
    with reading(engine) as connection:
        return list_letters(connection, filters) if everything else find_letters(connection, references)


def _chunks(letters: Sequence[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """The oldest first, and so many at once that nobody waits long for the store."""
    ordered = sorted(letters, key=lambda letter: letter.at)
    return (ordered[begin : begin + AT_ONCE] for begin in range(0, len(ordered), AT_ONCE))


def _confirm(verb: str, letters: Sequence[DeadLetter]) -> None:
    for letter in letters[:NAMED]:
        place = f"{letter.skill}.{letter.what}" if letter.kind == "run" else letter.what
        click.echo(f"{letter.reference} {letter.kind} {place}")
    if len(letters) > NAMED:
        click.echo(f"and {len(letters) - NAMED} more")
    click.confirm(f"{verb} {len(letters)}?", abort=True)


def _skill(engine: "Engine", name: str) -> "SkillManifest":
    """Raises SettingsError: no worker has published it."""
    from .store.catalogue import Reader

    reader = Reader(engine)
    reader.refresh()
    known = {manifest.name: manifest for manifest in reader.manifests}
    if name not in known:
        raise SettingsError(f"no worker has published a skill {name!r}: there are {', '.join(known) or 'none'}")
    return known[name]
