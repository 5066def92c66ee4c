"""What mentions the bot comes twice, as ``message`` and as ``app_mention``: it is taken once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

__all__ = ["Twins"]

#: How many messages are remembered as taken.
MOST_TAKEN: Final = 5_000


class Twins:
    """The messages that were taken, or are being taken, by what Slack tells them apart."""

    def __init__(self) -> None:
        #: The oldest first. True: it is in the ledger.
        self._taken: dict[tuple[object, ...], asyncio.Future[bool]] = {}

    async def once(self, payload: object, take: Callable[[], Awaitable[bool]]) -> bool:
        """What ``take`` returns, or has returned for the other one: whether Slack may be told that we have it."""
        mark = _mark(payload)
        if mark is None:
            return await take()
        if (twin := self._taken.get(mark)) is not None:
            return await asyncio.shield(twin)
        self._taken[mark] = asyncio.get_running_loop().create_future()
        taken = False
        try:
            taken = await take()
        finally:
            self._taken[mark].set_result(taken)
            if not taken:
                del self._taken[mark]
            elif len(self._taken) > MOST_TAKEN:
                del self._taken[next(iter(self._taken))]
        return taken


def _mark(payload: object) -> tuple[object, ...] | None:
    """What is the same in the two events that Slack sends of one message; ``None`` for all else."""
    event = payload.get("event") if isinstance(payload, Mapping) else None
    if not isinstance(event, Mapping) or event.get("type") not in ("message", "app_mention") or event.get("subtype"):
        return None
    assert isinstance(payload, Mapping)
    mark = (payload.get("team_id"), event.get("channel"), event.get("ts"))
    return mark if all(isinstance(part, str) for part in mark) else None
