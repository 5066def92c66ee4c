"""Tells adapters which skills there are, so that platforms can list their commands."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from .adapter import Adapter
from .store.catalogue import Reader

__all__ = ["keep_offering"]

log = logging.getLogger(__name__)

#: Seconds between two looks at the catalogue's digests.
LOOK: Final = 5.0


async def keep_offering(engine: Engine, adapters: Mapping[str, Adapter], every: float = LOOK) -> None:
    """Offer the catalogue to the adapters that take it, now and whenever it has changed; until cancelled."""
    takers = {name: adapter for name, adapter in adapters.items() if type(adapter).offer is not Adapter.offer}
    if not takers:
        return
    reader = Reader(engine)
    while True:
        try:
            changed = await asyncio.to_thread(reader.refresh)
        except SQLAlchemyError as error:
            log.warning("the catalogue cannot be read, so commands are offered as before: %s", error)
            changed = False
        if changed:
            for name, adapter in takers.items():
                try:
                    await adapter.offer(reader.manifests)
                except Exception:
                    log.exception("the skills cannot be offered on %s", name)
        await asyncio.sleep(every)
