"""The canary that does not come back."""

from concurrent.futures import Future

from dragoman.errors import BrokerError
from dragoman.exchange import Outgoing
from dragoman.exchange.topology import Topology
from dragoman.worker.canary import Canary


class Mine:
    """A canary with a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sent: list[Outgoing] = []
        self.error: Exception | None = None
        self.canary = Canary(
            Topology("bot").canary_queue("me"), self._publish, every=5.0, deaf=15.0, clock=lambda: self.now
        )
        self.canary.listen(True)

    def _publish(self, message: Outgoing) -> "Future[None]":
        self.sent.append(message)
        future: Future[None] = Future()
        if self.error is None:
            future.set_result(None)
        else:
            future.set_exception(self.error)
        return future

    def after(self, seconds: float) -> bool:
        """Look in every second of so many; whether the worker is deaf."""
        deaf = False
        for _ in range(int(seconds)):
            self.now += 1.0
            deaf = self.canary.look()
        return deaf


def test_one_flies_every_five_seconds_to_the_queue_of_the_worker() -> None:
    mine = Mine()
    for _ in range(20):
        mine.after(1)
        mine.canary.seen()
    assert len(mine.sent) == 4
    assert {(message.exchange.name, message.routing_key) for message in mine.sent} == {("", "bot.canary.me")}


def test_a_worker_to_which_none_comes_back_is_deaf() -> None:
    mine = Mine()
    assert not mine.after(20)
    assert mine.after(1)


def test_a_worker_to_which_they_come_back_is_not() -> None:
    mine = Mine()
    for _ in range(100):
        assert not mine.after(1)
        mine.canary.seen()


def test_nothing_is_said_of_a_worker_while_the_broker_is_away() -> None:
    mine = Mine()
    mine.error = BrokerError("away")
    assert not mine.after(100)
    mine.error = None
    assert mine.after(25)


def test_a_new_connection_has_a_new_chance() -> None:
    mine = Mine()
    mine.after(15)
    mine.canary.listen(False)
    assert not mine.after(100)
    mine.canary.listen(True)
    assert not mine.after(15)


def test_a_machine_that_slept_says_nothing_of_its_worker() -> None:
    mine = Mine()
    mine.after(10)
    mine.now += 3600
    assert not mine.canary.look()
    mine.canary.seen()
    assert not mine.after(10)


def test_one_that_the_broker_has_not_confirmed_yet_proves_nothing() -> None:
    mine = Mine()
    waiting: list[Future[None]] = []

    def publish(message: Outgoing) -> "Future[None]":
        waiting.append(Future())
        return waiting[-1]

    mine.canary = Canary(Topology("bot").canary_queue("me"), publish, every=5.0, deaf=15.0, clock=lambda: mine.now)
    mine.canary.listen(True)
    assert not mine.after(100)
    # It came back before the broker's word for it did.
    mine.canary.seen()
    waiting[0].set_result(None)
    assert not mine.after(16)
    waiting[-1].set_result(None)
    assert mine.after(20)
