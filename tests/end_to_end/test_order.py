"""``Skill(order="conversation")``: one after another in a conversation, on however many workers."""

from pathlib import Path

from dragoman_slack.simulator import Channel, SlackSimulator
from support.bot import RunningBot, settings_for

from .test_way_round import running

SKILLS = '''
import os
import time

from dragoman import Context, Skill

queue = Skill("queue", order="conversation", retries=2)
free = Skill("free")


@queue.hear(r"^number (?P<number>[0-9]+)$")
def number(ctx: Context, number: int) -> str:
    """The earlier it was said, the longer it takes; some fail, and some kill their process."""
    if number == 7 and ctx.attempt == 1:
        raise RuntimeError("seven")
    if number == 11 and ctx.attempt == 1:
        os._exit(3)
    time.sleep(0.03 * (3 - number % 4 % 3))
    return f"{number} in attempt {ctx.attempt}"


@free.command()
def ping() -> str:
    """Answer at once."""
    return "pong"
'''


async def test_a_conversation_is_answered_in_its_order(broker_url: str, namespace: str, tmp_path: Path) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        channels = [acme.channel(name, members=[ann]) for name in ("one", "two")]
        toml = settings_for(slack, {"acme": acme}, broker=broker_url, name=namespace)
        # In memory all is one process, which must not be killed.
        skills = SKILLS.replace("os._exit(3)", "raise SystemExit(3)") if broker_url.startswith("memory") else SKILLS
        async with running(RunningBot(tmp_path, toml, skills)):
            await slack.connected(1, timeout=40)
            roots = [await ann.say(channel, "a thread") for channel in channels]
            for number in range(20):
                for channel, root in zip(channels, roots, strict=True):
                    # A thread belongs to its channel's conversation.
                    await ann.say(channel, f"number {number}", thread=root.ts if number % 3 == 0 else None)
            # Nobody else waits for them.
            asked = await ann.say(channels[0], "@dragoman ping")
            assert (await channels[0].reply_to(asked, timeout=30)).text == "pong"
            expected = [f"{number} in attempt {2 if number in (7, 11) else 1}" for number in range(20)]
            for channel in channels:
                await slack.until(lambda channel=channel: len(answers(channel)) >= 20, 60)  # type: ignore[misc]
                assert answers(channel) == expected


def answers(channel: Channel) -> list[str]:
    return [message.text for message in channel.said if message.text != "pong"]
