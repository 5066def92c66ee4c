"""What authors see as ``ctx.store``."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from dragoman import Address, Message, Person, SkillError, StoreError
from dragoman.address import NOWHERE
from dragoman.data import Scope, Store
from support.rows import MemoryRows
from support.samples import HERE, message

SOON = timedelta(minutes=1)


class Clock:
    """A time that stands still until it is told to go on."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rows(clock: Clock) -> MemoryRows:
    return MemoryRows(clock)


@pytest.fixture
def store(rows: MemoryRows, clock: Clock) -> Store:
    return Store(rows, "karma", message(), clock=clock)


def at(address: Address, person: Person | None = None) -> Message:
    return message().model_copy(update={"address": address, "person": person})


def test_a_value_is_there_until_it_is_deleted(store: Store) -> None:
    assert store.get("a") is None
    assert store.get("a", 7) == 7
    store.set("a", {"b": [1, None]})
    assert store.get("a", 7) == {"b": [1, None]}
    assert store.delete("a")
    assert not store.delete("a")
    assert store.get("a", 7) == 7


def test_null_is_a_value(store: Store) -> None:
    store.set("a", None)
    assert store.get("a", 7) is None
    assert store.items() == [("a", None)]


def test_a_value_is_gone_when_its_time_is_over(store: Store, clock: Clock) -> None:
    store.set("a", 1, expires=SOON)
    clock.now += 59.9
    assert store.get("a") == 1
    clock.now += 0.1
    assert store.get("a") is None
    assert store.items() == []
    assert not store.delete("a")
    assert store.update("a", lambda count: count + 1, 10) == 11


def test_setting_without_a_time_keeps_for_ever_and_updating_keeps_the_time(store: Store, clock: Clock) -> None:
    store.set("set", 1, expires=SOON)
    store.set("set", 2)
    store.set("updated", 1, expires=SOON)
    store.update("updated", lambda count: count + 1)
    store.set("longer", 1, expires=SOON)
    store.update("longer", lambda count: count + 1, expires=2 * SOON)
    clock.now += 61
    assert store.items() == [("longer", 2), ("set", 2)]


def test_items_are_those_with_the_prefix_as_it_is_written(store: Store) -> None:
    for key in ("a_1", "a_2", "ab1", "A_3", "a%", "b"):
        store.set(key, key)
    assert store.items("a_") == [("a_1", "a_1"), ("a_2", "a_2")]
    assert store.items("a%") == [("a%", "a%")]
    assert [key for key, _ in store.items()] == ["A_3", "a%", "a_1", "a_2", "ab1", "b"]


def test_update_gives_the_new_value(store: Store) -> None:
    assert store.update("a", lambda count: count + 1, 0) == 1
    assert store.update("a", lambda count: count + 1, 0) == 2
    assert store.get("a") == 2
    assert store.update("a", lambda _: None) is None
    assert store.get("a", 7) is None


def test_update_begins_again_when_somebody_was_faster(store: Store) -> None:
    seen = []

    def add(count: int) -> int:
        seen.append(count)
        if len(seen) < 4:
            store.set("a", len(seen) * 10)
        return count + 1

    assert store.update("a", add, 0) == 31
    assert seen == [0, 10, 20, 30]


def test_update_sees_a_value_that_was_deleted_and_made_again_as_another(store: Store) -> None:
    store.set("a", 1)
    seen = []

    def add(count: int) -> int:
        seen.append(count)
        if len(seen) == 1:
            store.delete("a")
            store.set("a", 1)
        return count + 1

    store.update("a", add)
    assert seen == [1, 1]


def test_a_default_that_the_function_changes_is_fresh_each_time(store: Store) -> None:
    default: list[int] = []
    tries = []

    def add(found: list[int]) -> list[int]:
        tries.append(list(found))
        if len(tries) == 1:
            store.set("a", [5])
            store.delete("a")
            store.set("b", 1)
        found.append(len(tries))
        return found

    store.update("a", add, default)
    assert store.update("c", add, default) == [len(tries)]
    assert default == []
    assert tries == [[]] * len(tries)


def test_update_gives_up_with_an_error_when_it_is_always_overtaken(rows: MemoryRows) -> None:
    store = Store(rows, "karma", message(), patience=0.02)
    with pytest.raises(StoreError, match=r"ctx.store.update\('a'\) of skill 'karma' was overtaken for 0.02 seconds"):
        store.update("a", lambda _: store.set("a", 0))


def test_an_error_in_the_function_changes_nothing(store: Store) -> None:
    store.set("a", 1)
    with pytest.raises(ZeroDivisionError):
        store.update("a", lambda count: count / 0)
    assert store.get("a") == 1


def test_scopes_and_skills_are_kept_apart(rows: MemoryRows) -> None:
    store, other = Store(rows, "karma", message()), Store(rows, "poll", message())
    for number, scope in enumerate([store, store.conversation, store.person, other, other.person]):
        scope.set("a", number)
    assert [scope.get("a") for scope in (store, store.conversation, store.person)] == [0, 1, 2]
    assert [other.get("a"), other.conversation.get("a"), other.person.get("a")] == [3, None, 4]


