"""Whoever reaches the broker can publish anything: only our own JSON is read, and nothing of theirs is executed."""

import asyncio
import json
import os
import pickle
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import select

from dragoman import Skill, wire
from dragoman.exchange import Broker, Outgoing, Publisher
from dragoman.exchange.foreign import LARGEST
from dragoman.messages import event_message
from dragoman.roles import BotContext
from dragoman.settings import load
from dragoman.stack import Stack
from dragoman.store.engine import open_store
from dragoman.store.schema import strays
from framework.gateway_rig import Recorder
from support.exchange import Inbox, consuming
from support.samples import message
from support.servers import wait_until

NULLS: Final[dict[str, Any]] = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
TASK: Final = {"lang": "py", "id": "nobody", "task": "dragoman.skill.echo", "retries": 0}
#: Far beyond what Python's own recursion allows.
DEEP: Final = b"[" * 100_000 + b"]" * 100_000


class Bomb:
    """Whoever unpickles it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


@pytest.fixture(autouse=True)
def decompressors_are_as_they_were() -> Iterator[None]:
    """A worker has none, and this one is in the process of the tests."""
    from kombu import compression

    before = dict(compression._decoders)
    yield
    compression._decoders.update(before)


def task_body(embed: dict[str, Any] | None = None) -> bytes:
    return json.dumps([[], {"task": {"run": "nobody"}}, {**NULLS, **(embed or {})}]).encode()


def foreign(broker: Broker, bomb: Path) -> dict[str, Outgoing]:
    """What no part of ours would publish, on each queue."""
    at = broker.topology
    pickled = pickle.dumps(Bomb(bomb))
    yaml = f"!!python/object/apply:os.mkdir [{bomb}]".encode()
    event = wire.encode(message("echo", key="foreign"))
    further = {"callbacks": [{"task": "dragoman.skill.echo", "args": [], "kwargs": {}, "options": {}}]}
    ends = {
        "events": Outgoing(at.events, "acme.message.channel", event, queues=(at.router_queue(),)),
        "deliver": Outgoing(at.actions, at.action_key("acme", "send"), b"{}", queues=(at.deliver_queue("acme"),)),
        "skill": Outgoing(at.skills, at.skill_key("echo"), task_body(), headers=TASK, queues=(at.skill_queue("echo"),)),
    }
    found: dict[str, Outgoing] = {}
    for name, end in ends.items():
        found |= {
            f"{name}: pickle": replace(end, body=pickled, content_type="application/x-python-serialize"),
            f"{name}: pickle that says it is JSON": replace(end, body=pickled),
            f"{name}: yaml": replace(end, body=yaml, content_type="application/x-yaml"),
            f"{name}: JSON of another type": replace(end, content_type="text/html"),
            f"{name}: another encoding": replace(end, content_encoding="utf-16"),
            f"{name}: compressed": replace(
                end, body=zlib.compress(end.body), headers={**end.headers, "compression": "application/x-gzip"}
            ),
            f"{name}: too deep": replace(end, body=DEEP),
            f"{name}: too large": replace(end, body=b'"' + b"x" * LARGEST + b'"'),
        }
    skill = ends["skill"]
    found |= {
        "skill: an unknown task": replace(skill, headers={**TASK, "task": "os.system"}),
        "skill: one of Celery's own tasks": replace(skill, headers={**TASK, "task": "celery.starmap"}),
        "skill: asks for further tasks": replace(skill, body=task_body(further)),
    }
    return found


async def test_what_is_foreign_is_parked_and_never_executed(broker: Broker, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb"
    ran: list[str] = []
    skill = Skill("echo")

    @skill.command()
    def echo() -> None:
        """Only to be run by those who were asked."""
        ran.append("echo")

    toml = tmp_path / "dragoman.toml"
    toml.write_text(f'[bot]\nname = "{broker.namespace}"\nskills = []\n[broker]\nurl = "{broker._given}"\n')
    settings = load(toml, environ={})
    rubbish = foreign(broker, bomb)
    inbox = Inbox()
    engine = open_store(settings.store_url)

    def letters() -> list[dict[str, Any]]:
        with engine.connect() as connection:
            kept = connection.execute(select(strays.c.letter)).scalars().all()
        return [json.loads(letter) for letter in [*kept, *inbox.bodies]]

    publisher = Publisher(broker, "test")
    try:
        async with Stack(BotContext.of(settings), {"echo": skill}, {"acme": Recorder()}):
            outcomes = await asyncio.to_thread(publisher.publish, list(rubbish.values()))
            assert outcomes == [None] * len(rubbish)
            with consuming(broker, inbox, broker.topology.dead_queue()):
                await asyncio.to_thread(wait_until, lambda: len(letters()) >= len(rubbish), 40, "dead letters")
                known = event_message(broker.topology, message("echo", key="ours", addressed=True))
                assert await asyncio.to_thread(publisher.publish, [known]) == [None]
                await asyncio.to_thread(wait_until, lambda: ran == ["echo"], 20, "what is ours")
        found = letters()
        assert len(found) == len(rubbish)
        assert all(letter["reason"] for letter in found)
        assert not bomb.exists()
        assert ran == ["echo"]
    finally:
        publisher.close()
        engine.dispose()


async def test_garbage_among_the_dead_letters_does_not_come_back_for_ever(broker: Broker, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb"
    dead = broker.topology.dead_queue()
    key = broker.topology.dead_key()
    pickled = Outgoing(
        broker.topology.dead,
        key,
        pickle.dumps(Bomb(bomb)),
        content_type="application/x-python-serialize",
        queues=(dead,),
    )
    publisher = Publisher(broker, "test")
    assert publisher.publish([pickled]) == [None]
    publisher.close()
    inbox = Inbox()
    with consuming(broker, inbox, dead):
        inbox.wait(1)
    assert [delivery.body for delivery in inbox.deliveries] == [pickled.body]
    assert broker.depth(dead.name) == 0
    assert not bomb.exists()
