"""`AdapterServices` of a gateway: over its store, and the bot's own keeping of files."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, BinaryIO

from .blobs import Blobs
from .content import FileRef
from .errors import DeliveryError
from .store.batch import Batcher
from .store.enquiries import find_said
from .store.keepsakes import find_credentials, keep_credentials, load_states, save_states

__all__ = ["Keeping"]


class Keeping:
    """What a gateway keeps for the adapter of one account."""

    def __init__(self, account: str, batcher: Batcher, blobs: Blobs) -> None:
        self._account = account
        self._batcher = batcher
        self._blobs = blobs

    async def keep_credentials(self, event_key: str, secret: Mapping[str, Any], until: float) -> None:
        await self._do(keep_credentials, (self._account, event_key, dict(secret), until))

    async def credentials(self, event_key: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = await self._do(find_credentials, (self._account, event_key))
        return found

    async def save_state(self, name: str, state: Mapping[str, Any]) -> None:
        await self._do(save_states, (self._account, name, dict(state)))

    async def load_state(self, name: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = await self._do(load_states, (self._account, name))
        return found

    async def said_by(self, channel: str, ids: Collection[str]) -> dict[str, str]:
        found: dict[str, str] = await self._do(find_said, (self._account, channel, tuple(ids)))
        return found

    def open_file(self, file: FileRef) -> BinaryIO:
        try:
            return self._blobs.open(file.blob)
        except FileNotFoundError:
            raise DeliveryError(
                f"the file {file.name or file.id!r} is not in the bot's keeping any more: files are kept for "
                "[files] days since they were last used",
                code="no_file",
            ) from None

    async def _do(self, operation: Any, item: object) -> Any:
        return await asyncio.wrap_future(self._batcher.submit(operation, item))
