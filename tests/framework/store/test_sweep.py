"""What is deleted of what skills keep, cooldowns and the directory, and of what the bot said."""

import time
from typing import Any

import pytest
from sqlalchemy import Engine, Select, Table, func, select, update

from dragoman import ActionBase, Address, Content, Edit, Person, Send, Sent, Target
from dragoman.exchange import Broker
from dragoman.store.cooldowns import REMEMBERED, Spend, spend_cooldowns
from dragoman.store.data import DataRows
from dragoman.store.directory import read_people, write_people
from dragoman.store.enquiries import said_at
from dragoman.store.ledger import Known, look_up, postpone_actions, record_refused, record_sent
from dragoman.store.schema import actions, cooldowns, data, people
from dragoman.store.sweep import DONE, FORGOTTEN, PEOPLE_KEPT, forget_actions, forget_expired
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
    sweeper = Sweeper(store, broker, broker.topology, retention=30, handles=400, clock=lambda: now)
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


HERE = Address(account="acme", tenant="T1", channel="C7")
SAID = Send(key="said", address=HERE, content=Content(text="a secret"), run="r1", traceparent="t")


def record(store: Engine, *done: tuple[ActionBase, tuple[str, ...]], at: float = NOW) -> None:
    with store.begin() as connection:
        record_sent(connection, [(action, Sent(ids=ids)) for action, ids in done])
        keys = [action.key for action, _ in done]
        connection.execute(update(actions).where(actions.c.key.in_(keys)).values(created_at=at))


def keys(store: Engine) -> set[str]:
    with store.connect() as connection:
        return set(connection.execute(select(actions.c.key)).scalars())


def test_of_what_the_bot_said_the_words_are_forgotten_first_and_where_it_was_said_later(store: Engine) -> None:
    record(store, (SAID, ("m1", "m2")))
    for before, handles_before, gone in [(NOW, NOW, 0), (NOW + 1, NOW, 1), (NOW + 1, NOW, 0)]:
        with store.begin() as connection:
            assert forget_actions(connection, before, handles_before) == gone
            assert look_up(connection, ["said"]) == {"said": Known("sent", Sent(ids=("m1", "m2")))}
            assert said_at(connection, "said") == HERE
            row = connection.execute(select(actions)).one()
            assert (row.account, row.created_at) == ("acme", NOW)
            assert ("secret" in row.body) is (before == NOW)
    with store.begin() as connection:
        record_sent(connection, [(SAID, Sent(ids=("m3",)))])  # what was sent stays sent
        assert look_up(connection, ["said"])["said"].sent.ids == ("m1", "m2")
        assert forget_actions(connection, NOW + 1, NOW + 1) == 1
        assert look_up(connection, ["said"]) == {}


def test_only_what_has_a_handle_is_kept_for_longer(store: Engine) -> None:
    edit = Edit(key="edit", address=HERE, target=Target(key="said"), content=Content(text="a secret"))
    silent = SAID.model_copy(update={"key": "silent"})
    record(store, (SAID, ("m1",)), (edit, ("m1",)), (silent, ()))
    unreadable = SAID.model_copy(update={"key": "unreadable"})
    record(store, (unreadable, ("m1",)))
    with store.begin() as connection:
        connection.execute(update(actions).where(actions.c.key == "unreadable").values(body='{"kind": "newer"}'))
        record_refused(connection, [(SAID.model_copy(update={"key": "refused"}), "no")])
        postpone_actions(connection, [SAID.model_copy(update={"key": "pending"})])
        connection.execute(update(actions).where(actions.c.key.in_(["refused", "pending"])).values(created_at=NOW))
    with store.begin() as connection:
        assert forget_actions(connection, NOW + 1, NOW, dead_before=time.time() + 1) == 5
    assert keys(store) == {"said", "pending"}


def test_what_is_too_old_for_both_is_deleted_at_once(store: Engine) -> None:
    record(store, (SAID, ("m1",)))
    with store.begin() as connection:
        assert forget_actions(connection, NOW + 2, NOW + 1) == 1
    assert keys(store) == set()


def test_a_few_are_forgotten_at_once_the_eldest_first(store: Engine) -> None:
    for n in range(5):
        record(store, (SAID.model_copy(update={"key": str(n)}), ("m1",)), at=NOW - n)

    def forgotten() -> set[str]:
        with store.connect() as connection:
            return set(connection.execute(select(actions.c.key).where(actions.c.forgotten_at.is_not(None))).scalars())

    def forget(handles_before: float) -> int:
        with store.begin() as connection:
            return forget_actions(connection, NOW + 1, handles_before, most=2)

    assert [(forget(0.0), len(forgotten())) for _ in range(4)] == [(2, 2), (2, 4), (1, 5), (0, 5)]
    record(store, (SAID.model_copy(update={"key": "new"}), ("m1",)))
    assert forget(NOW) == 2
    assert keys(store) == {"new", "0", "1", "2", "3"}
    assert [forget(NOW) for _ in range(3)] == [2, 1, 0]
    assert keys(store) == forgotten() == {"new", "0"}


@pytest.mark.parametrize(("query", "index"), [(DONE, "actions_done"), (FORGOTTEN, "actions_forgotten")])
def test_what_is_to_be_forgotten_is_found_by_an_index(store: Engine, query: Select[Any], index: str) -> None:
    """However many rows there are that are kept."""
    plan = "EXPLAIN QUERY PLAN" if store.dialect.name == "sqlite" else "EXPLAIN"
    asked = query.params(**{name: 5 if name == "b_most" else NOW for name in query.compile().params}).compile(
        store, compile_kwargs={"literal_binds": True}
    )
    with store.begin() as connection:
        if store.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            connection.exec_driver_sql("SET LOCAL enable_bitmapscan = off")
        told = " ".join(str(row) for row in connection.exec_driver_sql(f"{plan} {asked}"))
    assert index in told
    assert "TEMP B-TREE" not in told
    assert "Sort" not in told


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_sweeper_forgets_a_few_in_each_look_until_all_are_done(
    store: Engine, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dragoman.sweeper.FORGETS", 2)
    monkeypatch.setattr(forget_actions, "__defaults__", (2,))
    now = NOW
    broker = Broker(f"memory://{namespace}", namespace)
    sweeper = Sweeper(store, broker, broker.topology, retention=30, handles=400, clock=lambda: now)
    for n in range(5):
        record(store, (SAID.model_copy(update={"key": str(n)}), ("m1",)))

    def left() -> int:
        with store.connect() as connection:
            asked = select(func.count()).select_from(actions).where(actions.c.body.contains("secret"))
            return connection.execute(asked).scalar_one()

    now = NOW + 30 * 86400
    assert (sweeper.sweep(), left()) == (0, 5)
    now += HOUR + 1
    assert [(sweeper.sweep(), left()) for _ in range(2)] == [(0, 1), (0, 0)]
    now = NOW + 400 * 86400 - 1
    sweeper.sweep()
    assert len(keys(store)) == 5
    now += HOUR + 1
    for _ in range(2):
        sweeper.sweep()
    assert keys(store) == set()
    sweeper.close()
    broker.forget()
