"""The whole bot on PostgreSQL."""

from pathlib import Path

from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for
from support.postgres import PostgreSQL

from .test_way_round import running


async def test_a_bot_keeps_its_store_in_postgresql(postgres: PostgreSQL, namespace: str, tmp_path: Path) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general = acme.channel("general", members=[ann])
        more = f'[store]\nurl = "postgresql{postgres.database()}"\n'
        toml = settings_for(slack, {"acme": acme}, broker="embedded", name=namespace, more=more)
        async with running(RunningBot(tmp_path, toml)) as bot:
            await slack.connected(timeout=40)
            for number in range(20):
                said = await ann.say(general, f"@dragoman echo {number}")
                assert (await general.reply_to(said, timeout=30)).text == f"echo {number}"
            assert bot.kill("worker default")
            said = await ann.say(general, "@dragoman echo again")
            assert (await general.reply_to(said, timeout=40)).text == "echo again"
        assert not (tmp_path / ".dragoman" / "store.db").exists()
