"""From events to runs: who it was, what it is for, and whether it may be done now. For routers and tests.

`Routing` has no threads and no queues. `decide` looks and changes nothing; `settle` belongs into the
transaction that writes the runs.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, Engine

from .action import Action, Send, action_key
from .address import NOWHERE
from .content import Content
from .cooldown import bucket, say
from .errors import CatalogueError
from .event import Event, Person, Scheduled, Webhook
from .match import Match, Matched, Refused, Routes
from .priority import Priority
from .store.cooldowns import Spend, spend_cooldowns
from .store.directory import read_channels, read_people
from .store.engine import reading
from .store.ledger import Routed
from .store.lines import line
from .task import Task, run_id

__all__ = ["Decided", "Routing", "task_of"]

#: Seconds that somebody found in the directory is believed without another look.
BELIEVED: Final = 10.0
#: What is kept of a decision: characters of a reason, and reasons.
LONGEST: Final = 500
MANY: Final = 20
#: How many people and channels are remembered.
MOST: Final = 20_000

Where = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Decided:
    """An event, completed from the directory, and what it is for."""

    event: Event
    matched: Matched


class Routing:
    """Looks events up in the directory, and matches them.

    Args:
        filter: the plugins' event filters: an event, a changed one, or ``None`` to drop it.
        clock: unix seconds.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        filter: Callable[[Event], Event | None] = lambda event: event,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._filter = filter
        self._clock = clock
        self._people: dict[Where, tuple[float, Person]] = {}
        self._channels: dict[Where, tuple[float, str]] = {}
        #: Skills that are being taken out of service: they get no new runs.
        self.draining: frozenset[str] = frozenset()

    def complete(self, events: Sequence[Event]) -> list[Event]:
        """The same events, with all that the directory knows of their people and channels. One look for all."""
        now = self._clock()
        people = {
            (event.address.account, event.address.tenant, event.person.id)
            for event in events
            if event.person is not None
        }
        channels = {
            (event.address.account, event.address.tenant, event.address.channel)
            for event in events
            if not event.channel_name
        }
        if len(self._people) > MOST or len(self._channels) > MOST:
            self._people.clear()
            self._channels.clear()
        unknown_people = [who for who in people if self._people.get(who, (0.0, None))[0] < now]
        unknown_channels = [where for where in channels if self._channels.get(where, (0.0, ""))[0] < now]
        if unknown_people or unknown_channels:
            with reading(self._engine) as connection:
                for who, found in read_people(connection, unknown_people).items():
                    self._people[who] = (now + BELIEVED, found.person)
                for where, channel in read_channels(connection, unknown_channels).items():
                    self._channels[where] = (now + BELIEVED, channel.channel.name)
        return [self._completed(event) for event in events]

    def _completed(self, event: Event) -> Event:
        changed: dict[str, object] = {}
        here = event.address
        if event.person is not None:
            known = self._people.get((here.account, here.tenant, event.person.id))
            if known is not None:
                changed["person"] = _merged(event.person, known[1])
        channel = self._channels.get((here.account, here.tenant, here.channel))
        if not event.channel_name and channel is not None:
            changed["channel_name"] = channel[1]
        return event.model_copy(update=changed) if changed else event

    def decide(self, routes: Routes, event: Event) -> Decided:
        """Match a completed event.

        Raises:
            CatalogueError: its time has come, and nobody serves it any more, or its skill is being taken out of
                service: it must not be lost unseen.
        """
        filtered = self._filter(event)
        if filtered is None:
            return Decided(event, Matched(refused=(Refused("", "dropped"),)))
        matched = routes.match(filtered)
        if isinstance(filtered, Scheduled) and not matched.matches:
            raise CatalogueError(f"no skill has the schedule {filtered.skill}.{filtered.handler} any more")
        return Decided(filtered, self._in_service(filtered, matched))

    def _in_service(self, event: Event, matched: Matched) -> Matched:
        """Without the skills that get no new runs. Who has asked for one of them is told so."""
        closed = [match for match in matched.matches if match.skill in self.draining]
        if not closed:
            return matched
        if isinstance(event, Scheduled | Webhook):
            raise CatalogueError(f"the skill {closed[0].skill} is being taken out of service")
        answer = matched.answer
        for match in closed:
            if match.priority >= Priority.COMMAND:
                answer = answer or f"`{match.command or match.handler}` is being taken out of service."
        refused = tuple(Refused(f"{match.skill}.{match.handler}", "draining") for match in closed)
        return replace(
            matched,
            matches=tuple(each for each in matched.matches if each not in closed),
            answer=answer,
            refused=matched.refused + refused,
        )

    def settle(self, connection: Connection, decided: Sequence[Decided]) -> list[Routed]:
        """The runs and the answers of these events, after the cooldowns have had their say."""
        limited = [
            (number, match)
            for number, each in enumerate(decided)
            for match in each.matched.matches
            if match.cooldown is not None
        ]
        waits: dict[tuple[int, str, str], float | None] = {}
        if limited:
            spends = [_spend(decided[number].event, match) for number, match in limited]
            for (number, match), wait in zip(limited, spend_cooldowns(connection, spends, self._clock()), strict=True):
                waits[number, match.skill, match.handler] = wait
        return [
            self._routed(each, {(s, h): wait for (n, s, h), wait in waits.items() if n == number and wait is not None})
            for number, each in enumerate(decided)
        ]

    def _routed(self, decided: Decided, waits: "dict[tuple[str, str], float]") -> Routed:
        event, matched = decided.event, decided.matched
        tasks, said = [], [matched.answer] if matched.answer is not None else []
        refused = list(matched.refused)
        for match in matched.matches:
            wait = waits.get((match.skill, match.handler))
            if wait is None:
                tasks.append((task_of(event, match), int(match.priority)))
                continue
            refused.append(Refused(f"{match.skill}.{match.handler}", "cooldown", f"{wait:.0f}"))
            if match.priority >= Priority.COMMAND:
                said.append(say(wait, match.command or match.handler))
        answers = tuple(self._answer(event, text, n) for n, text in enumerate(said))
        # Most events have nothing to say here, and cost nothing.
        decision = _kept(refused) if refused else None
        return Routed(event, tuple(tasks), answers, decision)

    def _answer(self, event: Event, text: str, number: int) -> Action:
        return Send(
            key=action_key(event.key, "router", number),
            address=event.address,
            content=Content(text=text),
            traceparent=event.traceparent,
            hops=(*event.hops, ("router", self._clock())),
        )


