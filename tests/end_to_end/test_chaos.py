"""The short form of ``make chaos``: each message is answered once and in order. And who says so can also say no."""

import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from .chaos import Order, near, run
from .faults import KINDS, kinds_for, plan
from .verdict import Answer, Asked, Report, judge

ASKED = [Asked(number, "slack", number % 2, 100.0 + number) for number in range(6)]


def answered(*numbers: int) -> list[Answer]:
    """So are these, in this order, each a second after the one before."""
    return [Answer("slack", number % 2, 110.0 + place, number) for place, number in enumerate(numbers)]


def test_what_is_answered_once_and_in_order_is_sound() -> None:
    # Rooms do not wait for each other.
    verdict = judge(ASKED, answered(1, 3, 0, 5, 2, 4))
    assert verdict.sound
    assert verdict.messages == 6
    assert (verdict.delay(0.0), verdict.delay(0.5), verdict.delay(1.0)) == (8.0, 9.0, 12.0)


def test_what_is_lost_doubled_or_misordered_is_named() -> None:
    verdict = judge(ASKED, answered(2, 0, 1, 3, 3))
    assert [each.number for each in verdict.lost] == [4, 5]
    assert [each.number for each in verdict.doubled] == [3]
    assert [each.number for each in verdict.misordered] == [0]
    assert not verdict.sound


@pytest.mark.parametrize(
    "stray",
    [
        Answer("slack", 1, 120.0, 0, "got 0"),
        Answer("discord", 0, 120.0, 0, "got 0"),
        Answer("slack", 0, 120.0, 99, "got 99"),
        Answer("slack", 0, 120.0, None, "Sorry"),
    ],
    ids=["in another room", "on another platform", "to nobody", "an apology"],
)
def test_anything_else_that_is_said_is_named(stray: Answer) -> None:
    verdict = judge(ASKED, [*answered(*range(6)), stray])
    assert verdict.strays == (stray,)
    assert [*verdict.lost, *verdict.doubled, *verdict.misordered] == []
    assert not verdict.sound


def test_a_report_is_as_sound_as_its_worst_platform_and_names_what_is_wrong() -> None:
    verdicts = {"slack": judge(ASKED, answered(*range(6))), "discord": judge(ASKED, answered(*range(5)))}
    report = Report(7, "embedded", {"gateway killed": 2}, verdicts, 60.0)
    assert not report.sound
    assert "lost 1 (5 in room-1 of slack)" in str(report)
    console = Console(width=100, record=True)
    console.print(report.table())
    shown = console.export_text()
    assert "gateway killed" in shown
    assert "seed 7" in shown


def test_the_log_is_shown_near_what_is_wrong(tmp_path: Path) -> None:
    log = tmp_path / "bot.log"
    log.write_text(
        "2026-01-02 03:04:05,006 INFO router here\nTraceback\n2026-01-02 05:00:00,000 INFO router not here\n"
    )
    at = datetime(2026, 1, 2, 3, 4, 5).timestamp()
    assert list(near(log, [(at, "lost: 5")])) == ["lost: 5", "    2026-01-02 03:04:05,006 INFO router here"]


def test_a_seed_plans_the_same_faults_each_kind_at_least_once() -> None:
    kinds = kinds_for(["slack", "discord"], broker=True)
    assert kinds == list(KINDS)
    planned = plan(random.Random(3), kinds, 50, 60.0)
    assert planned == plan(random.Random(3), kinds, 50, 60.0) != plan(random.Random(4), kinds, 50, 60.0)
    assert {kind for _, kind in planned} == set(kinds)
    assert [at for at, _ in planned] == sorted(at for at, _ in planned)
    assert len(plan(random.Random(3), kinds, 5, 60.0)) == 5


def test_only_what_is_there_is_broken() -> None:
    assert {"broker killed", "session invalidated"}.isdisjoint(kinds_for(["slack"], broker=False))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["embedded", "rabbitmq"])
async def test_nothing_is_lost_doubled_or_misordered(
    request: pytest.FixtureRequest, kind: str, namespace: str, tmp_path: Path
) -> None:
    server: Any = request.getfixturevalue("rabbitmq") if kind == "rabbitmq" else "embedded"
    if kind == "rabbitmq" and server.pid is None:  # a test that broke it has failed before it could start it again
        server.start()
    order = Order(seed=random.randrange(10**6), messages=600, faults=len(KINDS), seconds=30.0, away=4.0)
    print(f"make chaos ARGS='--broker {kind} --seed {order.seed} --messages 600 --faults {len(KINDS)} --seconds 30'")
    report = await run(tmp_path, order, server, namespace)
    assert report.sound, report
    assert [verdict.messages for verdict in report.verdicts.values()] == [300, 300]
    assert report.faults.keys() == KINDS.keys(), KINDS.keys() - report.faults.keys()
