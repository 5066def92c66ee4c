"""The contract between a gateway and an adapter: the plugin that speaks one platform.

An adapter turns raw payloads into events and performs actions. It knows nothing of skills, queues or
stores. Every adapter has the same anatomy: ``normalise.py`` (payload -> event, pure), ``render.py``
(action -> API arguments, pure) and ``adapter.py`` (sockets and calls, thin).
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from .action import ActionBase, Sent
from .adapter_services import AdapterServices, MemoryServices
from .capabilities import Capabilities
from .content import FileRef
from .errors import DeliveryError
from .event import ChannelInfo, EventBase, Person
from .hooks import hookimpl
from .pacing import Pacing

if TYPE_CHECKING:
    from .manifest import SkillManifest

__all__ = ["AccountSettings", "Adapter", "Receive"]

#: Given an event; returns when it is in the ledger. Only then may the platform be told "ok". If it
#: raises, the platform must not be told, so that it delivers the event again.
Receive = Callable[[EventBase], Awaitable[None]]


class AccountSettings(BaseModel):
    """What ``[accounts.NAME]`` may hold. An adapter's own settings derive from this; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    platform: str


class Adapter(ABC):
    """One account on one platform.

    A plugin's entry point in the group ``dragoman.adapters`` names a subclass; the gateway makes one
    instance for each configured account of that platform.
    """

    #: The name that ``platform = "..."`` in the settings selects.
    platform: ClassVar[str]
    #: What the platform can do, and what happens where it cannot.
    capabilities: ClassVar[Capabilities] = Capabilities()
    #: Whether the platform tells of an event once only, so that one that cannot be taken now is lost. Then it waits
    #: on the gateway's own disk while the ledger is away. Else the platform tells again what it was not told "ok" for.
    offers_once: ClassVar[bool] = False
    #: How often something may be said in one channel; ``None`` where the platform's library sees to that, or nobody
    #: minds. The gateway keeps to it.
    pacing: Pacing | None = None
    #: How ``[accounts.NAME]`` is read.
    Settings: ClassVar[type[AccountSettings]] = AccountSettings

    def __init__(self, account: str, settings: Any) -> None:
        self.account = account
        self.settings = settings
        #: What the gateway keeps for it; of no gateway, for as long as it lives.
        self.services: AdapterServices = MemoryServices()

    @abstractmethod
    async def check(self) -> str:
        """Verify the account's credentials with the platform; return who we are, for people to read.

        Raises:
            AccountError: they do not work.
        """

    @abstractmethod
    async def run(self, receive: Receive, ready: Callable[[], None]) -> None:
        """Connect, call ``ready`` once events can come, give every event to ``receive``; until cancelled.

        Reconnects by itself. Raises:
            AccountError: trying again will not help.
        """

    @abstractmethod
    async def perform(self, action: ActionBase) -> Sent:
        """Do it. Targets have been resolved to the platform's ids.

        If ``action.again``, somebody may have done it already and died before they could say so: look
        first, do only what is missing, and return the ids of all of it. The bytes of a file that has a ``blob`` are
        read with ``self.services.open_file``; a file without one is said as a link.

        Raises:
            DeliveryError: the platform refused. If it wants to be left alone for a while (HTTP 429), say for how long
                with ``after``, rather than to wait here: then all gateways of the account wait.
        """

    async def look_up_person(self, person: str, tenant: str) -> Person | None:
        """Somebody with all that the platform tells: name, time zone, locale, roles; ``None`` if there is no such.

        Raises:
            DeliveryError: the platform cannot be asked now.
        """
        return None

    async def look_up_channel(self, channel: str, tenant: str) -> ChannelInfo | None:
        """A channel by its id, by ``#name``, or ``@PERSON``: the direct conversation, opened if need be.

        Raises:
            DeliveryError: the platform cannot be asked now.
        """
        return None

    def download(self, file: FileRef) -> AsyncIterator[bytes]:
        """The bytes of a file that somebody attached, in pieces; an ``async def`` with ``yield``.

        The account's token may go only to the platform's own hosts: ``file.url`` came over an exchange.

        Raises:
            DeliveryError: the platform refused, or it has no files.
        """
        raise DeliveryError(f"{self.platform} has no files to download", code="no_files")

    async def offer(self, manifests: "Sequence[SkillManifest]") -> None:  # noqa: B027  # not everybody has a list
        """The skills that are served now, for the platform's own list of commands, if it has one.

        Called after the start, and whenever the catalogue has changed. Returns soon; what the platform refuses is
        tried again by the adapter itself.
        """

    def render(self, action: ActionBase) -> list[dict[str, Any]]:
        """What `perform` asks of the platform for this action, in order, as data. Pure, for tests and logs."""
        return [action.model_dump(mode="json", exclude={"hops", "traceparent"}, exclude_none=True)]

    @staticmethod
    def read_link(link: str) -> tuple[str, str] | None:
        """The ids of the channel and the message that a link of the platform's is to; ``None`` if it is none.

        For people who ask ``dragoman why`` with the link of a message.
        """
        return None

    @classmethod
    @hookimpl
    def dragoman_adapters(cls) -> "Sequence[type[Adapter]]":
        """An adapter is a plugin that provides itself."""
        return [cls]

    async def close(self) -> None:  # noqa: B027  # not every adapter has something to release
        """Release what ``check`` or ``perform`` opened."""
