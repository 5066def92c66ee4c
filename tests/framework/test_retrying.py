"""When a failed run is tried again, and when it is given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import Skill, SkillError
from dragoman.retrying import BACK_OFF, LONGEST_BACK_OFF, came_at, next_attempt, too_late, wait_before
from support.samples import message, task

shares = st.floats(0, 1)


@given(st.integers(0, 10**6), shares)
def test_a_wait_is_any_time_up_to_twice_the_last_and_never_above_the_cap(failures: int, share: float) -> None:
    longest = wait_before(failures, lambda: 1.0)
    assert 0 <= wait_before(failures, lambda: share) <= longest <= LONGEST_BACK_OFF
    assert wait_before(failures, lambda: 0.0) == 0
    assert wait_before(failures + 1, lambda: 1.0) == min(2 * longest, LONGEST_BACK_OFF)
    assert wait_before(0, lambda: 1.0) == BACK_OFF


def test_waits_differ_so_that_many_do_not_come_back_at_once() -> None:
    assert len({wait_before(8) for _ in range(50)}) == 50


@given(st.integers(0, 9), st.integers(0, 9), shares, st.none() | st.floats(0.1, 1000), st.floats(0, 2000))
def test_there_is_another_attempt_while_the_policy_has_one_and_it_is_not_too_late(
    retries: int, failures: int, share: float, give_up_after: float | None, age: float
) -> None:
    skill = Skill("any", retries=retries, give_up_after=give_up_after)
    at = next_attempt(skill, failures, 1000.0, 1000.0 + age, lambda: share)
    wait = wait_before(failures, lambda: share)
    allowed = failures < retries and (give_up_after is None or 1000.0 + age + wait <= 1000.0 + give_up_after)
    assert at == (1000.0 + age + wait if allowed else None)


def test_what_is_given_up_is_too_late_afterwards_and_not_before() -> None:
    skill = Skill("any", give_up_after=60)
    assert not too_late(skill, 100.0, 160.0)
    assert too_late(skill, 100.0, 160.1)
    assert not too_late(Skill("any"), 100.0, 10**9)


def test_the_age_counts_from_the_first_hop() -> None:
    event = message("x").model_copy(update={"occurred": 5.0})
    assert came_at(task(event)) == 5.0
    assert came_at(task(event.model_copy(update={"hops": (("gateway", 7.0), ("router", 9.0))}))) == 7.0


@pytest.mark.parametrize(
    ("policy", "what"),
    [
        ({"retry_on": ConnectionError}, "retry_on is a tuple of exceptions"),
        ({"retry_on": (ConnectionError, "TimeoutError")}, "retry_on is a tuple of exceptions"),
        ({"retry_on": (KeyboardInterrupt,)}, "retry_on is a tuple of exceptions"),
        ({"time_limit": 10, "hard_time_limit": 10}, r"hard_time_limit is in seconds, more than time_limit \(10\)"),
        ({"hard_time_limit": 1600}, "at most 1505"),
        ({"give_up_after": 0}, "give_up_after is in seconds, and more than 0"),
        ({"give_up_after": float("nan")}, "give_up_after is in seconds, and more than 0"),
    ],
)
def test_a_policy_that_does_not_fit_names_the_skill_and_the_remedy(policy: dict[str, object], what: str) -> None:
    with pytest.raises(SkillError, match=rf"skill 'any': .*{what}"):
        Skill("any", **policy)  # type: ignore[arg-type]


def test_the_manifest_says_what_others_need_to_know_of_it() -> None:
    skill = Skill("any", time_limit=10, hard_time_limit=30, give_up_after=600)
    assert (skill.manifest().hard_time_limit, skill.manifest().give_up_after) == (30, 600)
    assert skill.ends_after == 30
    assert Skill("any", time_limit=1500).ends_after == 1505
