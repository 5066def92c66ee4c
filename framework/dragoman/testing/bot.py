"""The bot of a test: the same routing, parsing, rules, ledger and rendering as in production, at once.

There is no broker, no process and no thread between what a person says and the answer, and the time is
what the test says.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from pydantic import SecretStr

from .. import wire
from ..action import Action, Fetch, LookUp, Sent
from ..address import ANY_TENANT, Address
from ..apology import apology
from ..blobs import Blobs
from ..content import FileRef
from ..errors import DeliveryError
from ..event import (
    ChannelInfo,
    EventBase,
    Person,
)
from ..match import Routes, verify
from ..roles import BotContext
from ..routing import Routing
from ..settings import BrokerSettings, Settings
from ..skill import Skill
from ..store.catalogue import publish_manifests
from ..store.directory import write_channel, write_person
from ..store.engine import connect, open_store
from ..store.ledger import record_events, record_refused, record_sent, route_events
from ..task import Task
from .platform import Platform, Replies
from .runs import Runs
from .talk import TENANT, Talk

__all__ = ["START", "Bot"]

#: When a test begins: Monday, 7 January 2030, 09:00 UTC.
START: Final = datetime(2030, 1, 7, 9, 0, tzinfo=UTC)
#: The code of what a plugin's filter holds back.
PLUGIN: Final = "plugin"


@cache
def _template() -> Path:
    """An empty store, made once: bringing one up to date takes longer than a test."""
    folder = Path(tempfile.mkdtemp(prefix="dragoman-testing-"))
    engine = open_store(f"sqlite:///{folder / 'store.db'}")
    engine.dispose()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder / "store.db"


@dataclass
class Expected:
    """What `Bot.fails_with` has seen: each failed attempt's error."""

    errors: list[BaseException] = field(default_factory=list)

    @property
    def attempts(self) -> int:
        return len(self.errors)


