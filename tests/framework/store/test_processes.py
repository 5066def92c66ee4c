"""Who is alive."""

import time

from sqlalchemy import Engine, select, update

from dragoman.store.ledger import MOST_LOSSES, Routed, claim_runs, route_events
from dragoman.store.processes import DEAD, Process, alive, beat, bury, forget
from dragoman.store.schema import processes, runs
from support.samples import message, task

ONE = Process("worker", id="one", host="here", pid=11)
TWO = Process("worker", id="two", host="there", pid=11)


def living(store: Engine) -> set[str]:
    with store.begin() as connection:
        return set(alive(connection))


def test_a_process_lives_while_its_heart_beats(store: Engine) -> None:
    with store.begin() as connection:
        beat(connection, ONE)
    assert living(store) == {"one"}
    with store.begin() as connection:
        connection.execute(update(processes).values(beat_at=time.time() - DEAD - 1))
    assert living(store) == set()
    with store.begin() as connection:
        beat(connection, ONE)
    assert living(store) == {"one"}


def test_a_beat_keeps_the_time_of_the_start(store: Engine) -> None:
    with store.begin() as connection:
        beat(connection, ONE)
        started = connection.execute(select(processes.c.started_at)).scalar_one()
        beat(connection, ONE)
        assert connection.execute(select(processes.c.started_at)).scalars().all() == [started]


def test_only_the_process_of_that_machine_is_buried(store: Engine) -> None:
    with store.begin() as connection:
        beat(connection, ONE)
        beat(connection, TWO)
        bury(connection, 11, "here")
    assert living(store) == {"two"}


def test_a_process_that_ends_in_order_hands_back_its_runs_at_once(store: Engine) -> None:
    found, other = task(), task(message(key="e2"))
    with store.begin() as connection:
        beat(connection, ONE)
        beat(connection, TWO)
        route_events(connection, [Routed(message(), ((found, 1),), ()), Routed(message(key="e2"), ((other, 1),), ())])
        claim_runs(connection, [(found.run, "one"), (other.run, "two")])
        forget(connection, ONE)
        rows = {row.id: row for row in connection.execute(select(runs))}
    assert (rows[found.run].state, rows[found.run].owner) == ("queued", None)
    assert rows[found.run].due_at <= time.time()
    assert (rows[other.run].state, rows[other.run].owner) == ("running", "two")
    assert living(store) == {"two"}


def test_stops_do_not_count_as_losses_however_many(store: Engine) -> None:
    """Ten roll-overs in one long run are nobody's failure; but its handler is told which attempt it is."""
    found, attempts = task(), []
    with store.begin() as connection:
        route_events(connection, [Routed(message(), ((found, 1),), ())])
        for _ in range(MOST_LOSSES * 2):
            beat(connection, ONE)
            attempts.append(claim_runs(connection, [(found.run, "one")])[0].attempt)
            forget(connection, ONE)
        row = connection.execute(select(runs)).one()
    assert attempts == list(range(1, MOST_LOSSES * 2 + 1))
    assert (row.state, row.losses, row.failures) == ("queued", 0, 0)


def test_processes_are_told_apart_by_an_id_of_their_own() -> None:
    assert Process("worker").id != Process("worker").id
