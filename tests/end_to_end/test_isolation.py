"""A skill that is slow, or burns the processor, hurts only itself."""

from pathlib import Path

import pytest

from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for

from .test_way_round import running


@pytest.mark.timeout(180)
async def test_help_answers_while_fifty_runs_of_slow_skills_wait(
    durable_url: str, namespace: str, tmp_path: Path
) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        slow, general = acme.channel("slow", members=[ann]), acme.channel("general", members=[ann])
        # Fifty sleepers cannot be waited for: what they hold is handed back when the bot stops.
        toml = settings_for(slack, {"acme": acme}, broker=durable_url, name=namespace, more="[run]\ngrace = 1\n")
        async with running(RunningBot(tmp_path, toml)):
            await slack.connected(timeout=40)
            await general.reply_to(await ann.say(general, "@dragoman help"), timeout=40)
            # Two skills at once: neither one nor both may take every slot.
            for number in range(50):
                await ann.say(slow, f"@dragoman {('sleep', 'burn')[number % 2]} 60")
            for _ in range(20):
                asked = await ann.say(general, "@dragoman help")
                await general.reply_to(asked, timeout=10)
            assert len(general.said) == 21
            assert not slow.said  # all fifty are still at it, or waiting
