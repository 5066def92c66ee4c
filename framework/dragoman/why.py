"""What happened to a message, in plain words: ``dragoman why``. All of it is read from the ledger."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from . import wire
from .action import Edit, Send
from .errors import DragomanError, WireError
from .event import Event, Message, SlashCommand
from .match import Routes
from .store.history import (
    actions_for,
    before_in_line,
    event_of,
    find_events,
    find_runs,
    limits_of,
    owner_of,
    pause_of,
    runs_for,
    said_in,
)
from .trace import trace_id

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["NotFound", "Why", "shown_time"]

#: Characters of a text that are shown.
SHOWN: Final = 200
#: Letters of a run's id that are enough of a reference.
REFERENCE: Final = 8

REASONS: Final = {
    "rule": "may not run: {detail}",
    "arguments": "was asked for, but what was said does not fit: {detail}",
    "cooldown": "was used too often; it may be used again {detail} s after that",
    "draining": "is being taken out of service, so it gets nothing new",
    "dropped": "a plugin's filter dropped it, so it was for nobody",
}


class NotFound(DragomanError):
    """The ledger knows nothing of what was asked for; the message says what to try."""


@dataclass(frozen=True)
class Why:
    """Answers for one store.

    Args:
        routes: the catalogue as it is now.
        read_links: for each platform, what reads its links: (channel, message), or ``None``.
        clock: unix seconds.
    """

    connection: "Connection"
    routes: Routes
    read_links: Sequence[Callable[[str], tuple[str, str] | None]] = ()
    clock: Callable[[], float] = time.time

    def tell(self, asked: str) -> Iterator[str]:
        """The lines about what was asked for: a link, an event's key, a run's reference or a message's id.

        Raises:
            NotFound: the ledger has none of it.
        """
        asked = asked.strip().strip("`<>")
        link = next((found for read in self.read_links if (found := read(asked)) is not None), None)
        if link is None and asked.startswith(("https://", "http://")):
            raise NotFound(f"{asked} is no link to a message of a platform that this bot has an account on")
        keys = self._events(asked, link)
        said = [] if keys else said_in(self.connection, *((link[1], link[0]) if link else (asked,)))
        if not keys and not said:
            raise NotFound(
                f"the ledger knows nothing of {asked}: it may be older than [store] retention_days, the bot may not "
                "have been in that channel or not running, or it was no message that the platform tells bots of"
            )
        for key in said:
            yield from self._said(key)
        for number, key in enumerate(keys):
            if number:
                yield ""
            yield from self._event(key)

    def _events(self, asked: str, link: tuple[str, str] | None) -> list[str]:
        if link is not None:
            return self._sorted(find_events(self.connection, *link))
        if event_of(self.connection, asked) is not None:
            return [asked]
        runs = find_runs(self.connection, asked) if len(asked) >= REFERENCE else []
        if len(runs) > 1 and len({run.event_key for run in runs}) > 1:
            several = ", ".join(str(run.id) for run in runs)
            raise NotFound(f"{asked} could be each of the runs {several}: give more letters")
        return [runs[0].event_key] if runs else self._sorted(find_events(self.connection, asked))

    @staticmethod
    def _sorted(keys: Iterable[str]) -> list[str]:
        """The message itself first, then what was done to it."""
        return sorted(keys, key=lambda key: "/message/" not in key)

    def _said(self, key: str) -> Iterator[str]:
        """About a message of the bot's own."""
        event, handler = _parts(key)
        yield f"the bot said this: {_who(handler)}, for the event {event}"
        yield ""
        if event_of(self.connection, event) is None:
            yield "the ledger no longer has that event: it is older than [store] retention_days"
        else:
            yield from self._event(event)

    def _event(self, key: str) -> Iterator[str]:
        row = event_of(self.connection, key)
        if row is None:
            yield f"event {key}: the ledger no longer has it"
            return
        event: Event | None
        try:
            event = wire.decode_event(row.body)
        except WireError as error:
            event = None
            yield f"event {key}: it cannot be read: {error}"
        else:
            yield from _about(event)
        yield f"  {shown_time(row.received_at)} received by the account {row.account}{_again(row.duplicates)}"
        runs, decided = runs_for(self.connection, key), json.loads(row.decision or "[]")
        actions = actions_for(self.connection, key, runs)
        if row.state == "received":
            yield "  no router has looked at it yet: it waits in the queue of the routers; is one running?"
        elif row.state == "parked":
            yield f"  the router could not route it, and it is parked: {row.error}"
        else:
            for place, why, detail in decided:
                yield f"  {place or 'nobody'}: {REASONS.get(why, why + ' {detail}').format(detail=detail)}"
            if event is not None and not runs and not decided:
                yield from (f"  {line}" for line in self._nobody(event, answered=bool(actions)))
        for run in runs:
            yield from (f"  {line}" for line in self._run(run))
        for action in actions:
            yield from (f"  {line}" for line in self._action(action))
        if not actions and row.state == "routed":
            yield "  nothing was said about it"

    def _nobody(self, event: Event, *, answered: bool) -> Iterator[str]:
        """Why no handler was for it, by the catalogue as it is now."""
        if (today := self.routes.match(event)).matches:
            names = ", ".join(f"{match.skill}.{match.handler}" for match in today.matches)
            yield f"no handler was for it then; now {names} would be: it was not enabled when this came"
            return
        if event.person is not None and event.person.bot:
            yield "a program did it, and programs are not answered, so that two of them do not go on for ever"
            return
        if not isinstance(event, Message | SlashCommand):
            yield f"no handler is for events of the kind {event.kind}"
            return
        patterns = [
            f"{skill.name}.{handler.name}"
            for skill in self.routes.manifests
            for handler in skill.handlers
            if handler.trigger.kind == "hear"
        ]
        if today.answer is not None or answered:
            yield "it was said to the bot, but there is no such command; see what the router answered"
        elif event.addressed:
            yield "it was said to the bot, but it asks for nothing that the bot can do"
        else:
            prefixes = " or ".join(self.routes.prefixes)
            yield (
                f"it was not said to the bot: its name is not in front, nor {prefixes or 'a prefix'} with a command, "
                "and it is no direct message; so commands were not looked for"
            )
        if patterns:
            yield f"the patterns of {', '.join(patterns)} do not match it"

    def _run(self, run: Any) -> Iterator[str]:
        attempts = run.failures + run.losses + (run.earlier or 0)
        name = f"run {run.id[:REFERENCE].upper()} of {run.skill}.{run.handler}"
        if run.state == "done":
            tried = f" in attempt {attempts + 1}" if attempts else ""
            took = run.finished_at - run.created_at
            yield f"{shown_time(run.finished_at)} {name} was done{tried}, {took:.3f} s later"
        elif run.state == "parked":
            yield f"{shown_time(run.finished_at)} {name} failed for good and is parked: see dragoman dead"
        elif run.state == "skipped":
            yield f"{name} was skipped: {run.error or 'no reason is known'}"
        elif run.state == "running":
            owner = owner_of(self.connection, run.owner)
            where = f"by process {owner.pid} on {owner.host}" if owner else "by a process that has ended"
            yield f"{name} is being run, {where}; attempt {attempts + 1}"
        else:
            yield f"{name} waits: {self._waits(run)}"
        if attempts:
            lost = f", and {run.losses} lost the worker" if run.losses else ""
            yield f"  {run.failures} attempt{'' if run.failures == 1 else 's'} failed{lost}"
        if run.error and run.state != "skipped":
            yield f"  the last error: {_short(run.error)}"

    def _waits(self, run: Any) -> str:
        if (pause := pause_of(self.connection, run.skill)) is not None and pause.state == "paused":
            until = f" until {shown_time(pause.until)}" if pause.until else ""
            return f"the skill {run.skill} is paused{until}: {pause.reason}"
        if (before := before_in_line(self.connection, run)) is not None:
            return f"for the run {before[:REFERENCE].upper()}, which comes before it in this conversation"
        late = (run.due_at or 0.0) - self.clock()
        if run.failures and run.publishes == 0 and late > 0:
            return f"for its next attempt, in {late:.0f} s"
        return f"in the queue of the skill {run.skill}, for a worker that has a free slot"

    def _action(self, row: Any) -> Iterator[str]:
        _, handler = _parts(row.key)
        try:
            action = wire.decode_action(row.body)
        except WireError as error:
            yield f"an action that cannot be read: {error}"
            return
        words = f": {_short(action.content.text)!r}" if isinstance(action, Send | Edit) and action.content.text else ""
        name = f"{action.kind} by {_who(handler)}{words}"
        if row.state == "sent":
            yield f"{shown_time(row.sent_at)} {name}, as {', '.join(json.loads(row.sent_ids or '[]')) or 'no message'}"
        elif row.state == "parked":
            yield f"{name} was refused, and is parked: {_short(row.error or '')}"
        elif until := limits_of(self.connection, row.account, self.clock()):
            yield f"{name} waits: the platform wants {row.account} to be left alone until {shown_time(until)}"
        elif row.publishes == 0:
            yield f"{name} waits to be tried again, at {shown_time(row.due_at)}: the platform did not take it"
        else:
            yield f"{name} waits for the gateway of {row.account}: is it running?"


