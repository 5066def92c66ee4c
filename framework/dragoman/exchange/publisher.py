"""Publishing: many messages with one wait, and an outcome for each of them."""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final, TypeAlias

from ..errors import BrokerError, UnroutableError
from .backoff import Backoff
from .broker import Broker
from .links import Sender
from .message import Outgoing, as_broker_error

__all__ = ["AsyncPublisher", "Publisher"]

log = logging.getLogger(__name__)

#: Who waits for an outcome: a thread or a coroutine.
Waiter: TypeAlias = "Future[None] | asyncio.Future[None]"

#: Messages that wait together are published together, up to so many.
MOST: Final = 500


class Publisher:
    """Publishes batches; for one thread.

    Args:
        broker: where to.
        role: see `Broker.transport_options`.
        timeout: for how long one call may take, with reconnecting, in seconds.
    """

    def __init__(self, broker: Broker, role: str, *, timeout: float = 10.0) -> None:
        self._broker = broker
        self._role = role
        self._timeout = timeout
        self._sender: Sender | None = None
        self._declared: set[str] = set()
        self._closed = threading.Event()

    def publish(self, batch: Sequence[Outgoing], *, timeout: float | None = None) -> list[Exception | None]:
        """Publish all and wait until the broker has confirmed each.

        Returns:
            For each message ``None`` when it is safe with the broker, `UnroutableError` when no queue takes
            it, and `BrokerError` when the broker refused it, cannot be reached, or when the connection broke
            before the confirm: then it may have arrived or not, and publishing it again is right if its
            reader notices duplicates.
        """
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        results = self._publish(batch, deadline)
        lost = [place for place, error in enumerate(results)
                if isinstance(error, UnroutableError) and batch[place].queues]  # fmt: skip
        if lost:
            # It was declared once: somebody has deleted it since, or the broker has lost its data.
            self._drop()
            again = self._publish([batch[place] for place in lost], deadline)
            for place, result in zip(lost, again, strict=True):
                results[place] = result
        return results

    def _publish(self, batch: Sequence[Outgoing], deadline: float) -> list[Exception | None]:
        results: list[Exception | None] = [None] * len(batch)
        try:
            refused = self._prepare(batch, deadline)
        except BrokerError as error:
            return [error] * len(batch)
        good = [place for place in range(len(batch)) if place not in refused] if refused else range(len(batch))
        for place, refusal in refused.items():
            results[place] = refusal
        messages = [batch[place] for place in good] if refused else batch
        if messages:
            for place, result in zip(good, self._send(messages, deadline), strict=True):
                results[place] = result
        return results

    def give_up(self) -> None:
        """End a call in another thread that waits for the broker to come back."""
        self._closed.set()

    def close(self) -> None:
        """Close the connection. A call in another thread that waits for the broker to come back gives up."""
        self._closed.set()
        self._drop(politely=True)

    def _send(self, batch: Sequence[Outgoing], deadline: float) -> list[Exception | None]:
        sender = self._sender
        assert sender is not None
        try:
            return sender.send(batch, deadline)
        except Exception as error:
            log.warning("connection to %s lost while publishing: %s", self._broker.safe_url, error)
            results = sender.results(batch, error)
            self._drop()
            return results

    def _prepare(self, batch: Sequence[Outgoing], deadline: float) -> dict[int, Exception]:
        """Be connected and have the queues declared: those of the messages whose queues are refused."""
        refused: dict[int, Exception] = {}
        backoff = Backoff()
        while True:
            try:
                sender = self._connect()
                for place, message in enumerate(batch):
                    for each in message.queues:
                        if each.name not in self._declared and place not in refused:
                            error = self._declare(sender, each)
                            if error is not None:
                                refused[place] = error
                                raise error  # the channel is gone with it
                return refused
            except Exception as error:
                self._drop()
                if refused and error in refused.values():
                    continue
                wait = backoff.next()
                if self._closed.is_set() or time.monotonic() + wait >= deadline:
                    raise BrokerError(
                        f"cannot reach the broker at {self._broker.safe_url}: "
                        f"{str(error) or type(error).__name__}; is it running, and is the address right?"
                    ) from error
                self._closed.wait(wait)

    def _connect(self) -> Sender:
        if self._closed.is_set():
            raise BrokerError("this publisher has been closed")
        if self._sender is not None:
            try:
                self._sender.check()
                return self._sender
            except Exception as error:  # it was closed while nobody published
                log.info("connection to %s was closed: %s", self._broker.safe_url, error)
                self._drop()
        self._sender = self._broker.open_sender(self._role)
        return self._sender

    def _declare(self, sender: Sender, wanted: object) -> Exception | None:
        """Declare one queue; an error of the queue's own (other arguments than it has) is returned."""
        name = str(getattr(wanted, "name", wanted))
        try:
            sender.declare(wanted)
        except Exception as error:
            if getattr(error, "reply_code", None) in (403, 405, 406):
                return as_broker_error(
                    error,
                    f"queue {name!r} cannot be declared (delete it, or use another namespace, if it was made "
                    "with other arguments)",
                )
            raise
        self._declared.add(name)
        return None

    def _drop(self, *, politely: bool = False) -> None:
        sender, self._sender = self._sender, None
        self._declared.clear()  # another broker, or one that has lost its data, may answer next
        if sender is not None:
            try:
                sender.close() if politely else sender.drop()
            except Exception as error:
                log.debug("closing: %s", error)


