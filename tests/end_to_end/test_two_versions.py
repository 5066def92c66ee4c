"""Two versions of a skill side by side, each in a worker of its own: nothing that is asked meanwhile is lost."""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, update

from dragoman import SkillManifest
from dragoman.store.catalogue import publish_manifests
from dragoman.store.homeless import PATIENCE
from dragoman.store.schema import runs
from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for
from support.servers import end, wait_until

from .operating import operate
from .test_way_round import running

OLD = '''
from dragoman import Skill

skill = Skill("news")


@skill.command()
def tell(what: str) -> str:
    """Tell it."""
    return f"old {what}"
'''
NEW = (
    OLD.replace("old {", "new {")
    + '''

@skill.command()
def fresh(what: str) -> str:
    """Only the new version has this."""
    return f"fresh {what}"
'''
)


@contextlib.asynccontextmanager
async def version(folder: Path, source: str, toml: str) -> AsyncIterator[Path]:
    """A worker of this version, in a folder of its own; gives its log."""
    (folder / "skills").mkdir(parents=True, exist_ok=True)
    (folder / "skills" / "news.py").write_text(source)
    (folder / "dragoman.toml").write_text(toml)
    log = folder / "worker.log"
    words = ["--config", str(folder / "dragoman.toml"), "worker"]
    with log.open("ab") as out:
        worker = subprocess.Popen([sys.executable, "-m", "dragoman", *words], stdout=out, stderr=out)
    try:
        await asyncio.to_thread(wait_until, lambda: "are ready" in log.read_text(), 40, "the worker to be ready")
        yield log
    finally:
        await asyncio.to_thread(end, worker)


async def known(person: Any, channel: Any, command: str) -> None:
    """Until the router knows it."""
    text = "do not know"
    async with asyncio.timeout(40):
        while "do not know" in text:
            # Without what it has to be told, it is explained by the router itself.
            text = (await channel.reply_to(await person.say(channel, f"@dragoman {command}"), timeout=20)).text


@pytest.mark.timeout(240)
async def test_two_versions_side_by_side(namespace: str, tmp_path: Path) -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general = acme.channel("general", members=[ann])
        toml = settings_for(slack, {"acme": acme}, broker="embedded", name=namespace)
        data = tmp_path / ".dragoman"
        own = toml.replace("[broker]", f'[run]\ndata = "{data}"\n[broker]').replace('"help", "dice"', "")

        def texts() -> list[str]:
            return [message.text for message in general.said]

        async with running(RunningBot(tmp_path, toml)) as bot:
            await slack.connected(timeout=60)
            async with version(tmp_path / "old", OLD, own) as old:
                await known(ann, general, "tell")
                async with version(tmp_path / "new", NEW, own):
                    await known(ann, general, "fresh")
                    # What only the new one has: whoever gets it, the new one does it.
                    asked: list[str] = []
                    while "is passed on" not in old.read_text():
                        asked.append(f"fresh {len(asked)}")
                        await ann.say(general, f"@dragoman {asked[-1]}")
                        await slack.until(lambda: asked[-1] in texts() or "is passed on" in old.read_text(), timeout=40)
                    await slack.until(lambda: set(asked) <= set(texts()), timeout=60)
                    # What both have is done by either.
                    for number in range(1, 11):
                        await ann.say(general, f"@dragoman tell {number}")
                    both = [{f"old {number}", f"new {number}"} for number in range(1, 11)]
                    await slack.until(lambda: all(either & set(texts()) for either in both), timeout=40)

                # The new version is gone: what only it has is passed on, and given up when nobody has had it for long.
                before = old.read_text().count("is passed on")
                await ann.say(general, "@dragoman fresh lost")
                await asyncio.to_thread(
                    wait_until, lambda: old.read_text().count("is passed on") > before, 40, "the run to be passed on"
                )
                engine = create_engine(f"sqlite:///{data / 'store.db'}")
                with engine.begin() as connection:
                    publish_manifests(connection, [SkillManifest(name="news")], None)
                    long_ago = time.time() - PATIENCE - 1
                    lost = runs.c.homeless_since.is_not(None) & (runs.c.state == "queued")
                    connection.execute(update(runs).where(lost).values(homeless_since=long_ago, due_at=time.time()))
                engine.dispose()
                await slack.until(lambda: any("Sorry" in text for text in texts()), timeout=40)
                assert "no worker has had a handler 'fresh'" in old.read_text()
            (letter,) = json.loads(await asyncio.to_thread(operate, bot.config, "dead", "list", "--json"))
            assert (letter["skill"], letter["what"]) == ("news", "fresh")

        answers = [text for text in texts() if text.split()[0] in ("old", "new", "fresh")]
        assert len(answers) == len(set(answers)), "something was answered twice"
        assert len(answers) == len(asked) + 10
