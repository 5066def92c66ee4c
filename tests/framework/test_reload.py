"""``dragoman run --reload``: new code in new workers, and nothing else is disturbed."""

import asyncio
import os
import threading
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint, PathDistribution
from pathlib import Path

import pytest
from click.testing import CliRunner

from dragoman import reload
from dragoman.cli import cli
from dragoman.errors import DragomanError
from dragoman.manifest import SkillManifest
from dragoman.reload import Loaded, Reloader, load_anew, package_of
from dragoman.settings import load
from dragoman_slack.simulator import SlackSimulator
from end_to_end.test_way_round import running
from support.bot import RunningBot, settings_for
from support.servers import wait_until

from .distributions import install

SKILL = '''
from dragoman import Skill

skill = Skill("greet"{more})


@skill.command()
def greet() -> str:
    """Greet."""
    return "{answer}"
'''


def put(file: Path, text: str) -> None:
    """Write it at once, so that nobody sees half of it."""
    draft = file.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(file)


def write(folder: Path, answer: str, more: str = "") -> None:
    (folder / "skills").mkdir(parents=True, exist_ok=True)
    put(folder / "skills" / "greet.py", SKILL.format(answer=answer, more=more))


async def test_an_edited_skill_answers_anew_over_the_same_connection(namespace: str, tmp_path: Path) -> None:
    """The real command, once, since a start takes seconds."""
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        ann = acme.user("ann")
        room = acme.channel("general", members=[ann])

        async def answers(text: str) -> str:
            return (await room.reply_to(await ann.say(room, f"@dragoman {text}"), timeout=40)).text

        write(tmp_path, "one")
        toml = settings_for(slack, {"acme": acme}, broker="embedded", name=namespace, skills='"help"')
        async with running(RunningBot(tmp_path, toml, options=["--reload"])) as bot:
            await slack.connected(timeout=40)
            (socket,) = acme.app.link.sockets
            assert await answers("greet") == "one"
            before = bot.parts()

            # What cannot be loaded is named, and the old one goes on.
            put(tmp_path / "skills" / "greet.py", "def greet(:\n")
            await wait_for_log(bot, "the workers go on with what they have", "greet.py is broken")
            assert await answers("greet") == "one"

            # Mended, and into a pool of its own; one skill is not there any more, and another one is enabled.
            (tmp_path / "skills" / "echo.py").unlink()
            put(tmp_path / "dragoman.toml", toml.replace('"help"', '"dice"'))
            write(tmp_path, "two", ', pool="own"')
            await asyncio.to_thread(wait_until, lambda: "worker own" in bot.parts(), 40, "the pool")
            assert await answers("greet") == "two"
            assert "🎲" in await answers("roll 1d1")
            assert (await answers("echo hello")).startswith("I do not know `echo`.")

            after = bot.parts()
            assert {part: after[part] for part in ("gateway", "router", "broker")} == {
                part: before[part] for part in ("gateway", "router", "broker")
            }
            assert after["worker default"] != before["worker default"]
            assert acme.app.link.sockets == [socket]


async def wait_for_log(bot: RunningBot, *texts: str) -> None:
    for text in texts:
        await asyncio.to_thread(bot.wait_for_log, text, 40)


class CountingReloader(Reloader):
    """Knows how many times it has looked."""

    looks = 0

    def _stamps(self) -> dict[Path, tuple[int, int]]:
        self.looks += 1
        return super()._stamps()


