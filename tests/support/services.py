"""What stands behind a context, in memory."""

from collections.abc import Sequence
from pathlib import Path

from dragoman import Action, Address, ChannelInfo, Person, Sent, SkillManifest
from dragoman.access import Access
from dragoman.blobs import Blobs
from dragoman.data import Rows
from dragoman.task import Task
from dragoman.timers import Timer
from support.rows import MemoryRows


class Clock:
    """Adds, cancels and lists timers."""

    def __init__(self) -> None:
        self.timers: dict[str, Timer] = {}

    def add(self, timer: Timer) -> None:
        self.timers.setdefault(timer.id, timer)

    def cancel(self, skill: str, id: str) -> bool:
        found = self.timers.get(id)
        return found is not None and found.skill == skill and self.timers.pop(id) is found

    def pending(self, skill: str) -> list[Timer]:
        return sorted((t for t in self.timers.values() if t.skill == skill), key=lambda timer: timer.due_at)


class FakeServices:
    """Implements `dragoman.services.Services`."""

    def __init__(
        self,
        *manifests: SkillManifest,
        access: Access | None = None,
        timezone: str = "UTC",
        accounts: Sequence[str] = ("acme",),
    ) -> None:
        self.access = access or Access()
        self.timezone = timezone
        self.accounts = accounts
        self.data: Rows = MemoryRows(lambda: 5.0)
        self.timers = Clock()
        #: A test that keeps files gives it a folder.
        self.blobs = Blobs(Path("/nowhere"), limit=1000)
        #: (account, channel, message): the key of what said it, and where.
        self.messages: dict[tuple[str, str, str], tuple[str, Address]] = {}
        self.manifests = manifests
        self.people: dict[str, Person] = {}
        self.channels: dict[str, ChannelInfo] = {}
        self.performed: dict[str, Sent] = {}
        #: What left early, one tuple for each time.
        self.left: list[tuple[Action, ...]] = []

    def leave(self, task: Task, actions: Sequence[Action]) -> None:
        self.left.append(tuple(actions))

    def catalogue(self) -> tuple[SkillManifest, ...]:
        return self.manifests

    def person(self, account: str, tenant: str, person: str) -> Person | None:
        return self.people.get(person)

    def channel(self, account: str, tenant: str, channel: str) -> ChannelInfo | None:
        return self.channels.get(channel)

    def sent(self, key: str) -> Sent | None:
        return self.performed.get(key)

    def said(self, account: str, channel: str, message: str) -> tuple[str, Address] | None:
        return self.messages.get((account, channel, message))
