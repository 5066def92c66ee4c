"""The scheduler, with a real store and a broker in memory: what is due is published, once."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy import event as sql

from dragoman import SkillManifest, wire
from dragoman.exchange import Broker
from dragoman.scheduler import CATALOGUE, Scheduler
from dragoman.store.engine import open_store
from dragoman.store.ledger import FIRST_LOOK
from dragoman.store.schema import events, manifests, timers
from dragoman.store.timers import TimerRows
from dragoman.sweeper import Sweeper
from dragoman.timers import timer_id
from support.servers import wait_until
from support.timers import at, publish, skill, timer

NEWS, POLL = skill("news", daily="0 9 * * *"), skill("poll", daily="0 9 * * *")


class Rig:
    def __init__(self, url: str, namespace: str) -> None:
        self.engine = open_store(url)
        self.broker = Broker(f"memory://{namespace}", namespace)
        self.timers = TimerRows(self.engine)
        self.schedulers: list[Scheduler] = []
        self.publish(SkillManifest(name="remind"))

    def scheduler(self, **options: Callable[[], float]) -> Scheduler:
        made = Scheduler(self.engine, self.broker, self.broker.topology, **options)
        self.schedulers.append(made)
        return made

    def publish(self, *found: SkillManifest) -> None:
        publish(self.engine, *found)

    def published(self) -> list[Any]:
        """What is in the routers' queue."""
        found = []
        with self.broker.connection("test") as connection:
            queue = self.broker.topology.router_queue()(connection.default_channel)
            queue.declare()
            while (message := queue.get(no_ack=True)) is not None:
                found.append(wire.decode_event(message.body))
        return found

    def recorded(self) -> list[str]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(events.c.key)).scalars())

    def ids(self) -> list[str]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(timers.c.id)).scalars())

    def close(self) -> None:
        for scheduler in self.schedulers:
            scheduler.close()
        self.broker.forget()
        self.engine.dispose()


@pytest.fixture
def rig(tmp_path: Path, namespace: str) -> Iterator[Rig]:
    found = Rig(f"sqlite:///{tmp_path / 'store.db'}", namespace)
    yield found
    found.close()


def test_what_is_due_is_published_and_nothing_before(rig: Rig) -> None:
    scheduler = rig.scheduler()
    rig.timers.add(timer("one", 100.0))
    assert scheduler.tick(99.0) == []
    assert rig.published() == []
    taken = scheduler.tick(100.0)
    assert rig.published() == taken
    assert [event.due for event in taken] == [100.0]


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_three_schedulers_let_it_happen_once(
    request: pytest.FixtureRequest, tmp_path: Path, namespace: str, database: str
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    if database == "postgresql":
        url = f"postgresql{request.getfixturevalue('postgres').database()}"
    rig = Rig(url, namespace)
    schedulers = [rig.scheduler() for _ in range(3)]
    rig.publish(SkillManifest(name="remind"), NEWS)
    for scheduler in schedulers:
        scheduler.tick(at("2026-06-01 08:00+02:00"))
    for number in range(20):
        rig.timers.add(timer(str(number), 100.0))
    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(scheduler.tick, at("2026-06-01 09:00+02:00")) for scheduler in schedulers]
        taken = [event.key for each in done for event in each.result(20)]
    # What one has taken the others leave out, and look for again.
    taken += [event.key for scheduler in schedulers for event in scheduler.tick(at("2026-06-01 09:00+02:00"))]
    wanted = [f"schedule/{timer_id(str(n))}" for n in range(20)]
    wanted.append(f"schedule/cron/news.daily/{at('2026-06-01 09:00+02:00'):.0f}")
    assert sorted(taken) == sorted(wanted)
    assert sorted(event.key for event in rig.published()) == sorted(wanted)
    rig.close()


def test_after_all_were_killed_before_its_time_it_happens_once(rig: Rig) -> None:
    nine = at("2026-06-01 09:00+02:00")
    rig.publish(SkillManifest(name="remind"), skill("news", daily="0 * * * *"))
    rig.scheduler().tick(nine - 10)
    rig.timers.add(timer("one", nine + 1))
    # Nobody looks for a day; then two do.
    after = [rig.scheduler(), rig.scheduler()]
    taken = [event for scheduler in after for event in scheduler.tick(nine + 86400 + 5)]
    assert [(event.handler, event.due) for event in taken] == [("daily", nine + 86400), ("ring", nine + 1)]
    assert len(rig.published()) == 2


