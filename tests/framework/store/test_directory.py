"""The directory of people and channels."""

import logging

import pytest
from sqlalchemy import Engine, update

from dragoman import Person
from dragoman.event import ChannelInfo
from dragoman.store.directory import (
    KnownChannel,
    KnownPerson,
    find_people,
    read_channel,
    read_channel_by_name,
    read_channels,
    read_people,
    read_person,
    write_channel,
    write_channels,
    write_people,
    write_person,
)
from dragoman.store.schema import people

ANN = Person(
    id="U1", name="Ann Ü", tenant="T9", locale="en-GB", bot=True, timezone="Europe/Berlin", roles=("admin", "owner")
)


def channel(id: str, name: str, tenant: str = "T1") -> ChannelInfo:
    return ChannelInfo(id=id, tenant=tenant, name=name)


def named(store: Engine, name: str, tenant: str = "T1") -> str | None:
    with store.connect() as connection:
        found = read_channel_by_name(connection, "acme", tenant, name)
    return None if found is None else found.channel.id


def test_a_person_is_read_as_they_were_told_with_the_age(store: Engine) -> None:
    with store.begin() as connection:
        assert read_person(connection, "acme", "T1", "U1") is None
        write_person(connection, "acme", "T1", ANN, 1.5)
        assert read_person(connection, "acme", "T1", "U1") == KnownPerson(ANN, 1.5)
        assert read_person(connection, "acme", "T2", "U1") is None
        assert read_person(connection, "other", "T1", "U1") is None


def test_what_was_told_later_stays_in_whatever_order_it_comes(store: Engine) -> None:
    newer, older = ANN.model_copy(update={"name": "Anna"}), ANN
    with store.begin() as connection:
        write_person(connection, "acme", "T1", newer, 2.0)
        write_person(connection, "acme", "T1", older, 1.0)
        assert read_person(connection, "acme", "T1", "U1") == KnownPerson(newer, 2.0)
        write_person(connection, "acme", "T1", older, 3.0)
        assert read_person(connection, "acme", "T1", "U1") == KnownPerson(older, 3.0)
        write_channel(connection, "acme", channel("C1", "new"), 2.0)
        write_channel(connection, "acme", channel("C1", "old"), 1.0)
        assert read_channel(connection, "acme", "T1", "C1") == KnownChannel(channel("C1", "new"), 2.0)


def test_many_are_read_at_once_and_strangers_are_left_out(store: Engine) -> None:
    crowd = [Person(id=f"U{number}", name=str(number)) for number in range(1200)]
    with store.begin() as connection:
        write_people(connection, [("acme", "T1", person, 1.0) for person in crowd])
        keys = [("acme", "T1", person.id) for person in crowd]
        found = read_people(connection, [*keys, *keys, ("acme", "T2", "U1"), ("acme", "T1", "U9999")])
        assert found == {key: KnownPerson(person, 1.0) for key, person in zip(keys, crowd, strict=True)}
        assert read_people(connection, []) == {}
        write_people(connection, [])


def test_ids_that_no_database_can_hold_are_not_known_and_hurt_nobody(store: Engine) -> None:
    strange = [Person(id="a\0b"), Person(id="x" * 257), Person(id="\ud800")]
    with store.begin() as connection:
        write_people(connection, [("acme", "T1", person, 1.0) for person in [*strange, ANN]])
        keys = [("acme", "T1", person.id) for person in [*strange, ANN]]
        assert read_people(connection, keys).keys() == {("acme", "T1", "U1")}
        write_channel(connection, "acme", channel("a\0b", "x"), 1.0)
        assert read_channel(connection, "acme", "T1", "a\0b") is None


def test_a_name_may_be_anything(store: Engine) -> None:
    person = Person(id="U1", name="a\0b" * 200)
    with store.begin() as connection:
        write_person(connection, "acme", "T1", person, 1.0)
        assert read_person(connection, "acme", "T1", "U1") == KnownPerson(person, 1.0)
        write_channel(connection, "acme", channel("C1", "ü" * 300), 1.0)
    assert named(store, "Ü" * 300) == "C1"
    assert named(store, "Ü" * 299) is None
    with store.begin() as connection:
        write_channel(connection, "acme", channel("C2", "a\0\ud800"), 1.0)
        assert read_channel(connection, "acme", "T1", "C2") == KnownChannel(channel("C2", ""), 1.0)
    assert named(store, "a\0\ud800") == "C2"


