"""Many callers, one commit; and one caller's trouble is not another's."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError

from dragoman import DragomanError
from dragoman.store.batch import MOST, Batcher

PATIENCE = 20.0


def write(connection: Connection, items: Sequence[str]) -> list[str]:
    connection.execute(text("INSERT INTO notes VALUES (:note)"), [{"note": item} for item in items])
    if "bad" in items:
        raise ValueError("bad item")
    return [item.upper() for item in items]


def count(connection: Connection, items: Sequence[str]) -> list[int]:
    return [int(connection.execute(text("SELECT count(*) FROM notes")).scalar_one())] * len(items)


class Gate:
    """Keeps the batcher's thread in a transaction, so that what is asked meanwhile comes together."""

    def __init__(self, batcher: Batcher) -> None:
        self.inside, self.open = threading.Event(), threading.Event()
        self.future = batcher.submit(self._hold, None)
        assert self.inside.wait(PATIENCE)

    def _hold(self, _: Connection, items: Sequence[None]) -> list[None]:
        self.inside.set()
        assert self.open.wait(PATIENCE)
        return [None] * len(items)


class Commits:
    def __init__(self, engine: Engine) -> None:
        self.count = 0
        event.listen(engine, "commit", self._committed)

    def _committed(self, _: Connection) -> None:
        self.count += 1


@pytest.fixture
def batcher(store: Engine) -> Iterator[Batcher]:
    with store.begin() as connection:
        connection.execute(text("CREATE TABLE notes (note TEXT)"))
    made = Batcher(store)
    yield made
    made.close()


def notes(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(connection.execute(text("SELECT note FROM notes")).scalars())


def test_an_answer_comes_when_it_is_committed(batcher: Batcher, store: Engine) -> None:
    assert batcher.submit(write, "a").result(PATIENCE) == "A"
    assert notes(store) == ["a"]


def test_what_is_asked_while_a_transaction_runs_shares_the_next_commit(batcher: Batcher, store: Engine) -> None:
    gate, commits = Gate(batcher), Commits(store)
    answers = [batcher.submit(write, f"n{n:03}") for n in range(300)]
    gate.open.set()
    assert [answer.result(PATIENCE) for answer in answers] == [f"N{n:03}" for n in range(300)]
    assert commits.count == 2  # the gate's own, and one for all of them


def test_one_transaction_does_not_take_more_than_its_share(batcher: Batcher, store: Engine) -> None:
    gate, commits = Gate(batcher), Commits(store)
    answers = [batcher.submit(write, "n") for _ in range(MOST + 1)]
    gate.open.set()
    wait(answers, PATIENCE)
    assert commits.count == 3
    assert len(notes(store)) == MOST + 1


def test_different_operations_share_a_commit_too(batcher: Batcher, store: Engine) -> None:
    gate, commits = Gate(batcher), Commits(store)
    written, counted = batcher.submit(write, "a"), batcher.submit(count, "")
    gate.open.set()
    assert (written.result(PATIENCE), counted.result(PATIENCE)) == ("A", 1)
    assert commits.count == 2


def test_a_bad_item_does_not_fail_its_neighbours(batcher: Batcher, store: Engine) -> None:
    gate = Gate(batcher)
    good, bad, better = [batcher.submit(write, item) for item in ("good", "bad", "better")]
    gate.open.set()
    assert (good.result(PATIENCE), better.result(PATIENCE)) == ("GOOD", "BETTER")
    with pytest.raises(ValueError, match="bad item"):
        bad.result(PATIENCE)
    assert notes(store) == ["better", "good"]


def test_a_bad_item_alone_gets_its_error_and_the_next_one_is_served(batcher: Batcher) -> None:
    with pytest.raises(ValueError, match="bad item"):
        batcher.submit(write, "bad").result(PATIENCE)
    assert batcher.submit(write, "good").result(PATIENCE) == "GOOD"


def test_a_store_that_is_away_fails_everybody_who_asks() -> None:
    engine = create_engine("sqlite://")
    asked = []

    @event.listens_for(engine, "do_connect")
    def away(*_: object) -> None:
        asked.append(1)
        raise OperationalError("connect", {}, Exception("the store is away"))

    batcher = Batcher(engine)
    # Some are in one batch, some come after it: nobody knows how many.
    blocked: list[Future[str]] = [batcher.submit(write, "a") for _ in range(50)]
    for answer in blocked:
        with pytest.raises(OperationalError, match="away"):
            answer.result(PATIENCE)
    assert 0 < len(asked) <= 50
    batcher.close()
    engine.dispose()


def test_everybody_in_a_batch_fails_with_a_store_that_goes_away(batcher: Batcher) -> None:
    calls = []

    def lost(_: Connection, items: Sequence[str]) -> list[str]:
        calls.append(len(items))
        raise OperationalError("commit", {}, Exception("the store went away"))

    gate = Gate(batcher)
    answers = [batcher.submit(lost, "a") for _ in range(20)]
    gate.open.set()
    for answer in answers:
        with pytest.raises(OperationalError):
            answer.result(PATIENCE)
    assert calls == [20]  # not once more for each: each may take as long as a connection's timeout


def test_what_was_asked_before_the_close_is_committed(store: Engine, batcher: Batcher) -> None:
    gate = Gate(batcher)
    answers = [batcher.submit(write, f"n{n}") for n in range(10)]
    closing = threading.Thread(target=batcher.close)
    closing.start()
    gate.open.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert all(answer.done() for answer in answers)
    assert len(notes(store)) == 10


def test_what_is_asked_after_the_close_is_refused_and_closing_twice_is_nothing(batcher: Batcher) -> None:
    batcher.close()
    batcher.close()
    with pytest.raises(DragomanError, match="closed"):
        batcher.submit(write, "a").result(PATIENCE)


def test_a_caller_that_gives_up_does_not_stop_the_ledger(batcher: Batcher, store: Engine) -> None:
    gate = Gate(batcher)
    gone, stays = batcher.submit(write, "gone"), batcher.submit(write, "stays")
    assert gone.cancel()
    gate.open.set()
    assert stays.result(PATIENCE) == "STAYS"
    assert notes(store) == ["stays"]
    assert batcher.submit(write, "more").result(PATIENCE) == "MORE"


async def test_an_asyncio_caller_that_is_cancelled_does_not_stop_the_ledger(batcher: Batcher) -> None:
    gate = Gate(batcher)
    waiting = asyncio.ensure_future(asyncio.wrap_future(batcher.submit(write, "a")))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.open.set()
    assert await asyncio.wrap_future(batcher.submit(write, "b")) == "B"