def test_a_conversation_is_the_channel_with_all_its_threads(rows: MemoryRows) -> None:
    store = Store(rows, "karma", message())
    store.conversation.set("a", 1)
    for address, found in [
        (HERE.in_thread(None), 1),
        (HERE.in_thread("other"), 1),
        (HERE.model_copy(update={"channel": "C3"}), None),
        (HERE.model_copy(update={"tenant": "T2"}), None),
        (HERE.model_copy(update={"account": "other"}), None),
    ]:
        assert Store(rows, "karma", at(address)).conversation.get("a") == found
        assert store.conversation_of(address).get("a") == found
        assert store.conversation_of(str(address)).get("a") == found


def test_ids_with_slashes_do_not_meet(rows: MemoryRows) -> None:
    one = Address(account="acme", tenant="T/1", channel="C")
    two = Address(account="acme", tenant="T", channel="1/C")
    Store(rows, "karma", at(one)).conversation.set("a", 1)
    assert Store(rows, "karma", at(two)).conversation.get("a") is None


def test_a_person_is_the_same_in_every_channel(rows: MemoryRows) -> None:
    ann, bob = Person(id="U1"), Person(id="U2")
    there = HERE.model_copy(update={"channel": "C9"})
    Store(rows, "karma", at(HERE, ann)).person.set("a", 1)
    assert Store(rows, "karma", at(there, ann)).person.get("a") == 1
    assert Store(rows, "karma", at(there, bob)).person.get("a") is None
    assert Store(rows, "karma", at(there, bob)).person_of(ann).get("a") == 1
    assert Store(rows, "karma", at(there, bob)).person_of("U1").get("a") == 1


def test_where_nobody_is_the_errors_say_so(rows: MemoryRows) -> None:
    nowhere = Store(rows, "karma", at(NOWHERE, Person(id="U1")))
    with pytest.raises(SkillError, match=r"ctx.store.conversation: a message event belongs to no conversation"):
        _ = nowhere.conversation
    with pytest.raises(SkillError, match=r"belongs to no conversation"):
        nowhere.person_of("U2")
    assert nowhere.conversation_of(HERE).get("a") is None
    with pytest.raises(SkillError, match=r"ctx.store.person: nobody is named by this message event"):
        _ = Store(rows, "karma", at(HERE)).person


@pytest.mark.parametrize("key", ["", "x" * 257, "a\0b", "\ud800", 3, None])
@pytest.mark.parametrize("call", ["get", "set", "delete", "update"])
def test_a_key_that_cannot_be_kept_is_refused(store: Store, key: Any, call: str) -> None:
    more: dict[str, list[Any]] = {"set": [1], "update": [lambda found: found]}
    with pytest.raises(SkillError, match=r"^ctx.store.person: .*key"):
        getattr(store.person, call)(key, *more.get(call, []))


def test_the_longest_key_is_kept(store: Store) -> None:
    store.set("é" * 256, 1)
    assert store.items("é" * 256) == [("é" * 256, 1)]


@pytest.mark.parametrize("expires", [timedelta(), -SOON, 60, "1h"])
def test_a_time_that_is_none_is_refused(store: Store, expires: Any) -> None:
    with pytest.raises(SkillError, match=r"expires= is a time from now, such as timedelta\(hours=1\)"):
        store.set("a", 1, expires=expires)
    with pytest.raises(SkillError, match=r"expires= is a time from now"):
        store.update("a", lambda _: 1, expires=expires)
    assert store.items() == []


def test_a_value_that_is_not_json_is_refused_by_name(store: Store) -> None:
    with pytest.raises(SkillError, match=r"^ctx.store.conversation.set\('a'\): value is of type set"):
        store.conversation.set("a", {1})
    with pytest.raises(SkillError, match=r"^ctx.store.update\('a'\): value is nan"):
        store.update("a", lambda _: float("nan"))


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda scope: scope.get("a"), 'write await asyncio.to_thread(ctx.store.get, "key")'),
        (lambda scope: scope.set("a", 1), 'write await asyncio.to_thread(ctx.store.set, "key", value)'),
        (lambda scope: scope.delete("a"), 'write await asyncio.to_thread(ctx.store.delete, "key")'),
        (lambda scope: scope.items(), 'write await asyncio.to_thread(ctx.store.items, "prefix")'),
        (lambda scope: scope.update("a", abs), 'write await asyncio.to_thread(ctx.store.update, "key", function)'),
    ],
)
def test_on_an_event_loop_the_error_says_what_to_write(store: Store, call: Callable[[Scope], Any], told: str) -> None:
    async def handler() -> None:
        call(store)

    with pytest.raises(SkillError) as caught:
        asyncio.run(handler())
    assert told in str(caught.value)


def test_in_a_thread_beside_an_event_loop_it_works(store: Store) -> None:
    async def handler() -> Any:
        await asyncio.to_thread(store.person.set, "a", 1)
        return await asyncio.to_thread(store.person.update, "a", lambda count: count + 1)

    assert asyncio.run(handler()) == 2
