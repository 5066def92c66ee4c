"""``dragoman may USER COMMAND``: may they, and which rule says so."""

import difflib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from .reporting import reports_errors

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from .access import Decision
    from .event import EventBase, Person
    from .manifest import HandlerManifest, SkillManifest
    from .settings import Settings

__all__ = ["may"]

#: The exit status when it is not allowed.
NOT_ALLOWED: Final = 1
#: The account that `dragoman chat` has.
CONSOLE: Final = "console"


@click.command()
@click.option("--account", metavar="NAME", help="Asked on this account (default: the one that knows them).")
@click.option("--channel", metavar="CHANNEL", help="Asked there: an id or #name (default: in a direct message).")
@click.argument("user")
@click.argument("command", nargs=-1, required=True)
@click.pass_obj
@reports_errors
def may(state: Any, user: str, command: tuple[str, ...], account: str | None, channel: str | None) -> None:
    """Explain whether USER may run COMMAND, rule by rule.

    USER is a person's id, account:id or name. COMMAND is a command's name, or skill.handler. The exit status is 0 if
    they may, and 1 if not.
    """
    from .roles import BotContext

    settings = state.settings
    bot = BotContext.of(settings)
    skills = {name: skill.manifest() for name, skill in bot.skills().items()}
    skill, handler = find_command(skills, " ".join(command), settings.bot.prefixes)
    engine = bot.open_store()
    try:
        who = find_person(engine, settings, user, account)
        event = make_event(engine, who, handler, channel)
    finally:
        engine.dispose()
    decision, lines = explain_decision(settings, who, event, skill, handler)
    for line in lines:
        click.echo(line)
    sys.exit(0 if decision.allowed else NOT_ALLOWED)


@dataclass(frozen=True, slots=True)
class Who:
    """Whom it is about; ``known`` is whether the directory has them."""

    account: str
    tenant: str
    person: "Person"
    known: bool

    def __str__(self) -> str:
        return self.person.name or self.person.id


def find_command(
    skills: "Mapping[str, SkillManifest]", said: str, prefixes: tuple[str, ...] = ()
) -> "tuple[str, HandlerManifest]":
    """The skill's name and the handler.

    Raises:
        click.UsageError: there is none; the message names the nearest.
    """
    known: dict[str, tuple[str, HandlerManifest]] = {}
    for name, skill in skills.items():
        for handler in skill.handlers:
            known[f"{name}.{handler.name}".casefold()] = (name, handler)
    for name, skill in skills.items():
        for handler in skill.handlers:
            known.update({alias.casefold(): (name, handler) for alias in handler.names})
    wanted = " ".join(said.casefold().split())
    for prefix in ("", "/", *prefixes):
        if found := known.get(wanted.removeprefix(prefix)):
            return found
    near = sorted(name for name in known if name.startswith(f"{wanted} "))[:3] or difflib.get_close_matches(
        wanted, known, n=1
    )
    hint = f"; did you mean {' or '.join(near)}?" if near else f" (there are: {', '.join(sorted(known)) or 'none'})"
    raise click.UsageError(f"no enabled skill has the command {said!r}{hint}")