class Bot(Talk):
    """A bot to talk to.

    Args:
        skills: what it can do.
        settings: instead of the defaults; ``[skills.NAME]``, ``[[rules]]``, ``[roles]`` and the like count.
        folder: for its store; a temporary one if left out.
        start: what time it is; Monday, 7 January 2030, 09:00 UTC if left out.
    """

    def __init__(
        self,
        skills: Sequence[Skill],
        *,
        settings: Settings | None = None,
        folder: Path | None = None,
        start: datetime = START,
    ) -> None:
        self._folder = contextlib.ExitStack()
        if folder is None:
            folder = Path(self._folder.enter_context(tempfile.TemporaryDirectory(prefix="dragoman-bot-")))
        settings = (settings or Settings()).model_copy(
            update={"broker": BrokerSettings(url=SecretStr("memory://test"))}
        )
        context = BotContext.of(settings)
        self.skills = {skill.name: skill for skill in skills}
        verify([skill.manifest() for skill in skills])
        self._now = start.timestamp()
        self._last: EventBase | None = None
        self._expected: Expected | None = None
        self._people = {}
        self.story = "nobody has said anything to it yet"
        self._numbers = itertools.count(1)
        shutil.copyfile(_template(), folder / "store.db")
        self._engine = connect(f"sqlite:///{folder / 'store.db'}")
        self._plugins = context.plugins
        self._routing = Routing(self._engine, filter=self._plugins.event, clock=lambda: self._now)
        self._routes = Routes(
            [skill.manifest() for skill in skills],
            settings.bot.prefixes,
            settings.access,
            settings.bot.timezone,
        )
        self._blobs = Blobs(folder / "files", limit=settings.files.limit)
        self._environment = replace(context.environment(self.skills), blobs=self._blobs)
        self._runs = Runs(self._engine, self.skills, self._environment, self._perform, lambda: self._now)
        self.platform = Platform(self._runs.services.sent)
        with self._engine.begin() as connection:
            publish_manifests(connection, [skill.manifest() for skill in skills])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the store."""
        self._runs.close()
        self._engine.dispose()
        self._folder.close()

    def person(self, id: str, *, on: str = "test", **known: Any) -> Person:
        """Somebody whom the directory knows: ``bot.person("ann", timezone="Europe/Berlin", roles=("admin",))``.

        From then on, ``by="ann"`` is them.
        """
        person = Person(id=id, **{"name": id.capitalize(), **known})
        self._people[id] = person
        with self._engine.begin() as connection:
            write_person(connection, on, TENANT, person, self._now)
        return person

    def read(self, file: FileRef) -> bytes:
        """The bytes of a file that the bot has sent: ``bot.read(bot.replies[-1].files[0])``."""
        with self._blobs.open(file.blob) as source:
            return source.read()

    def deliver(self, event: EventBase) -> Replies:
        """Any event at all; what the bot says to it."""
        self._last = event
        with self._engine.begin() as connection:
            record_events(connection, [event])
        return self._answers(lambda: self._route(event))

    def redeliver(self) -> Replies:
        """The last event is delivered again, as after a crash: nothing may be said to it a second time."""
        if self._last is None:
            raise AssertionError("nothing has happened yet that could be delivered again")
        last = self._last
        return self._answers(lambda: self._route(last, again=True))

    def tick(self, until: timedelta | datetime) -> Replies:
        """Time passes, and what falls due happens, in order; what the bot says meanwhile."""
        end = self._now + until.total_seconds() if isinstance(until, timedelta) else until.timestamp()
        if end < self._now:
            raise AssertionError("time only goes forward")

        def work() -> None:
            while (event := self._runs.next_due(end)) is not None:
                self._now = max(self._now, event.due)
                self._route(event)
            self._now = end

        return self._answers(work)

    @contextlib.contextmanager
    def fails_with(self, error: type[BaseException], match: str | None = None) -> Iterator[Expected]:
        """A handler fails in here, with this error; it is retried as the skill says, and the person is told.

        Without it, an error in a handler is an error of the test.
        """
        import re

        seen = Expected()
        self._expected = seen
        try:
            yield seen
        finally:
            self._expected = None
        if not seen.errors:
            raise AssertionError(f"no handler failed; {error.__name__} was expected")
        for each in seen.errors:
            if not isinstance(each, error):
                raise AssertionError(f"a handler failed with {each!r}, not with {error.__name__}") from each
            if match is not None and not re.search(match, str(each)):
                raise AssertionError(f"a handler failed with {each!r}, in which nothing matches {match!r}") from each

    # ----------------------------------------------------------------------------------------------------

    def _answers(self, work: Any) -> Replies:
        before = len(self.platform.replies)
        work()
        return Replies(self.platform.replies[before:], self.story)

    def _route(self, event: EventBase, *, again: bool = False) -> None:
        # Over the wire and back: what is not JSON must not come through.
        (read,) = self._routing.complete([wire.decode_event(wire.encode(event))])
        decided = self._routing.decide(self._routes, read)
        with self._engine.begin() as connection:
            (routed,) = self._routing.settle(connection, [decided])
            (due,) = route_events(connection, [routed])
        self.story = _story(read, [f"{task.skill}.{task.handler}" for task, _ in routed.tasks], bool(routed.answers))
        for answer in routed.answers:
            if answer.key in due:
                self._perform([answer])
        for task, _ in routed.tasks:
            if task.run in due or again:
                self._run(Task.model_validate_json(wire.encode(task)))

    def _run(self, task: Task) -> None:
        while (failed := self._runs.run(task)) is not None:
            if self._expected is None:
                raise failed.error
            self._expected.errors.append(failed.error)
            if failed.retry_at is None:
                if (said := apology(task)) is not None:
                    self._perform([said])
                return
            self._now = max(self._now, failed.retry_at)

    def _perform(self, actions: Sequence[Action]) -> None:
        """What the gateway does."""
        for each in actions:
            action = wire.decode_action(wire.encode(each))
            known = self._runs.services.sent(action.key)
            if known is not None:
                continue
            try:
                where, sent = self._performed(action)
            except DeliveryError as error:
                with self._engine.begin() as connection:
                    record_refused(connection, [(action, str(error))])
                if error.code != PLUGIN:
                    raise AssertionError(f"the platform would refuse this {action.kind}: {error}") from error
                continue
            with self._engine.begin() as connection:
                record_sent(connection, [(action.model_copy(update={"address": where}), sent)])

    def _performed(self, action: Action) -> tuple[Address, Sent]:
        """As a gateway: what it does itself, addresses and targets resolved, and then the plugins' filters.

        Returns also where it was done.
        """
        here = action.address
        if isinstance(action, LookUp):
            if action.person is not None:
                person = self._people.get(action.person, Person(id=action.person))
                with self._engine.begin() as connection:
                    write_person(connection, here.account, here.tenant, person, self._now)
            return here, Sent()
        if isinstance(action, Fetch):
            return here, Sent(ids=(self._blobs.put(self.platform.download(action.file))[0],))
        if here.channel.startswith(("#", "@")):
            name = here.channel[1:]
            channel = name if here.channel.startswith("#") else f"D-{name}"
            with self._engine.begin() as connection:
                info = ChannelInfo(id=channel, tenant=TENANT, name=name)
                write_channel(connection, here.account, info, self._now)
            there = here.model_copy(update={"tenant": TENANT, "channel": channel})
            action = action.model_copy(update={"address": there})
        elif here.tenant == ANY_TENANT:
            action = action.model_copy(update={"address": here.model_copy(update={"tenant": TENANT})})
        filtered: Action = self._plugins.action(self.platform.resolved(action))
        return filtered.address, self.platform.perform(filtered)


def _story(event: EventBase, handlers: Sequence[str], answered: bool) -> str:
    said = getattr(event, "request", None) or getattr(event, "name", None) or getattr(event, "emoji", "")
    who = f" by {event.person.name or event.person.id}" if event.person else ""
    came = " and ".join(handlers) if handlers else "an answer without a handler" if answered else "no handler"
    return f"the last event was a {event.kind}{f' {said!r}' if said else ''}{who}, which was for {came}"
