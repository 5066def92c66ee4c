"""Consuming: batches of what is there, settled from any thread, through every outage."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from ..errors import BrokerError
from .backoff import Backoff
from .broker import Broker
from .foreign import unacceptable
from .links import Taker, change
from .message import Delivery, Taken
from .parking import DeadLetters

__all__ = ["Consumer"]

log = logging.getLogger(__name__)

#: How long `run` may sleep when there is nothing to do; what happens wakes it.
IDLE: Final = 60.0
#: How long an acknowledgement may wait for others, while something is held.
LAZY: Final = 0.02


class Consumer:
    """Takes from some queues and hands batches to ``handle``, in one thread of its own.

    ``handle`` gets what is there, at most ``prefetch`` deliveries, and settles each of them, then or later,
    from any thread. It must not block for long. When it raises for a batch, what it has not settled is given
    to it again one by one; a single delivery for which it raises one of ``retry`` goes back to its queue and
    the consumer pauses; for anything else it is parked, so that one poisonous message never stops the others.

    Args:
        broker: where from.
        role: see `Broker.transport_options`.
        queues: of the broker's topology; declared when connecting.
        handle: see above.
        prefetch: how many unsettled deliveries there may be at once.
        retry: the errors of ``handle`` that say "not now" rather than "never".
        on_park: called in the consumer's thread for each message that is among the dead letters now.
        on_up, on_down: called in the consumer's thread when the broker is there, or is not (any more).
    """

    def __init__(
        self,
        broker: Broker,
        role: str,
        queues: Sequence[Any],
        handle: Callable[[list[Delivery]], None],
        *,
        prefetch: int = 200,
        retry: tuple[type[Exception], ...] = (BrokerError, OSError),
        on_up: Callable[[], None] | None = None,
        on_down: Callable[[Exception], None] | None = None,
        on_park: Callable[[], None] | None = None,
    ) -> None:
        self._broker = broker
        self._role = role
        self._queues = tuple(queues)
        #: What it should take from; the two differ until its thread has looked.
        self._wanted = self._queues
        self._handle = handle
        self._prefetch = prefetch
        self._retry = retry
        self._on_up = on_up
        self._on_down = on_down
        self._on_park = on_park
        self._taker: Taker | None = None
        self._dead = DeadLetters(broker, role)
        self._thread: threading.Thread | None = None
        self._runner = 0
        self._generation = 0
        #: What has been handed out and not yet been settled at the broker, of this generation.
        self._held: dict[Any, Delivery] = {}
        self._settled: deque[tuple[Delivery, str, str]] = deque()
        #: What goes back when the pause is over.
        self._postponed: list[Delivery] = []
        self._resume = 0.0
        self._pauses = Backoff()
        self._stopping = threading.Event()
        self._grace = 0.0
        self._up = threading.Event()
        self._reason = ""

    @property
    def connected(self) -> bool:
        """Whether it is consuming."""
        return self._up.is_set()

    @property
    def running(self) -> bool:
        """Whether its thread is there."""
        return self._thread is not None and self._thread.is_alive()

    def wait_up(self, timeout: float | None = None) -> bool:
        """Wait until it is consuming: whether it is."""
        return self._up.wait(timeout)

    def watch(self, queues: Sequence[Any]) -> None:
        """Take from these queues from now on, and from no others; from any thread.

        What was taken from the others is settled as ever; `left` says when that is over.
        """
        self._wanted = tuple(queues)
        self._wake()

    def left(self, name: str) -> bool:
        """Whether nothing is taken from that queue any more, and nothing of it is unsettled; from any thread."""
        if self._taker is None:  # when it connects again, it will ask for what is wanted
            return all(queue.name != name for queue in self._wanted)
        free = all(queue.name != name for queue in (*self._wanted, *self._queues))
        return free and all(delivery.queue != name for delivery in list(self._held.values()))

    def start(self) -> None:
        """Run in a daemon thread."""
        self._thread = threading.Thread(target=self.run, name=f"dragoman-{self._role}", daemon=True)
        self._thread.start()

    def stop(self, grace: float = 5.0) -> None:
        """Take no more, give what was handed out ``grace`` seconds to be settled, hand back the rest, and end.

        From another thread it waits for the end; from the consumer's own it only asks for it.
        """
        self._grace = time.monotonic() + grace
        self._stopping.set()
        self._wake()
        if self._thread is not None and threading.get_ident() != self._runner:
            self._thread.join()

    def run(self) -> None:
        """Consume until `stop` is called; connects again for as long as it takes."""
        self._runner = threading.get_ident()
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                self._queues = self._wanted
                self._taker = self._broker.open_taker(self._role, self._queues, self._prefetch)
                backoff.reset()
                self._is_up()
                self._serve(self._taker)
            except Exception as error:
                self._is_down(error)
                self._stopping.wait(backoff.next())
        self._dead.close()

    # One connection ----------------------------------------------------------------------------------

    def _serve(self, taker: Taker) -> None:
        """Consume until the consumer is stopped (returns) or the connection is lost (raises)."""
        next_tick = time.monotonic() + taker.interval
        cancelled = False
        while True:
            self._settle(taker)
            if (wanted := self._wanted) is not self._queues:
                change(taker, self._queues, wanted)
                self._queues = wanted
            now = time.monotonic()
            if self._stopping.is_set():
                if not cancelled:
                    cancelled = True
                    taker.cancel()
                    self._resume = 0.0
                    self._put_back(taker)
                self._settle(taker)  # what was settled before `stop` was called
                if not self._held or now >= self._grace:
                    self._hand_back(taker)
                    return
            wait = next_tick - now
            limit = self._prefetch
            if cancelled:
                wait, limit = min(wait, self._grace - now), 0
            elif self._resume > now:
                wait, limit = min(wait, self._resume - now), 0
            else:
                self._put_back(taker)
            if self._held:
                wait = min(wait, LAZY)
            taken = taker.take(max(min(wait, IDLE), 0.0), limit)
            if time.monotonic() >= next_tick:
                taker.tick()
                next_tick = time.monotonic() + taker.interval
            if taken:
                self._give(taken)

    def _give(self, taken: list[Taken]) -> None:
        batch = []
        for each in taken:
            delivery = Delivery(
                each.body, each.headers, each.properties, each.queue, each.routing_key, each.redelivered,
                each.tag, self._generation, self._collect,
            )  # fmt: skip
            self._held[each.tag] = delivery
            # A dead letter that is parked would come back for ever: whoever reads those takes them as they are.
            dead = each.queue == self._broker.topology.dead_queue().name
            if not dead and (reason := each.broken or unacceptable(each.body, each.headers, each.properties)):
                delivery.park(reason)
            else:
                batch.append(delivery)
        if not batch:
            return
        try:
            self._handle(batch)
            self._pauses.reset()
        except Exception as error:
            if len(batch) == 1:
                self._failed(batch[0], error)
                return
            for delivery in batch:
                if not delivery.settled:
                    try:
                        self._handle([delivery])
                    except Exception as single:
                        self._failed(delivery, single)

    def _failed(self, delivery: Delivery, error: Exception) -> None:
        if delivery.settled:
            log.exception("after a message of %s was settled", delivery.queue, exc_info=error)
        elif isinstance(error, self._retry):
            log.warning("a message of %s has to wait: %s", delivery.queue, error)
            self._postpone([delivery])
        else:
            log.error("a message of %s is parked", delivery.queue, exc_info=error)
            # The text of an error may carry a secret, its type does not.
            delivery.park(f"its handler raised {type(error).__name__}")

    # Settling ----------------------------------------------------------------------------------------

    def _collect(self, delivery: Delivery, what: str, reason: str) -> None:
        """Remember what is to be done; called from any thread."""
        self._settled.append((delivery, what, reason))
        # Waking a thread for each acknowledgement costs more than all else: a few wait for each other, or for
        # the next message. Something that goes back is awaited by somebody.
        prompt = what != "ack" or len(self._settled) >= self._prefetch // 4
        if prompt and threading.get_ident() != self._runner:
            self._wake()

    def put_back(self, deliveries: Sequence[Delivery]) -> None:
        """Requeue these at once, so that they come again in their order; from any thread."""
        for delivery in deliveries:
            delivery.settled = True
        self._settled.extend([(delivery, "requeue", "") for delivery in deliveries])
        self._wake()

    def _wake(self) -> None:
        if (taker := self._taker) is not None:
            taker.wake()

    def _settle(self, taker: Taker) -> None:
        acked: list[Any] = []
        requeued: list[Delivery] = []
        parked: list[tuple[Delivery, str]] = []
        while self._settled:
            delivery, what, reason = self._settled.popleft()
            if delivery.generation != self._generation:
                continue  # from before a reconnect: the broker delivers it again
            if what == "ack":
                acked.append(delivery.tag)
            elif what == "requeue":
                requeued.append(delivery)
            else:
                parked.append((delivery, reason))
        if parked:
            acked += self._park(parked)
        if acked:
            taker.ack(acked)
            for tag in acked:
                self._held.pop(tag, None)
        if requeued:
            self._requeue(taker, requeued)

    def _requeue(self, taker: Taker, deliveries: list[Delivery]) -> None:
        taker.requeue([delivery.tag for delivery in deliveries])
        for delivery in deliveries:
            self._held.pop(delivery.tag, None)

    def _postpone(self, deliveries: list[Delivery]) -> None:
        """Take nothing for a while, then put these back."""
        for delivery in deliveries:
            delivery.settled = True
        self._postponed += deliveries
        self._resume = time.monotonic() + self._pauses.next()

    def _put_back(self, taker: Taker) -> None:
        """The pause is over."""
        if self._postponed:
            postponed, self._postponed = self._postponed, []
            self._requeue(taker, postponed)

    def _park(self, parked: list[tuple[Delivery, str]]) -> list[Any]:
        """Publish the dead letters: the tags of those that are safe; the others are postponed."""
        safe: list[Any] = []
        for (delivery, reason), error in zip(parked, self._dead.publish(parked), strict=True):
            if error is None:
                log.warning("a message of %s is parked: %s", delivery.queue, reason)
                safe.append(delivery.tag)
                if self._on_park is not None:
                    self._on_park()
            else:
                log.error("a message of %s cannot be parked: %s", delivery.queue, error)
                self._postpone([delivery])
        return safe

    # Up, down, the end -------------------------------------------------------------------------------

    def _is_up(self) -> None:
        log.info("consuming from %s", self._broker.safe_url)
        self._reason = ""
        self._up.set()
        if self._on_up is not None:
            self._on_up()

    def _is_down(self, error: Exception) -> None:
        taker, self._taker = self._taker, None
        self._generation += 1
        self._held.clear()
        self._postponed.clear()
        self._resume = 0.0
        self._up.clear()
        # Once for each outage, and again for each other reason: not twice a second for hours.
        reason = str(error) or type(error).__name__
        level = logging.DEBUG if reason == self._reason else logging.WARNING
        self._reason = reason
        log.log(level, "not consuming from %s: %s", self._broker.safe_url, reason)
        if taker is not None:
            try:
                taker.drop()
            except Exception as dropping:
                log.debug("dropping the connection: %s", dropping)
        if self._on_down is not None:
            try:
                self._on_down(error)
            except Exception:  # nothing may end this thread
                log.exception("on_down has failed")

    def _hand_back(self, taker: Taker) -> None:
        """The end: what is still held goes back, in its order."""
        if self._held:
            log.warning("handing back %d unsettled messages", len(self._held))
            self._requeue(taker, list(self._held.values()))
        self._taker = None
        self._generation += 1
        self._up.clear()
        taker.close()
