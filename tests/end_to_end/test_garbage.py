"""Garbage on any queue is parked with the reason; the bot goes on."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

from dragoman.exchange import Broker, EmbeddedValkey, Outgoing, Publisher
from dragoman.store.dead import DeadLetter, Filters, list_letters
from dragoman.store.engine import open_store
from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for
from support.servers import wait_until

from .test_way_round import running


async def test_garbage_on_every_queue_is_parked_and_the_bot_goes_on(
    durable_url: str, namespace: str, tmp_path: Path
) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general = acme.channel("general", members=[ann])
        toml = settings_for(slack, {"acme": acme}, broker=durable_url, name=namespace)
        async with running(RunningBot(tmp_path, toml)):
            await slack.connected(timeout=40)
            await general.reply_to(await ann.say(general, "@dragoman help"), timeout=40)
            url = EmbeddedValkey(tmp_path / ".dragoman" / "broker").url if durable_url == "embedded" else durable_url
            broker = Broker(url, namespace)
            at = broker.topology
            task = {"lang": "py", "id": "nobody", "task": "dragoman.skill.echo", "retries": 0}
            embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
            unknown_run = json.dumps([[], {"task": {"run": "nobody"}}, embed]).encode()
            rubbish = {
                "not JSON at all": Outgoing(at.events, "a.b.c", b"\xff\x00{"),
                "an event of no shape": Outgoing(at.events, "a.b.c", b'{"kind": "message"}'),
                "an action of no shape": Outgoing(at.actions, "acme.send", b'{"kind": "send", "v": 1}'),
                "an action from the future": Outgoing(at.actions, "acme.send", b'{"kind": "levitate", "v": 1}'),
                "a version from the future": Outgoing(at.actions, "acme.send", b'{"kind": "send", "v": 99}'),
                "no task": Outgoing(at.skills, "echo", b"[]"),
                "an unknown task": Outgoing(at.skills, "echo", unknown_run, headers={**task, "task": "os.system"}),
                "an unreadable body": Outgoing(at.skills, "echo", b"\xff\xfe", headers=task),
                "a body of another shape": Outgoing(at.skills, "echo", b'{"a": 1}', headers=task),
                "a run that is not in the ledger": Outgoing(at.skills, "echo", unknown_run, headers=task),
                "a pickle": Outgoing(
                    at.skills, "echo", b"\x80\x04N.", headers=task, content_type="application/x-python-serialize"
                ),
            }
            queues = (at.router_queue(), at.skill_queue("echo"), at.deliver_queue("acme"))
            publisher = Publisher(broker, "test")
            published = publisher.publish([replace(each, queues=queues) for each in rubbish.values()])
            assert published == [None] * len(rubbish)
            publisher.close()
            engine = open_store(f"sqlite:///{tmp_path / '.dragoman' / 'store.db'}")

            def kept() -> list[DeadLetter]:
                with engine.connect() as connection:
                    return list_letters(connection, Filters())

            await asyncio.to_thread(wait_until, lambda: len(kept()) >= len(rubbish), 30, "dead letters")
            letters = [json.loads(letter.row["letter"]) for letter in kept()]
            engine.dispose()
            assert broker.depth(at.dead_queue().name) == 0
            assert len(letters) == len(rubbish)
            assert all(letter["reason"] for letter in letters)
            assert {letter["queue"] for letter in letters} == {
                at.router_queue().name,
                at.skill_queue("echo").name,
                at.deliver_queue("acme").name,
            }
            last = await ann.say(general, "@dragoman echo still here")
            assert (await general.reply_to(last, timeout=30)).text == "echo still here"