class AsyncPublisher:
    """A publisher for many threads, and for asyncio code that can await; what waits together is published
    together.

    It owns one daemon thread. Nothing is tried twice: what to do about a `BrokerError` is the caller's to
    know.
    """

    def __init__(self, broker: Broker, role: str, *, timeout: float = 10.0) -> None:
        self._publisher = Publisher(broker, role, timeout=timeout)
        self._timeout = timeout
        self._waiting: queue.SimpleQueue[tuple[Outgoing, Waiter] | None] = queue.SimpleQueue()
        #: Nothing may be put after the end: nobody would ever answer.
        self._gate = threading.Lock()
        self._thread: threading.Thread | None = None
        self._open = False

    async def __aenter__(self) -> "AsyncPublisher":
        self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await asyncio.to_thread(self.close)

    def start(self) -> None:
        """Begin."""
        if self._thread is None:
            self._open = True
            self._thread = threading.Thread(target=self._run, name="dragoman-publisher", daemon=True)
            self._thread.start()

    def submit(self, message: Outgoing) -> "Future[None]":
        """Publish; the future ends when it is safe with the broker, or with an error as `publish` raises."""
        future: Future[None] = Future()
        try:
            self._put(message, future)
        except BrokerError as error:
            future.set_exception(error)
        return future

    async def publish(self, message: Outgoing) -> None:
        """Publish, and wait until it is safe with the broker.

        Raises:
            UnroutableError: no queue takes it.
            BrokerError: see `Publisher.publish`.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put(message, future)
        await future

    def close(self, timeout: float | None = None) -> None:
        """Publish what is waiting, for at most ``timeout`` seconds, then stop.

        What is left then gets a `BrokerError`.
        """
        with self._gate:
            thread, self._thread = self._thread, None
            self._open = False
            if thread is None:
                return
            self._waiting.put(None)
        thread.join(self._timeout if timeout is None else timeout)
        if thread.is_alive():
            self._publisher.give_up()
            thread.join(1.0)
        left = []
        while not self._waiting.empty():
            item = self._waiting.get_nowait()
            if item is not None:
                left.append(item[1])
        if left:
            log.warning("%d messages were not published: the publisher was closed", len(left))
            _resolve(left, [BrokerError("the publisher was closed")] * len(left))

    def _put(self, message: Outgoing, waiter: "Waiter") -> None:
        with self._gate:
            if not self._open:
                raise BrokerError("the publisher is closed: start it before publishing")
            self._waiting.put((message, waiter))

    def _run(self) -> None:
        last = False
        while not last:
            items = [self._waiting.get()]
            while len(items) < MOST and not self._waiting.empty():
                items.append(self._waiting.get_nowait())
            last = None in items
            batch = [item for item in items if item is not None]
            if batch:
                self._publish(batch)
        self._publisher.close()

    def _publish(self, batch: "list[tuple[Outgoing, Waiter]]") -> None:
        results: Sequence[Exception | None]
        try:
            results = self._publisher.publish([message for message, _ in batch])
        except Exception as error:  # a fault of ours must not leave anybody waiting
            log.exception("publishing failed")
            results = [as_broker_error(error, "publishing failed")] * len(batch)
        _resolve([future for _, future in batch], results)


def _resolve(waiters: "Sequence[Waiter]", results: Sequence[Exception | None]) -> None:
    """Tell everybody; each event loop is woken once, not once for each message."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[None], Exception | None]]] = {}
    for waiter, error in zip(waiters, results, strict=True):
        if isinstance(waiter, asyncio.Future):
            loops.setdefault(waiter.get_loop(), []).append((waiter, error))
        elif waiter.set_running_or_notify_cancel():  # not cancelled
            _finish([(waiter, error)])
    for loop, outcomes in loops.items():
        try:
            loop.call_soon_threadsafe(_finish, outcomes)
        except RuntimeError:
            log.warning("the event loop was closed before %d messages were confirmed", len(outcomes))


def _finish(outcomes: "Sequence[tuple[Waiter, Exception | None]]") -> None:
    for waiter, error in outcomes:
        if waiter.done():  # whoever waited has been cancelled
            continue
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(error)