def find_person(engine: "Engine", settings: "Settings", said: str, account: str | None) -> Who:
    """Whom the directory has by this id, ``account:id`` or name; else somebody of whom only the id is known.

    Raises:
        click.UsageError: there is no such account, or it could be several people.
    """
    from .address import ANY_TENANT
    from .event import Person
    from .store.directory import find_people
    from .store.engine import reading

    if account is not None and account not in (settings.accounts or (CONSOLE,)):
        near = difflib.get_close_matches(account, settings.accounts, n=1)
        hint = (
            f"; did you mean {near[0]}?" if near else f" (there are: {', '.join(sorted(settings.accounts)) or 'none'})"
        )
        raise click.UsageError(f"there is no account {account!r} in the settings{hint}")
    found: dict[tuple[str, str], Who] = {}
    with reading(engine) as connection:
        people = find_people(connection, said)
    for (home, tenant, id), told in people.items():
        if account is None or home == account:
            # Of several workspaces, the one that told of them last comes first.
            found.setdefault((home, id), Who(home, tenant, told.person, True))
    named, colon, id = said.partition(":")
    if exact := found.get((named, id)):
        return exact
    if len(found) > 1:
        several = ", ".join(f"{home}:{id}" for home, id in found)
        raise click.UsageError(f"{said!r} could be {several}: name one of these")
    for who in found.values():
        return who
    if colon and id and (named in settings.accounts or named == account):
        return Who(named, ANY_TENANT, Person(id=id), False)
    if account is None and len(settings.accounts) > 1:
        raise click.UsageError(
            f"the directory does not know {said!r}, so say on which account: --account {' or '.join(settings.accounts)}"
        )
    home = account or next(iter(settings.accounts), CONSOLE)
    return Who(home, ANY_TENANT, Person(id=said), False)


def make_event(engine: "Engine", who: Who, handler: "HandlerManifest", channel: str | None) -> "EventBase":
    """What would happen: they ask for it, there.

    Raises:
        click.UsageError: the channel is neither an id nor a name.
    """
    from .access import UNASKED
    from .address import Address
    from .event import EventBase
    from .store.directory import read_channel, read_channel_by_name
    from .store.engine import reading

    kind = handler.trigger.kind if handler.trigger.kind in UNASKED else "message"
    if channel is None:
        address = Address(account=who.account, tenant=who.tenant, channel="@")
        return EventBase(kind=kind, key="may", address=address, conversation="direct", person=who.person)
    if not 0 < len(channel) <= 256:
        raise click.UsageError("--channel is an id, or a name with # in front")
    read = read_channel_by_name if channel.startswith("#") else read_channel
    with reading(engine) as connection:
        known = read(connection, who.account, who.tenant, channel)
    name = known.channel.name if known is not None else channel[1:] if channel.startswith("#") else ""
    place = known.channel.id if known is not None else channel
    address = Address(account=who.account, tenant=who.tenant, channel=place)
    return EventBase(
        kind=kind, key="may", address=address, channel_name=name, conversation="channel", person=who.person
    )


def explain_decision(
    settings: "Settings", who: Who, event: "EventBase", skill: str, handler: "HandlerManifest"
) -> "tuple[Decision, list[str]]":
    """What is decided, and the lines that say why."""
    from .access import UNASKED, shown

    access = settings.access
    decision = access.decide(who.person, event, skill, handler)
    lines = [f"{who} {'may' if decision.allowed else 'may not'} run {shown(handler)}: {decision.reason}"]
    lines.extend(f"  {line}" for line in _about(settings, who, event))
    if event.kind not in UNASKED:
        tried = list(access.consider(who.person, event, skill, handler))
        for rule in tried:
            outcome = "matches" if rule.matches else "does not match"
            lines.append(f"  rule {rule.number} ({rule.rule}) {outcome}: {rule.why}")
        if left := len(settings.rules) - len(tried):
            lines.append(f"  {left} more {'rules were' if left > 1 else 'rule was'} not tried: the first match decides")
    if decision.say and handler.names:  # who was only overheard is told nothing
        lines.append(f"  they are told: {decision.say}")
    return decision, lines


def _about(settings: "Settings", who: Who, event: "EventBase") -> Iterator[str]:
    roles = ", ".join(sorted(settings.access.roles_of(who.person, who.account))) or "none"
    if who.known:
        yield f"{who} is {who.account}:{who.person.id}; roles: {roles}"
    else:
        yield (
            f"the directory does not know them yet, so this is for the id {who.person.id} on {who.account}, without "
            f"a name or the platform's roles; roles: {roles}"
        )
    if event.conversation == "direct":
        yield "asked in a direct message"
    else:
        name = f"#{event.channel_name}" if event.channel_name else "a channel whose name is not known"
        yield f"asked in {name} ({event.address.channel})"
