"""What the adapter keeps and carries, with a whole bot behind it: one process, restarted in between."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for

SKILL = '''
import time
from pathlib import Path

from dragoman import Content, Context, Skill

skill = Skill("copy")


@skill.command()
def copy(ctx: Context) -> None:
    """Send back what is attached, backwards."""
    files = [ctx.files.attach(f"copy of {file.name}", ctx.files.read(file)[::-1]) for file in ctx.event.content.files]
    note = ctx.reply(Content(text="Here:", files=tuple(files)))
    ctx.react("tada", on=note)


@skill.command()
def change(ctx: Context) -> None:
    """Say something and think better of it."""
    ctx.edit(ctx.reply("first"), "second")


@skill.command()
def wait(path: str) -> str:
    """Answer when there is such a file."""
    while not Path(path).exists():
        time.sleep(0.05)
    return "waited"
'''


@contextlib.asynccontextmanager
async def running(bot: RunningBot) -> AsyncIterator[None]:
    await asyncio.to_thread(bot.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(bot.stop)


async def test_files_go_round_and_a_command_is_answered_where_the_bot_is_not(namespace: str, tmp_path: Path) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general, outside = acme.channel("general"), acme.channel("outside", bot=False)
        toml = settings_for(slack, {"acme": acme}, broker=f"memory://{namespace}", name=namespace)
        bot = RunningBot(tmp_path, toml, SKILL)
        async with running(bot):
            await slack.connected(timeout=40)
            root = await ann.say(general, "read this")
            files = [("a.txt", b"abc"), ("b", b"12" * 9999)]
            asked = await ann.say(general, "@dragoman copy", thread=root, files=files)
            text = await general.reply_to(asked, timeout=30)
            shared = await slack.until(lambda: [said for said in general.said if said.files], timeout=30)
            assert (text.text, text.thread_ts, shared[0].thread_ts) == ("Here:", root.ts, root.ts)
            assert [(file.name, file.content) for file in shared[0].files or ()] == [
                ("copy of a.txt", b"cba"),
                ("copy of b", b"21" * 9999),
            ]
            await slack.until(lambda: "tada" in text.reactions, timeout=30)
            # Such an answer has no id, so it stays as it is.
            await ann.slash("/change", outside)
            await slack.until(lambda: outside.said, timeout=30)
            await ann.slash(f"/wait {bot.config}", outside)
            await slack.until(lambda: len(outside.said) == 2, timeout=30)
            used = await ann.slash(f"/wait {tmp_path / 'go'}", outside)
            await slack.until(lambda: used.accepted, timeout=30)
            assert bot.process is not None
            bot.process.kill()
            bot.process.wait()
            (tmp_path / "go").touch()
            bot.__enter__()
            await slack.until(lambda: len(outside.said) == 3, timeout=60)
            assert [said.text for said in outside.said] == ["first", "waited", "waited"]
        log = bot.log.read_text()
        assert "|copy.change|1 was refused (target_has_no_message)" in log
        assert not [secret for secret in acme.app.replies if secret in log]
        assert acme.app.bot_token not in log
