"""Doing one thing on a platform, when its turn has come, and what is to be written down of it."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from .action import Action, ActionBase, Fetch, LookUp, React, Sent
from .adapter import Adapter
from .address import Address
from .blobs import Blobs
from .directory import Directory
from .errors import DeliveryError
from .limiter import Limiter, Recalled
from .store.batch import Batcher
from .store.ledger import record_sent
from .store.limits import Limit, keep_limits
from .store.undelivered import Refusal, refuse
from .targets import Targets

__all__ = ["Outcome", "Performer"]

log = logging.getLogger(__name__)

#: Seconds that a limit must still have to go, to be worth waiting for: clocks differ.
WORTH: Final = 0.25

#: What to write down (an operation of the ledger and its item); or the place that the address is a name for, where it
#: is to be done; or ``None``: it must be tried again later.
Outcome = tuple[Callable[..., Any], Any] | Address | None


class Performer:
    """Performs the actions of a gateway's accounts; made and used in its event loop. See `Outbox`."""

    def __init__(
        self,
        adapters: Mapping[str, Adapter],
        batcher: Batcher,
        directory: Directory,
        blobs: Blobs,
        filter: Callable[[ActionBase], ActionBase],
        targets: Targets,
    ) -> None:
        self._adapters = adapters
        self._batcher = batcher
        self._directory = directory
        self._blobs = blobs
        self._filter = filter
        self._targets = targets
        self._limiters = {account: Limiter(account, adapter.pacing) for account, adapter in adapters.items()}

    def obey(self, limits: Sequence[Limit]) -> None:
        """Leave the platforms alone as other gateways were told to."""
        for limit in limits:
            if (left := limit.until - time.time()) > WORTH:
                self._limiters[limit.account].limit(limit.bucket, left)

    def recall(self, which: Callable[[ActionBase], bool]) -> None:
        """Those of the actions that wait for their turns wait no more: `perform` raises `Recalled`."""
        for limiter in self._limiters.values():
            limiter.recall(which)

    def close(self) -> None:
        """Nobody waits any more."""
        for limiter in self._limiters.values():
            limiter.close()

    async def perform(self, action: Action) -> Outcome:
        """Do it.

        Raises:
            Recalled: it waits for its turn, and need not wait any more.
        """
        adapter = self._adapters[action.address.account]
        try:
            if isinstance(action, LookUp):
                await self._directory.look_up(action)
                sent = Sent()
            elif isinstance(action, Fetch):
                sent = Sent(ids=(await self._blobs.keep(adapter.download(action.file)),))
            elif (address := await self._directory.resolve(action.address)) != action.address:
                return address
            else:
                sent, address = await self._do(adapter, action)
                # Where it was in fact done: what is said below it goes to the same thread.
                action = action.model_copy(update={"address": address})
        except DeliveryError as error:
            return self._refused(action, error)
        except Recalled:
            raise
        except Exception:
            log.exception("%s failed in the adapter of %s and will be tried again", action.key, action.address.account)
            return None
        done = action.model_copy(update={"hops": (*action.hops, ("sent", time.time()))})
        self._targets.remember(done, sent)
        return record_sent, (done, sent)

    def _refused(self, action: Action, error: DeliveryError) -> Outcome:
        if error.retry:
            log.warning("%s will be tried again: %s", action.key, error)
            return None
        quiet = isinstance(action, LookUp) or (isinstance(action, React) and action.optional)
        level = logging.INFO if quiet else logging.ERROR
        log.log(level, "%s was refused (%s) and is parked: %s", action.key, error.code, error)
        self._directory.distrust(action.address)
        self._targets.remember(action, Sent())
        return refuse, Refusal(action, error.code, str(error), quiet)

    async def _do(self, adapter: Adapter, action: Action) -> tuple[Sent, Address]:
        """Perform it with its target found; what was made, and where.

        Raises:
            DeliveryError: see `Adapter.perform`. Of several messages to delete, all were refused.
        """
        sent, address = Sent(), action.address
        refused: DeliveryError | None = None
        resolved = await self._targets.resolved(action)
        for number, each in enumerate(resolved, start=1):
            address = each.address
            try:
                sent = await self._turn(adapter, each)
            except DeliveryError as error:
                # What somebody else has deleted already leaves the others to be deleted.
                if error.retry or len(resolved) == 1 or (number == len(resolved) and refused is not None):
                    raise
                refused = error
        return sent, address

    async def _turn(self, adapter: Adapter, action: ActionBase) -> Sent:
        """Do it when its turn has come; when the platform wants to be left alone, in its next turn."""
        limiter = self._limiters[action.address.account]
        while True:
            await limiter.turn(action)
            sent: Sent | None = None
            try:
                sent = await adapter.perform(self._filter(action))
                return sent
            except DeliveryError as error:
                if error.after is None:
                    raise
                bucket = "" if error.whole else action.address.channel
                if limiter.limit(bucket, error.after):
                    self._batcher.submit(keep_limits, Limit(adapter.account, bucket, time.time() + error.after))
                if len(adapter.render(action)) != 1:  # some of it may have been done
                    action = action.model_copy(update={"again": True})
            finally:
                limiter.done(action, sent)