def task_of(event: Event, match: Match) -> Task:
    """The task that runs a handler for an event."""
    return Task(
        run=run_id(event.key, match.skill, match.handler),
        skill=match.skill,
        handler=match.handler,
        event=event,
        arguments=match.arguments,
        asked=match.priority == Priority.COMMAND,
        # What happens nowhere (a schedule, a webhook) waits for nobody.
        line=line(match.skill, event.address) if match.ordered and event.address != NOWHERE else "",
        policy=match.policy,
        hops=event.hops,
    )


def _kept(refused: Sequence[Refused]) -> str:
    """JSON for `dragoman.why`: (handler, why, detail) each."""
    return json.dumps([(place, why, detail[:LONGEST]) for place, why, detail in refused[:MANY]], ensure_ascii=False)


def _spend(event: Event, match: Match) -> Spend:
    assert match.cooldown is not None
    return Spend(
        bucket=bucket(match.cooldown, event, match.skill, match.handler),
        event_key=event.key,
        times=match.cooldown.times,
        per=match.cooldown.per,
    )


def _merged(said: Person, known: Person) -> Person:
    """What the platform says when it is asked, completed by what came with the event.

    The directory is right about roles, also about having none: an event may be old (a timer's is as old as the
    timer), and a role that was taken away must not come back with it.
    """
    return Person(
        id=said.id,
        name=known.name or said.name,
        tenant=known.tenant or said.tenant,
        locale=known.locale or said.locale,
        bot=said.bot or known.bot,
        timezone=known.timezone or said.timezone,
        roles=known.roles,
    )
