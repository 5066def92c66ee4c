"""What a handler sees of the bot: its settings and its store. The same for a worker and for tests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Engine

from .access import Access
from .action import Action, Sent
from .address import Address
from .arguments import bind
from .blobs import Blobs
from .context import Context
from .event import ChannelInfo, Person
from .manifest import SkillManifest
from .skill import Skill
from .store.catalogue import Reader
from .store.data import DataRows
from .store.directory import read_channel, read_person
from .store.engine import reading
from .store.enquiries import said_at, said_by
from .store.ledger import look_up
from .store.timers import TimerRows

if TYPE_CHECKING:
    from .task import Task

__all__ = ["Environment", "StoreServices", "make_context"]

T = TypeVar("T")


def _plainly(context: Context, call: Callable[[], T]) -> T:
    return call()


@dataclass(frozen=True)
class Environment:
    """What the settings say that handlers can see.

    Attributes:
        settings: of each skill by its name: its own model, or what is written.
        timezone: of people who have not said theirs.
        accounts: the names of the bot's accounts.
        blobs: the bytes of files.
        around: calls a handler with the plugins' wrappers around it.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    access: Access = field(default_factory=Access)
    timezone: str = "UTC"
    accounts: Sequence[str] = ()
    blobs: Blobs = field(default_factory=lambda: Blobs(Path("files"), limit=25_000_000))
    around: Callable[[Context, Callable[[], Any]], Any] = _plainly


class StoreServices:
    """`Services` over a store, in one process.

    Args:
        leave: puts actions of a run on their way.
        clock: unix seconds.
    """

    def __init__(
        self,
        engine: Engine,
        environment: Environment,
        leave: "Callable[[Task, Sequence[Action]], None]",
        clock: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._leave = leave
        self._reader = Reader(engine)
        self.access = environment.access
        self.timezone = environment.timezone
        self.accounts = environment.accounts
        self.blobs = environment.blobs
        self.data = DataRows(engine, clock)
        self.timers = TimerRows(engine)

    def leave(self, task: "Task", actions: Sequence[Action]) -> None:
        self._leave(task, actions)

    def catalogue(self) -> tuple[SkillManifest, ...]:
        """One small query tells whether they have changed."""
        self._reader.refresh()
        return self._reader.manifests

    def person(self, account: str, tenant: str, person: str) -> Person | None:
        with reading(self._engine) as connection:
            found = read_person(connection, account, tenant, person)
        return found.person if found else None

    def channel(self, account: str, tenant: str, channel: str) -> ChannelInfo | None:
        with reading(self._engine) as connection:
            found = read_channel(connection, account, tenant, channel)
        return found.channel if found else None

    def sent(self, key: str) -> Sent | None:
        with reading(self._engine) as connection:
            known = look_up(connection, [key]).get(key)
        return None if known is None or known.state == "pending" else known.sent

    def said(self, account: str, channel: str, message: str) -> tuple[str, Address] | None:
        with reading(self._engine) as connection:
            key = said_by(connection, account, channel, message)
            where = said_at(connection, key) if key is not None else None
        return None if key is None or where is None else (key, where)


def make_context(
    skill: Skill,
    task: "Task",
    services: StoreServices,
    environment: Environment,
    clock: Callable[[], float],
) -> Context:
    """The context of one run of one of the skill's handlers."""
    return Context(
        task,
        services,
        schedules={
            name: partial(bind, handler.function, handler.command, handler.parameters)
            for name, handler in skill.handlers.items()
            if handler.trigger.kind == "schedule"
        },
        coroutine=skill.handlers[task.handler].coroutine,
        settings=environment.settings.get(skill.name),
        clock=clock,
    )
