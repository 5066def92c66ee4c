"""No skill takes every slot of a pool."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.worker.slots import Slots


class Pool:
    """A pool that runs what it is given until it is told that it has ended."""

    def __init__(self, total: int, cap: int, high: int = 1_000) -> None:
        self.running: list[str] = []
        self.started: list[str] = []
        self.calls: list[str] = []
        self.slots: Slots[str] = Slots(
            total,
            cap,
            high,
            start=self._start,
            pause=lambda skill: self.calls.append(f"pause {skill}"),
            resume=lambda skill: self.calls.append(f"resume {skill}"),
        )

    def _start(self, request: str) -> None:
        self.started.append(request)
        self.running.append(request[0])

    def offer(self, *requests: str) -> None:
        for request in requests:
            self.slots.offer(request[0], request)

    def end(self, skill: str) -> None:
        self.running.remove(skill)
        self.slots.release(skill)


def test_what_comes_starts_while_there_is_room() -> None:
    pool = Pool(total=4, cap=2)
    pool.offer("a1", "a2", "a3", "b1")
    assert pool.started == ["a1", "a2", "b1"]


def test_one_skill_never_has_more_than_its_cap_even_if_nobody_else_wants_the_rest() -> None:
    pool = Pool(total=4, cap=2)
    pool.offer(*(f"a{n}" for n in range(10)))
    assert pool.running == ["a", "a"]
    pool.end("a")
    assert pool.started == ["a0", "a1", "a2"]


def test_skills_take_turns() -> None:
    pool = Pool(total=1, cap=1)
    pool.offer("a1", "a2", "a3", "b1", "b2", "c1")
    for _ in range(5):
        pool.end(pool.running[0])
    # A newcomer is behind those who were there, once; from then on it is everybody's turn.
    assert pool.started == ["a1", "a2", "b1", "c1", "a3", "b2"]


def test_requests_of_one_skill_start_in_the_order_in_which_they_came() -> None:
    pool = Pool(total=2, cap=1)
    pool.offer(*(f"a{n}" for n in range(5)))
    for _ in range(4):
        pool.end("a")
    assert pool.started == [f"a{n}" for n in range(5)]


def test_a_skill_with_many_waiting_is_paused_once_and_resumed_at_half() -> None:
    pool = Pool(total=1, cap=1, high=4)
    pool.offer(*(f"a{n}" for n in range(5)))
    assert pool.calls == ["pause a"]
    assert pool.slots.paused() == {"a"}
    pool.offer("a5")
    pool.end("a")  # 4 wait
    pool.end("a")  # 3
    assert pool.calls == ["pause a"]
    pool.end("a")  # 2
    assert pool.calls == ["pause a", "resume a"]
    assert pool.slots.paused() == frozenset()


def test_a_paused_skill_does_not_pause_another() -> None:
    pool = Pool(total=2, cap=1, high=2)
    pool.offer("a0", "a1", "a2", "b0", "b1")
    assert pool.calls == ["pause a"]


def test_what_waits_of_a_skill_can_be_taken_out_and_does_not_start_later() -> None:
    pool = Pool(total=2, cap=1)
    pool.offer("a0", "a1", "b0", "b1")
    assert pool.slots.take("a") == ["a1"]
    pool.end("a")
    pool.end("b")
    assert pool.started == ["a0", "b0", "b1"]
    assert pool.slots.take("unknown") == []


def test_a_skill_whose_waiting_runs_are_taken_out_fetches_again() -> None:
    pool = Pool(total=1, cap=1, high=2)
    pool.offer("b0", "a0", "a1")
    assert pool.calls == ["pause a"]
    pool.slots.take("a")
    assert pool.calls == ["pause a", "resume a"]
    assert pool.slots.paused() == frozenset()


def test_a_skill_with_the_cap_0_starts_nothing_until_it_has_another() -> None:
    pool = Pool(total=4, cap=2)
    pool.offer("a0")
    pool.slots.limit("a", 0)
    pool.offer("a1", "a2", "b0")
    assert pool.started == ["a0", "b0"]
    pool.end("a")
    assert pool.started == ["a0", "b0"]
    assert pool.slots.running("a") == 0
    pool.slots.limit("a", 1)
    assert pool.started == ["a0", "b0", "a1"]
    pool.slots.limit("a", None)
    assert pool.started == ["a0", "b0", "a1", "a2"]


def test_a_larger_pool_gives_its_slots_away_at_once_and_keeps_a_quarter_for_others() -> None:
    pool = Pool(total=4, cap=2)
    pool.slots.limit("a", 6)
    pool.offer(*(f"a{n}" for n in range(10)))
    assert pool.running == ["a"] * 3
    pool.slots.resize(8)
    assert pool.running == ["a"] * 6
    pool.offer("b0", "c0")
    assert pool.running == ["a"] * 6 + ["b", "c"]


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 5),
    st.lists(st.tuples(st.booleans(), st.sampled_from("abc")), max_size=60),
)
def test_whatever_comes_and_ends_the_limits_hold_and_nothing_is_lost(
    total: int, cap: int, high: int, steps: list[tuple[bool, str]]
) -> None:
    pool = Pool(total, cap, high)
    offered: list[str] = []
    for number, (comes, skill) in enumerate(steps):
        if comes:
            offered.append(f"{skill}{number}")
            pool.offer(offered[-1])
        elif skill in pool.running:
            pool.end(skill)
        running = Counter(pool.running)
        assert running.total() <= total
        assert all(count <= cap for count in running.values())
        waiting = Counter(request[0] for request in set(offered) - set(pool.started))
        # Nobody waits for a slot that is free for them: a quarter is kept for skills that run nothing.
        free = total - running.total()
        assert not free or all(running[skill] == cap or (running[skill] and free <= total // 4) for skill in waiting)
        # It may fetch again as soon as one of its own has ended, or few enough wait.
        assert all(waiting[skill] > high // 2 or running[skill] for skill in pool.slots.paused())
        assert all(skill in pool.slots.paused() for skill in waiting if waiting[skill] >= high)
    while pool.running:
        pool.end(pool.running[0])
    assert sorted(pool.started) == sorted(offered)
    assert pool.slots.paused() == frozenset()
