"""What a gateway keeps for its adapters. An adapter has no store of its own.

Reply credentials are what a platform wants to see with an answer (Discord's interaction token, Slack's
``response_url``). They are secrets, so they are in no event: the event's key stands for them. A state is what an
adapter must still know after a restart, such as its place in a session.
"""

from collections.abc import Collection, Mapping
from typing import Any, BinaryIO, Protocol

from .content import FileRef
from .errors import DeliveryError

__all__ = ["AdapterServices", "MemoryServices"]


class AdapterServices(Protocol):
    """What an adapter may ask for. All of it is JSON; times are unix seconds.

    Every method may raise `sqlalchemy.exc.SQLAlchemyError` while the store is away.
    """

    async def keep_credentials(self, event_key: str, secret: Mapping[str, Any], until: float) -> None:
        """Keep what answers to that event need, before the event is handed over; replaces what was kept."""
        ...

    async def credentials(self, event_key: str) -> dict[str, Any] | None:
        """What was kept for that event; ``None`` when it has ended or there is none."""
        ...

    async def save_state(self, name: str, state: Mapping[str, Any]) -> None:
        """Keep a state under a name; it replaces the one before."""
        ...

    async def load_state(self, name: str) -> dict[str, Any] | None:
        """What was saved under that name."""
        ...

    async def said_by(self, channel: str, ids: Collection[str]) -> dict[str, str]:
        """Of these messages in a channel, those that the ledger has as the bot's: message id -> the action's key."""
        ...

    def open_file(self, file: FileRef) -> BinaryIO:
        """The bytes of a file that has a ``blob``, to read and close.

        Raises:
            DeliveryError: they are not in the bot's keeping (any more).
        """
        ...


class MemoryServices:
    """The same in memory, for an adapter without a gateway."""

    def __init__(self) -> None:
        self._credentials: dict[str, dict[str, Any]] = {}
        self._states: dict[str, dict[str, Any]] = {}

    async def keep_credentials(self, event_key: str, secret: Mapping[str, Any], until: float) -> None:
        self._credentials[event_key] = dict(secret)

    async def credentials(self, event_key: str) -> dict[str, Any] | None:
        return self._credentials.get(event_key)

    async def save_state(self, name: str, state: Mapping[str, Any]) -> None:
        self._states[name] = dict(state)

    async def load_state(self, name: str) -> dict[str, Any] | None:
        return self._states.get(name)

    async def said_by(self, channel: str, ids: Collection[str]) -> dict[str, str]:
        return {}

    def open_file(self, file: FileRef) -> BinaryIO:
        raise DeliveryError(f"the file {file.name or file.id!r} is not here: there is no gateway", code="no_file")