def test_a_person_that_cannot_be_read_is_told_and_is_not_known(store: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with store.begin() as connection:
        write_people(connection, [("acme", "T1", ANN, 1.0), ("acme", "T1", Person(id="U2"), 1.0)])
        connection.execute(update(people).where(people.c.id == "U1").values(body='{"id": 7}'))
        with caplog.at_level(logging.WARNING):
            found = read_people(connection, [("acme", "T1", "U1"), ("acme", "T1", "U2")])
    assert found.keys() == {("acme", "T1", "U2")}
    assert "acme/T1/U1" in caplog.text


def test_a_channel_is_found_by_name_with_or_without_the_hash_in_any_case(store: Engine) -> None:
    with store.begin() as connection:
        write_channel(connection, "acme", channel("C1", "General-Straße"), 1.0)
        found = read_channel_by_name(connection, "acme", "T1", "#general-STRASSE")
        assert found == KnownChannel(channel("C1", "General-Straße"), 1.0)
        assert read_channel_by_name(connection, "other", "T1", "general-straße") is None
    assert named(store, "GENERAL-straße") == "C1"
    assert named(store, "general") is None
    assert named(store, "") is named(store, "#") is None


def test_channels_without_a_name_are_not_found_by_the_empty_one(store: Engine) -> None:
    with store.begin() as connection:
        write_channel(connection, "acme", channel("D1", ""), 1.0)
        assert read_channel(connection, "acme", "T1", "D1") == KnownChannel(channel("D1", ""), 1.0)
    assert named(store, "") is named(store, "#") is None


def test_a_star_is_any_tenant_of_the_account(store: Engine) -> None:
    with store.begin() as connection:
        write_channel(connection, "acme", channel("C1", "general", "T7"), 1.0)
        assert read_channel(connection, "acme", "*", "C1") == KnownChannel(channel("C1", "general", "T7"), 1.0)
    assert named(store, "general", "*") == "C1"
    assert named(store, "general", "T1") is None


def test_a_name_that_went_to_another_channel_is_that_ones(store: Engine) -> None:
    with store.begin() as connection:
        write_channel(connection, "acme", channel("C2", "general"), 1.0)
        write_channel(connection, "acme", channel("C1", "general"), 2.0)
    assert named(store, "general") == "C1"
    with store.begin() as connection:
        write_channel(connection, "acme", channel("C1", "renamed"), 3.0)
    assert named(store, "general") == "C2"
    assert named(store, "renamed") == "C1"


def test_many_channels_are_read_at_once_by_their_ids(store: Engine) -> None:
    one, two = channel("C1", "One"), channel("C2", "two", "T2")
    with store.begin() as connection:
        write_channels(connection, [("acme", two, 2.0), ("acme", one, 1.0), ("acme", channel("a\0b", "x"), 1.0)])
        keys = [("acme", "T1", "C1"), ("acme", "T2", "C2"), ("acme", "T1", "C2"), ("acme", "T1", "a\0b")]
        assert read_channels(connection, keys) == {keys[0]: KnownChannel(one, 1.0), keys[1]: KnownChannel(two, 2.0)}
        assert read_channels(connection, []) == {}
        write_channels(connection, [])


def test_people_are_found_by_what_operators_call_them(store: Engine) -> None:
    bob = Person(id="U2", name="ANN ü")
    with store.begin() as connection:
        write_people(connection, [("acme", "T1", ANN, 1.0), ("acme", "T1", bob, 2.0), ("other", "T1", ANN, 3.0)])
        ann, other, second = ("acme", "T1", "U1"), ("other", "T1", "U1"), ("acme", "T1", "U2")
        for said, found in [
            ("U1", {other, ann}),
            ("acme:U1", {ann}),
            ("acme:U3", set()),
            ("Ann Ü", {other, second, ann}),
            ("Ann", set()),
            ("%", set()),
            ("a\0b", set()),
            ("x" * 1000, set()),
        ]:
            assert find_people(connection, said).keys() == found
        assert find_people(connection, "U2") == {second: KnownPerson(bob, 2.0)}
        write_person(connection, "acme", "T2", ANN, 9.0)
        told_last = next(iter(find_people(connection, "acme:U1")))
        assert told_last == ("acme", "T2", "U1")