class Reloading:
    """A reloader in this process, and what it has loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.renewed: list[Sequence[SkillManifest]] = []
        config = folder / "dragoman.toml"
        self.reloader = CountingReloader(load(config), config, self.renewed.append)

    def names(self) -> list[str]:
        return [manifest.name for manifest in self.renewed[-1]] if self.renewed else []


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reloading]:
    monkeypatch.setattr(reload, "LOOK", 100)
    (tmp_path / "dragoman.toml").write_text("[bot]\nskills = []\n")
    made = Reloading(tmp_path)
    made.reloader.start()
    yield made
    made.reloader.stop()


def test_what_is_no_code_is_no_change_and_a_folder_may_come_later(bot: Reloading) -> None:
    (bot.folder / "notes.txt").write_text("later")
    (bot.folder / ".dragoman").mkdir()
    (bot.folder / ".dragoman" / "store.py").write_text("")
    write(bot.folder / ".draft", "one")
    (bot.folder / ".draft" / "skills").rename(bot.folder / "skills")
    wait_until(lambda: bot.names() == ["greet"], 30, "the new skill")
    assert len(bot.renewed) == 1


def test_settings_that_other_parts_have_too_are_told(bot: Reloading, caplog: pytest.LogCaptureFixture) -> None:
    config = bot.folder / "dragoman.toml"
    put(config, '[bot]\nskills = []\n[broker]\nurl = "memory://"\n')
    wait_until(lambda: "broker changed: nothing is reloaded; start `dragoman run` again" in caplog.text, 30)
    put(config, '[bot]\nskills = ["dice"]\nprefixes = ["?"]\n')
    wait_until(lambda: bot.names() == ["dice"], 30, "the enabled skill")
    assert "bot.prefixes changed: start `dragoman run` again for that" in caplog.text
    assert len(bot.renewed) == 1


def test_what_is_watched_from_now_on_is_no_change(
    bot: Reloading, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = [tmp_path_factory.mktemp("package") for _ in range(2)]
    for number, package in enumerate(packages, start=1):
        (package / "__init__.py").write_text("")
        loaded = Loaded((), (package,))
        monkeypatch.setattr(reload, "load_anew", lambda config, loaded=loaded: loaded)
        put(bot.folder / "dragoman.toml", f"[bot]\nskills = []\n# {number}\n")
        wait_until(lambda number=number: len(bot.renewed) == number, 30, "the reload")  # type: ignore[misc]
    looks = bot.reloader.looks
    wait_until(lambda: bot.reloader.looks >= looks + 4, 30, "some more looks")
    assert len(bot.renewed) == 2
    put(packages[1] / "__init__.py", "x = 1")
    wait_until(lambda: len(bot.renewed) == 3, 30, "the reload of the package")


def test_loading_anew_says_what_is_wrong(tmp_path: Path) -> None:
    config = tmp_path / "dragoman.toml"
    config.write_text("[bot]\nskils = []\n")
    with pytest.raises(DragomanError, match="did you mean skills"):
        load_anew(config)


def test_a_skill_may_print_and_may_end_the_process(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "dragoman.toml"
    config.write_text("[bot]\nskills = []\n")
    write(tmp_path, "one")
    file = tmp_path / "skills" / "greet.py"
    file.write_text(file.read_text() + "print('{')\n")
    assert [manifest.name for manifest in load_anew(config).manifests] == ["greet"]
    file.write_text("import os\nos._exit(3)\n")
    with pytest.raises(DragomanError, match="cannot be loaded \\(status 3; see above\\)"):
        load_anew(config)


def test_only_an_editable_package_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    found = []
    for name, url in [("edited", '{"dir_info": {"editable": true}}'), ("fixed", '{"dir_info": {}}'), ("plain", "")]:
        install(tmp_path, f"dragoman-{name}", {f"{name}_module": ""}, {"dragoman.skills": {name: f"{name}_module:x"}})
        info = tmp_path / f"dragoman_{name}-1.0.dist-info"
        if url:
            (info / "direct_url.json").write_text(url)
        (point,) = PathDistribution(info).entry_points
        found.append(package_of(point))
    assert found == [tmp_path, None, None]
    assert package_of(EntryPoint("x", "y:z", "dragoman.skills")) is None


def test_one_process_cannot_be_started_anew(tmp_path: Path) -> None:
    config = tmp_path / "dragoman.toml"
    config.write_text('[broker]\nurl = "memory://"\n[accounts.here]\nplatform = "console"\n')
    cached = os.environ.get("PYTHONDONTWRITEBYTECODE")
    done = CliRunner().invoke(cli, ["--config", str(config), "run", "--reload"])
    assert done.exit_code == 78
    assert "memory://" in done.output
    assert os.environ.get("PYTHONDONTWRITEBYTECODE") == cached


def test_a_stop_waits_for_no_change(tmp_path: Path) -> None:
    (tmp_path / "dragoman.toml").write_text("[bot]\nskills = []\n")
    made = Reloading(tmp_path)
    made.reloader.start()
    made.reloader.stop()
    assert "dragoman-reload" not in [thread.name for thread in threading.enumerate()]
