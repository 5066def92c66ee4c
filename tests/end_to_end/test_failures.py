"""Whatever a handler does to itself or its process is counted, parked with all that is known, told, and replayable."""

import asyncio
import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from dragoman.cli import cli
from dragoman_slack.simulator import SlackSimulator
from support.bot import RunningBot, settings_for

from .test_way_round import running

SKILLS = '''
import os
import signal
import time
from pathlib import Path

from dragoman import Context, Skill

HERE = Path(__file__).parent
deadly = Skill("deadly", retries=1)
slow = Skill("slow", retries=0, time_limit=1, hard_time_limit=2)
picky = Skill("picky", retries=3, retry_on=(ConnectionError,))
patient = Skill("patient", retries=1000, give_up_after=3)
mended = Skill("mended", retries=0)


class Strange(Exception):
    """Cannot be pickled, as some SDKs' errors."""

    def __init__(self, one, two):
        super().__init__("strange")
        self.lock = open(os.devnull)


class Gone(Strange, ConnectionError):
    """The same, and worth another attempt."""


def count(name):
    with (HERE.parent / name).open("a") as file:
        file.write("x")


@deadly.command()
def leave() -> str:
    """End the process."""
    count("leave")
    os._exit(3)


@deadly.command()
def die() -> str:
    """End it as the kernel does when memory is short."""
    count("die")
    os.kill(os.getpid(), signal.SIGKILL)


@deadly.command()
def eat() -> str:
    """Ask for more memory than there is."""
    count("eat")
    raise MemoryError("all of it")


@slow.command()
def hang() -> str:
    """Do not listen to the first limit."""
    count("hang")
    while True:
        try:
            time.sleep(600)
        except BaseException:
            pass


@picky.command()
def odd() -> str:
    """Fail with what is not worth another attempt."""
    count("odd")
    raise Strange(1, 2)


@picky.command()
def cut() -> str:
    """Fail with what is, twice."""
    count("cut")
    if len((HERE.parent / "cut").read_text()) < 3:
        raise Gone(1, 2)
    return "there again"


@patient.command()
def wait() -> str:
    """Fail for as long as it is tried."""
    count("wait")
    raise RuntimeError("not yet")


@mended.command()
def mend(ctx: Context):
    """Fail until it is mended."""
    yield f"begun in attempt {ctx.attempt}"
    if not (HERE.parent / "mended").exists():
        raise RuntimeError("broken")
    yield f"mended in attempt {ctx.attempt}"
'''

#: How often each is tried, and what its last error says.
FATES = {
    "leave": (2, "WorkerLostError"),
    "die": (2, "WorkerLostError"),
    "eat": (2, "MemoryError: all of it"),
    "hang": (1, "TimeLimitExceeded(2"),
    "odd": (1, "strange"),
    "wait": (None, "RuntimeError: not yet"),
}


async def test_a_handler_can_do_to_itself_what_it_likes(durable_url: str, namespace: str, tmp_path: Path) -> None:
    def dead(*words: str) -> str:
        done = CliRunner().invoke(cli, ["--config", str(tmp_path / "dragoman.toml"), "dead", *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    def listed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(dead("list", "--json", "--kind", "run"))
        return found

    def tries(name: str) -> int:
        file = tmp_path / name
        return len(file.read_text()) if file.exists() else 0

    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        rooms = {name: acme.channel(name, members=[ann]) for name in (*FATES, "cut", "mend")}
        toml = settings_for(slack, {"acme": acme}, broker=durable_url, name=namespace)
        async with running(RunningBot(tmp_path, toml, skills=SKILLS)) as bot:
            await slack.connected(timeout=40)
            for name, room in rooms.items():
                await ann.say(room, f"@dragoman {name}")
            for name in FATES:
                await slack.until(lambda name=name: bool(rooms[name].said), timeout=90)  # type: ignore[misc]
            await slack.until(lambda: bool(rooms["cut"].said), timeout=60)
            await slack.until(lambda: len(rooms["mend"].said) == 2, timeout=60)

            # Each is parked, and the person is told the reference that finds it.
            letters = {letter["what"]: letter for letter in await asyncio.to_thread(listed)}
            assert letters.keys() == {*FATES, "mend"}
            for name, (attempts, error) in FATES.items():
                assert [letters[name]["reference"] in said.text for said in rooms[name].said] == [True]
                assert error in letters[name]["error"]
                assert letters[name]["attempts"] == tries(name)
                assert attempts is None or tries(name) == attempts
            assert 1 <= tries("wait") < 20
            # What was worth another attempt got there.
            assert ([said.text for said in rooms["cut"].said], tries("cut")) == (["there again"], 3)
            log = bot.log.read_text()
            assert all(f"is parked (reference {letter['reference']})" in log for letter in letters.values())

            told = await asyncio.to_thread(dead, "show", letters["odd"]["reference"])
            assert "in odd" in told
            assert "raise Strange(1, 2)" in told
            assert "skill echo.py" in told

            # It is mended while the bot runs, and replayed: what was said already is not said again.
            (tmp_path / "mended").touch()
            assert "replayed 1" in await asyncio.to_thread(dead, "replay", letters["mend"]["reference"])
            await slack.until(lambda: len(rooms["mend"].said) == 3, timeout=40)
            texts = [said.text for said in rooms["mend"].said]
            assert (texts[0], texts[2]) == ("begun in attempt 1", "mended in attempt 2")
            assert letters["mend"]["reference"] in texts[1]
            assert "mend" not in {letter["what"] for letter in await asyncio.to_thread(listed)}
