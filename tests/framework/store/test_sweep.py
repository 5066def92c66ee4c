"""What is deleted of what skills keep, cooldowns and the directory."""

import pytest
from sqlalchemy import Engine, Table, func, select

from dragoman import Person
from dragoman.exchange import Broker
from dragoman.store.cooldowns import REMEMBERED, Spend, spend_cooldowns
from dragoman.store.data import DataRows
from dragoman.store.directory import read_people, write_people
from dragoman.store.schema import cooldowns, data, people
from dragoman.store.sweep import PEOPLE_KEPT, forget_expired
from dragoman.sweeper import HOUR, Sweeper

NOW = 1_700_000_000.0


def test_only_what_nobody_needs_any_more_is_forgotten(store: Engine) -> None:
    rows = DataRows(store, lambda: NOW)
    for key, end in [("over", NOW), ("later", NOW + 1), ("ever", None)]:
        rows.write("karma", "", key, "1", end)

    def count(table: Table) -> int:
        with store.connect() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    with store.begin() as connection:
        spend_cooldowns(connection, [Spend("over", "e1", 1, 1.0)], NOW - REMEMBERED)
        spend_cooldowns(connection, [Spend("held", "e1", 1, 1.0)], NOW)
        write_people(
            connection,
            [
                ("acme", "T1", Person(id="old"), NOW - PEOPLE_KEPT - 1),
                ("acme", "T1", Person(id="new"), NOW - PEOPLE_KEPT + 1),
            ],
        )
    with store.begin() as connection:
        assert forget_expired(connection, NOW) == 3
    assert (count(data), count(cooldowns), count(people)) == (2, 1, 1)
    with store.begin() as connection:
        assert forget_expired(connection, NOW) == 0
        assert read_people(connection, [("acme", "T1", "old"), ("acme", "T1", "new")]).keys() == {("acme", "T1", "new")}


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_sweeper_does_it_every_hour(store: Engine, namespace: str) -> None:
    now = NOW
    broker = Broker(f"memory://{namespace}", namespace)
    sweeper = Sweeper(store, broker, broker.topology, retention=30, clock=lambda: now)
    rows = DataRows(store, lambda: 0.0)

    def there() -> bool:
        return rows.read("karma", "", "a") is not None

    rows.write("karma", "", "a", "1", NOW)
    sweeper.sweep()
    assert not there()
    rows.write("karma", "", "a", "1", NOW)
    now += HOUR - 1
    sweeper.sweep()
    assert there()
    now += 2
    sweeper.sweep()
    assert not there()
    sweeper.close()
    broker.forget()
