"""The client without Dragoman, as a program of its own on a real RabbitMQ."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dragoman import Address, Content, Message, Send, wire
from dragoman.exchange import Broker, Outgoing, Publisher
from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for
from support.exchange import Inbox, consuming
from support.rabbitmq import RabbitMQ

CLIENT = Path(__file__).parents[2] / "examples" / "any_language" / "client.py"

THREAD = Address(account="acme", tenant="T1", channel="C1", thread="1700000000.000100")


@contextmanager
def running_client(url: str, bot: str) -> Iterator["subprocess.Popen[str]"]:
    """The client, once it watches."""
    # kombu takes "//" for the default virtual host; everybody else wants it escaped.
    process = subprocess.Popen(
        [sys.executable, str(CLIENT), url.removesuffix("//") + "/%2F", bot], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == f"watching {bot}.events\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def message(number: int, text: str, *, addressed: bool = False) -> Message:
    return Message(
        key=f"acme/T1/C1/{number}",
        address=THREAD,
        conversation="channel",
        addressed=addressed,
        id=str(number),
        content=Content(text=text, plain=text),
    )


def publish(broker: Broker, *events: Message) -> None:
    topology = broker.topology
    publisher = Publisher(broker, "gateway")
    try:
        failed = publisher.publish(
            [
                Outgoing(
                    topology.events,
                    topology.event_key("acme", event.kind, event.conversation),
                    wire.encode(event),
                    queues=(topology.router_queue(),),
                )
                for event in events
            ]
        )
        assert failed == [None] * len(events)
    finally:
        publisher.close()


def test_it_watches_and_answers(rabbitmq: RabbitMQ, namespace: str) -> None:
    broker = Broker(rabbitmq.url, namespace)
    inbox = Inbox()
    with (
        consuming(broker, inbox, broker.topology.deliver_queue("acme"), role="gateway"),
        running_client(rabbitmq.url, namespace) as client,
    ):
        asked = message(2, "Marco?")
        events = [message(1, "good morning"), message(3, "marco", addressed=True), asked, asked]
        publish(broker, *events)
        first, again = inbox.wait(2)
        assert client.stdout is not None
        seen = [json.loads(client.stdout.readline()) for _ in events]
    assert [event["key"] for event in seen] == [event.key for event in events]
    action = wire.decode_action(first.body)
    assert isinstance(action, Send)
    assert action.address == THREAD
    assert action.content.text == "**polo**"
    assert asked.key in action.key
    # The same event twice: the same key, so the gateway posts it once.
    assert wire.decode_action(again.body).key == action.key
    assert first.routing_key == "acme.send"


def test_what_it_posts_is_in_the_schema(rabbitmq: RabbitMQ, namespace: str) -> None:
    import jsonschema

    broker = Broker(rabbitmq.url, namespace)
    inbox = Inbox()
    with (
        consuming(broker, inbox, broker.topology.deliver_queue("acme"), role="gateway"),
        running_client(rabbitmq.url, namespace),
    ):
        publish(broker, message(1, "marco"))
        (posted,) = inbox.wait(1)
    jsonschema.validate(json.loads(posted.body), wire.schema()["action"])


async def test_people_hear_it(rabbitmq: RabbitMQ, namespace: str, tmp_path: Path) -> None:
    """The whole way: Slack, Dragoman, RabbitMQ, the client, and back."""
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        room = acme.channel("general", members=[ann])
        toml = settings_for(slack, {"acme": acme}, broker=rabbitmq.url, name=namespace)
        with RunningBot(tmp_path, toml):
            await slack.connected(timeout=40)
            with running_client(rabbitmq.url, namespace):
                answer = await room.reply_to(await ann.say(room, "Marco?"), timeout=20)
    assert answer.text == "*polo*"