def _parts(key: str) -> tuple[str, str]:
    """Of an action's key: the event that it answers, and the handler."""
    parts = [*key.split("|"), "", ""]
    return parts[0], parts[1]


def _about(event: Event) -> Iterator[str]:
    who = f" by {event.person.name or event.person.id} ({event.person.id})" if event.person else ""
    where = f"#{event.channel_name}" if event.channel_name else event.address.channel
    place = " in a direct message" if event.conversation == "direct" else f" in {where}"
    yield f"{event.kind} {event.key}{who}{place}"
    if isinstance(event, Message):
        yield f"  said{' to the bot' if event.addressed else ''}: {_short(event.content.plain or event.content.text)!r}"
    elif isinstance(event, SlashCommand):
        yield f"  used: /{event.name} {_short(event.text)}".rstrip()
    if trace := trace_id(event.traceparent):
        yield f"  trace {trace}"


def _again(times: int | None) -> str:
    if not times:
        return ""
    return f"; it came {times} time{'s' if times > 1 else ''} more, which changed nothing"


def _who(handler: str) -> str:
    if handler == "router":
        return "the router"
    if handler.endswith(".failed"):
        return f"the apology for {handler.removesuffix('.failed')}"
    return handler or "another program"


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 1] + "…"


def shown_time(at: float | None) -> str:
    """A time for people, in the time zone of this machine, with milliseconds."""
    if at is None:
        return "at an unknown time"
    return datetime.fromtimestamp(at).astimezone().isoformat(sep=" ", timespec="milliseconds")
