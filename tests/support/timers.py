"""Timers and schedules for tests: short ways to make them, and to take what is due."""

from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from dragoman import Address, HandlerManifest, Person, Scheduled, SkillManifest
from dragoman.store.catalogue import publish_manifests, retire_manifests
from dragoman.store.timers import next_due, take_due_timers
from dragoman.timers import Timer, timer_id
from dragoman.triggers import ScheduleTrigger

__all__ = ["BERLIN", "HERE", "at", "next_now", "publish", "skill", "take", "timer"]

HERE = Address(account="acme", tenant="T1", channel="C2", thread="9.1")
BERLIN = "Europe/Berlin"


def timer(name: str = "one", due: float = 100.0, *, skill: str = "remind", **arguments: Any) -> Timer:
    """One of ``remind.ring``, to be taken at a time."""
    event = Scheduled(
        key=name,
        address=HERE,
        channel_name="general",
        conversation="channel",
        person=Person(id="U1", name="Ann", timezone=BERLIN),
        skill=skill,
        handler="ring",
        due=due,
        arguments=arguments,
    )
    return Timer(id=timer_id(name), skill=skill, handler="ring", due_at=due, event=event)


def skill(name: str, **crons: str) -> SkillManifest:
    """A skill with a schedule for each handler."""
    return SkillManifest(
        name=name,
        handlers=tuple(
            HandlerManifest(name=handler, trigger=ScheduleTrigger(cron=cron, timezone=BERLIN))
            for handler, cron in crons.items()
        ),
    )


def publish(store: Engine, *found: SkillManifest) -> None:
    """Make these the catalogue."""
    with store.begin() as connection:
        publish_manifests(connection, found)
        retire_manifests(connection, [manifest.name for manifest in found])


def take(store: Engine, now: float, most: int = 200) -> list[Scheduled]:
    """What is due then."""
    with store.begin() as connection:
        return take_due_timers(connection, now, most)


def next_now(store: Engine) -> float | None:
    """When the next one is due."""
    with store.begin() as connection:
        return next_due(connection)


def at(text: str) -> float:
    """``2026-03-29 03:00+02:00`` in unix seconds."""
    return datetime.fromisoformat(text).timestamp()
