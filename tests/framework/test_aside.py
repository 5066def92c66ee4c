"""A worker that has passed on a run steps aside when it comes back, and always takes part again."""

from collections.abc import Callable
from typing import Any

import pytest

from dragoman.worker.homeless import ASIDE, Aside


class Consumer:
    """What a worker's consumer is told, and a timer that is turned by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[tuple[float, str, str]] = []
        self.due: list[tuple[float, Callable[..., None], tuple[Any, ...]]] = []
        self.timer = self

    def call_after(self, seconds: float, function: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self.due.append((self.now + seconds, function, arguments))

    def stop_taking(self, skill: str) -> None:
        self.told.append((self.now, "stop", skill))

    def take_from(self, skill: str) -> None:
        self.told.append((self.now, "take", skill))

    def run(self) -> None:
        while self.due:
            self.due.sort(key=lambda item: item[0])
            self.now, function, arguments = self.due.pop(0)
            function(*arguments)


@pytest.fixture
def consumer() -> Consumer:
    made = Consumer()
    made.now = 100.0
    return made


def aside_of(consumer: Any) -> Aside:
    return Aside(consumer, clock=lambda: consumer.now)


def test_it_leaves_the_queue_to_others_when_the_run_is_published_again(consumer: Consumer) -> None:
    aside = aside_of(consumer)
    aside.step("news", 1.0)
    assert not aside.skills
    consumer.run()
    assert consumer.told == [(101.0, "stop", "news"), (101.0 + ASIDE, "take", "news")]
    assert not aside.skills


def test_however_many_runs_it_passes_on_it_takes_part_half_of_the_time(consumer: Consumer) -> None:
    aside = aside_of(consumer)
    for number in range(100):
        aside.step("news", number / 5)
    consumer.run()
    left = [at for at, what, _ in consumer.told if what == "stop"]
    back = [at for at, what, _ in consumer.told if what == "take"]
    assert len(left) == len(back) > 3
    assert all(later - earlier >= ASIDE for earlier, later in zip(back, left[1:], strict=False))


def test_one_skill_is_not_left_because_of_another(consumer: Consumer) -> None:
    aside = aside_of(consumer)
    aside.step("news", 1.0)
    aside.step("dice", 1.5)
    consumer.run()
    assert [(what, skill) for _, what, skill in consumer.told] == [
        ("stop", "news"),
        ("stop", "dice"),
        ("take", "news"),
        ("take", "dice"),
    ]
