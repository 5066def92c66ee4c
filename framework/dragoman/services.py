"""What stands behind a `Context`, as it sees it."""

from collections.abc import Sequence
from typing import Protocol

from .access import Access
from .action import Action, Sent
from .address import Address
from .blobs import Blobs
from .data import Rows
from .event import ChannelInfo, Person
from .manifest import SkillManifest
from .task import Task
from .timers import Timers

__all__ = ["Services"]


class Services(Protocol):
    """What stands behind a context: the store and the outbox of a worker, or of a test.

    Attributes:
        access: who may do what.
        timezone: of people who have not said theirs.
        accounts: the names of the bot's accounts.
        blobs: the bytes of files.
        data: what skills keep.
        timers: what is to happen later.
    """

    access: Access
    timezone: str
    accounts: Sequence[str]
    blobs: Blobs

    @property
    def data(self) -> Rows: ...

    @property
    def timers(self) -> Timers: ...

    def leave(self, task: Task, actions: Sequence[Action]) -> None:
        """Put actions of a run that goes on on their way at once."""
        ...

    def catalogue(self) -> tuple[SkillManifest, ...]:
        """The manifests of all skills that are served now."""
        ...

    def person(self, account: str, tenant: str, person: str) -> Person | None:
        """Somebody in the directory."""
        ...

    def channel(self, account: str, tenant: str, channel: str) -> ChannelInfo | None:
        """A channel in the directory."""
        ...

    def sent(self, key: str) -> Sent | None:
        """What the platform made of an action; ``None`` if it has not been performed."""
        ...

    def said(self, account: str, channel: str, message: str) -> tuple[str, Address] | None:
        """The key of the action that made a message of the bot's, and where it was said."""
        ...
