"""How often: the limit, what is counted together, and what is said to those who wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dragoman import NOWHERE, Address, Cooldown, EventBase, Person
from dragoman.cooldown import CooldownScope, bucket, say
from dragoman.event import Conversation


def event(
    person: str | None = "U1", channel: str = "C1", account: str = "acme", conversation: Conversation = "channel"
) -> EventBase:
    return EventBase(
        kind="message",
        key="k",
        address=Address(account=account, tenant="T1", channel=channel),
        conversation=conversation,
        person=Person(id=person) if person is not None else None,
    )


def test_a_cooldown_reads_as_times_per_seconds() -> None:
    limit = Cooldown(3, per=60, scope="channel")
    assert (limit.times, limit.per, limit.scope) == (3, 60.0, "channel")
    assert Cooldown(per=5) == Cooldown(1, per=5, scope="person")


def test_a_cooldown_crosses_the_wire_and_ignores_what_a_newer_sender_adds() -> None:
    limit = Cooldown(3, per=1.5, scope="bot")
    assert Cooldown.model_validate_json(limit.model_dump_json()) == limit
    assert Cooldown.model_validate({"times": 2, "per": 3, "burst": 4}) == Cooldown(2, per=3)


@pytest.mark.parametrize("wrong", [{"times": 0, "per": 1}, {"per": 0}, {"per": float("inf")}, {"per": -1}, {}])
def test_a_cooldown_that_limits_nothing_or_everything_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Cooldown.model_validate(wrong)


@pytest.mark.parametrize(
    ("scope", "apart"),
    [
        ("person", [event("U1"), event("U2"), event("U1", account="other"), event(None)]),
        ("channel", [event(channel="C1"), event(channel="C2"), event(account="other")]),
        ("bot", [event()]),
    ],
)
def test_each_has_a_bucket_of_their_own(scope: CooldownScope, apart: list[EventBase]) -> None:
    limit = Cooldown(per=1, scope=scope)
    found = {bucket(limit, each, "ops", "deploy") for each in apart}
    assert len(found) == len(apart)
    assert found.isdisjoint({bucket(limit, each, "ops", "status") for each in apart})
    assert found.isdisjoint({bucket(limit, each, "other", "deploy") for each in apart})


@pytest.mark.parametrize(
    ("scope", "other"),
    [
        ("person", event("U1", channel="C2", conversation="direct")),
        ("channel", event("U2")),
        ("bot", event("U2", "C2", "other")),
    ],
)
def test_those_who_share_it_have_the_same_bucket(scope: CooldownScope, other: EventBase) -> None:
    limit = Cooldown(per=1, scope=scope)
    assert bucket(limit, event(), "ops", "deploy") == bucket(limit, other, "ops", "deploy")


def test_threads_of_a_channel_share_its_bucket() -> None:
    limit = Cooldown(per=1, scope="channel")
    there = event()
    inside = there.model_copy(update={"address": there.address.in_thread("1")})
    assert bucket(limit, there, "ops", "deploy") == bucket(limit, inside, "ops", "deploy")


def test_what_happens_nowhere_has_a_bucket() -> None:
    nobody = EventBase(kind="schedule", key="k", address=NOWHERE, conversation="channel")
    for scope in ("person", "channel", "bot"):
        assert bucket(Cooldown(per=1, scope=scope), nobody, "ops", "deploy")


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_bucket_fits_its_column_and_tells_people_apart(one: str, two: str) -> None:
    first, second = (bucket(Cooldown(per=1), event(id), "ops", "deploy") for id in (one, two))
    assert len(first) <= 300
    assert first.isascii()
    assert first.isprintable()
    assert (first == second) == (one == two)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, "a second"),
        (0.3, "a second"),
        (1.01, "2 seconds"),
        (119.0, "119 seconds"),
        (119.5, "2 minutes"),
        (121.0, "3 minutes"),
        (7200.0, "2 hours"),
        (200_000.0, "3 days"),
    ],
)
def test_who_has_to_wait_is_told_how_long_and_never_too_short(seconds: float, told: str) -> None:
    assert say(seconds, "deploy") == f"Please wait {told} before you use `deploy` again."
