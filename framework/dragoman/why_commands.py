"""``dragoman why`` and ``dragoman tail``: what happened to one message, and what happens now."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from .redaction import redact
from .reporting import reports_errors

if TYPE_CHECKING:
    pass

__all__ = ["tail", "why"]

#: The exit status when the ledger knows nothing of it.
UNKNOWN = 1


@click.command()
@click.argument("message")
@click.pass_obj
@reports_errors
def why(state: Any, message: str) -> None:
    """Tell what happened to MESSAGE, and why the bot did or did not answer.

    MESSAGE is the link of a message in Slack or Discord, the platform's id of one, a reference such as 1A2B3C4D, or an
    event's key. Of a message of the bot's own, it tells what made it.
    """
    from .match import Routes
    from .store.catalogue import Reader
    from .store.engine import reading
    from .why import NotFound, Why

    settings = state.settings
    with state.store() as engine:
        reader = Reader(engine)
        reader.refresh()
        routes = Routes(reader.manifests, settings.bot.prefixes, settings.access, settings.bot.timezone)
        with reading(engine) as connection:
            try:
                for line in Why(connection, routes, _links(settings)).tell(message):
                    click.echo(redact(line))
            except NotFound as error:
                click.echo(redact(f"dragoman: {error}"), err=True)
                sys.exit(UNKNOWN)


@click.command()
@click.option("--account", help="Only this account's.")
@click.option("--skill", help="Only this skill's runs, and what they say.")
@click.option("--kind", help="Only events and actions of this kind, such as message or send.")
@click.option("--json", "as_json", is_flag=True, help="An object on each line, for programs.")
@click.pass_obj
@reports_errors
def tail(state: Any, account: str | None, skill: str | None, kind: str | None, as_json: bool) -> None:
    """Show what happens, as it happens, until Ctrl-C: a line for each step of a message's way."""
    import json
    import time

    from .tail import Tail, shown

    with state.store() as engine:
        steps = Tail(engine, account=account, skill=skill, kind=kind)
        try:
            while True:
                for step in steps.look():
                    click.echo(redact(json.dumps(step) if as_json else shown(step)))
                time.sleep(0.3)
        except KeyboardInterrupt:
            return


def _links(settings: Any) -> list[Callable[[str], tuple[str, str] | None]]:
    """What reads the links of the platforms that there are accounts on."""
    from .plugins import load_adapters

    problems: dict[str, str] = {}
    platforms = {str(account["platform"]) for account in settings.accounts.values()}
    return [adapter.read_link for adapter in load_adapters(platforms, strict=False, problems=problems).values()]