def test_what_the_broker_did_not_take_is_published_by_the_sweeper(rig: Rig, namespace: str) -> None:
    nowhere = Broker("redis://127.0.0.1:1/0", namespace)
    scheduler = Scheduler(rig.engine, nowhere, nowhere.topology)
    scheduler.close()  # so it does not wait for the broker
    rig.timers.add(timer("one", 100.0))
    (event,) = scheduler.tick(100.0)
    assert rig.recorded() == [event.key]
    assert rig.published() == []
    with rig.engine.begin() as connection:
        connection.execute(update(events).values(due_at=events.c.due_at - 2 * FIRST_LOOK))
    sweeper = Sweeper(rig.engine, rig.broker, rig.broker.topology, retention=30, handles=400)
    assert sweeper.sweep() == 1
    sweeper.close()
    assert rig.published() == [event]


def test_a_schedule_that_comes_later_is_noticed(rig: Rig) -> None:
    scheduler = rig.scheduler()
    eight = at("2026-06-01 08:00+02:00")
    scheduler.tick(eight)
    rig.publish(SkillManifest(name="remind"), NEWS)
    scheduler.tick(eight + CATALOGUE)
    assert [event.handler for event in scheduler.tick(eight + 3600)] == ["daily"]


def test_a_retired_skill_is_not_scheduled_any_more(rig: Rig) -> None:
    scheduler = rig.scheduler()
    eight = at("2026-06-01 08:00+02:00")
    rig.publish(NEWS, POLL)
    scheduler.tick(eight)
    rig.publish(POLL)
    scheduler.tick(eight + CATALOGUE)
    assert rig.ids() == ["cron/poll.daily"]
    assert [event.skill for event in scheduler.tick(eight + 3600)] == ["poll"]


def test_a_manifest_that_cannot_be_read_stays_scheduled(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    scheduler = rig.scheduler()
    eight = at("2026-06-01 08:00+02:00")
    rig.publish(NEWS, POLL)
    scheduler.tick(eight)
    with rig.engine.begin() as connection:
        newer = update(manifests).where(manifests.c.skill == "news").values(digest="newer", body=json.dumps({"v": 99}))
        connection.execute(newer)
    scheduler.tick(eight + CATALOGUE)
    assert "news" in caplog.text
    assert sorted(event.skill for event in scheduler.tick(eight + 3600)) == ["news", "poll"]


def test_schedules_that_could_not_be_written_are_written_at_the_next_look(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = rig.scheduler()
    rig.publish(NEWS)

    def fail(*_: object) -> None:
        raise RuntimeError("the store is full")

    with monkeypatch.context() as patch:
        patch.setattr("dragoman.scheduler.write_schedules", fail)
        with pytest.raises(RuntimeError):
            scheduler.tick(0.0)
    scheduler.tick(0.0)
    assert rig.ids() == ["cron/news.daily"]


def test_it_happens_within_a_second_of_its_time(rig: Rig) -> None:
    scheduler = rig.scheduler()
    scheduler.start()
    due = time.time() + 0.7
    rig.timers.add(timer("one", due))
    wait_until(lambda: bool(rig.recorded()), 5.0, "the timer")
    assert 0.0 <= time.time() - due < 1.0
    scheduler.stop()


def test_it_wakes_for_the_one_that_it_knows_of(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.scheduler.EVERY", 60.0)
    rig.timers.add(timer("one", time.time() + 0.2))
    scheduler = rig.scheduler()
    scheduler.start()
    wait_until(lambda: bool(rig.recorded()), 10.0, "the timer")
    scheduler.stop()


def test_an_idle_look_is_one_query(rig: Rig) -> None:
    scheduler = rig.scheduler()
    scheduler.tick(0.0)
    asked: list[str] = []
    sql.listen(rig.engine, "before_cursor_execute", lambda *found: asked.append(found[2]))
    assert scheduler.tick(1.0) == []
    assert [statement for statement in asked if not statement.startswith("BEGIN")] == [asked[-1]]
    plan = plan_of(rig.engine, asked[-1])
    assert "timers_due" in plan
    assert "SCAN manifests" not in plan


def plan_of(engine: Engine, statement: str) -> str:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", (1, 0)).all()
    return "\n".join(str(row) for row in rows)
