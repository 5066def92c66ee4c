"""One bot, two environments: what its README says, typed word for word."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from dragoman_slack.simulator import SlackSimulator
from house.pages import read_blocks
from house.rooms import HOUSE
from support.servers import end

EXAMPLE = HOUSE / "examples" / "isolated_skill"
COMMANDS = [
    line
    for block in read_blocks((EXAMPLE / "README.md").read_text(encoding="utf-8"))
    if block.language == "sh"
    for line in block.body.splitlines()
]
#: What an installed Dragoman has, here from the working tree; the packages that it needs are this interpreter's.
INSTALLED = [*(str(HOUSE / room) for room in ("framework", "adapters", "plugins")), sysconfig.get_path("purelib")]


def command(line: str) -> Sequence[str]:
    """A command of the README, as it is typed."""
    assert line in COMMANDS, f"the README does not say: {line}"
    program, *words = line.split()
    if program.endswith("/dragoman"):  # the script that pip makes
        return [program.removesuffix("dragoman") + "python", "-m", "dragoman", *words]
    return [program, *words]


@contextlib.asynccontextmanager
async def started(folder: Path, line: str) -> AsyncIterator[Path]:
    """In a terminal of its own, until Ctrl-C; gives the file with what it prints."""
    log = folder / f"{line.split()[-1]}.log"
    with log.open("ab") as out:
        process = subprocess.Popen(command(line), cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        yield log
    finally:
        await asyncio.to_thread(end, process)


def printed(folder: Path, line: str) -> str:
    return subprocess.run(
        command(line), cwd=folder, capture_output=True, text=True, check=True, timeout=60, stdin=subprocess.DEVNULL
    ).stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example, with its two environments; without a package index, so what comes from there is linked."""
    folder = tmp_path / "isolated_skill"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".venv", ".dragoman", "__pycache__"))
    for name in ("bot", "speller"):
        assert f"python3 -m venv {name}/.venv" in COMMANDS
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / name / ".venv"], check=True)
        (site,) = (folder / name / ".venv" / "lib").glob("*/site-packages")
        (site / "installed.pth").write_text("\n".join(INSTALLED))
    assert "speller/.venv/bin/pip install ../.. ./alphabet ./speller" in COMMANDS
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "speller" / ".venv" / "bin" / "python")]
    offline = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*pip, "install", *offline, "./alphabet", "./speller"],
        cwd=folder,
        check=True,
        env=os.environ | {"PIP_FIND_LINKS": ""},
    )
    missing = [str(folder / "bot/.venv/bin/python"), "-c", "import radio_alphabet"]
    assert b"ModuleNotFoundError" in subprocess.run(missing, capture_output=True, check=False).stderr
    return folder


@pytest.mark.timeout(180)
async def test_a_bot_and_a_skill_that_is_not_installed_where_the_bot_is(folder: Path) -> None:
    run = "bot/.venv/bin/dragoman --config bot/dragoman.toml run"
    worker = "speller/.venv/bin/dragoman --config speller/dragoman.toml worker"
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        general = acme.channel("general", members=[ann])
        with (folder / "bot" / "dragoman.toml").open("a") as settings:
            settings.write(
                f'[accounts.acme]\nplatform = "slack"\napi_url = "{slack.url}"\n'
                f'bot_token = "{acme.app.bot_token}"\napp_token = "{acme.app.app_token}"\n'
            )

        async def told(text: str, timeout: float = 40.0) -> str:
            return (await general.reply_to(await ann.say(general, text), timeout=timeout)).text

        async with started(folder, run):
            await slack.connected(timeout=60)
            assert "do not know `spell`" in await told("@dragoman spell dog")
            async with started(folder, worker):
                async with asyncio.timeout(40):
                    while (text := await told("@dragoman spell dog")) != "Delta Oscar Golf":
                        assert "do not know `spell`" in text
                assert "spell" in await told("@dragoman help")
                table = await asyncio.to_thread(printed, folder, run.removesuffix("run") + "skills")
                assert "dragoman-speller 1.0" in table
                assert "speller at " in table
            # Its worker is gone, and so nobody answers; but what was asked is not lost.
            await ann.say(general, "@dragoman spell cat")
            assert "help" in await told("@dragoman help")
            assert not [message for message in general.said if "Charlie" in message.text]
            async with started(folder, worker):
                await slack.until(lambda: general.said[-1].text == "Charlie Alfa Tango", timeout=40)
            assert "speller is retired" in await asyncio.to_thread(
                printed, folder, run.removesuffix("run") + "retire speller"
            )
            # What was said in the moment before the router knew it waits for ever.
            text = ""
            while "do not know `spell`" not in text:
                with contextlib.suppress(TimeoutError):
                    text = await told("@dragoman spell owl", timeout=2)
