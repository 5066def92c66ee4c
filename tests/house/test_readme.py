"""The README is true: its code runs, its settings load, its commands exist, its session goes as it says."""

import importlib.util
import re
import shlex
from datetime import timedelta
from pathlib import Path

import click
import pytest

from dragoman.accounts import make_adapters
from dragoman.cli import cli
from dragoman.plugins import load_skills
from dragoman.settings import Settings, load
from dragoman.testing import Bot
from house.pages import blocks, chat, commands, exists
from house.rooms import HOUSE

README = (HOUSE / "README.md").read_text(encoding="utf-8")
GREET = HOUSE / "examples" / "first_bot" / "skills" / "greet.py"
PAGES = ("README.md", "CONTRIBUTING.md", "examples/first_bot/README.md", "examples/any_language/README.md")


@pytest.mark.parametrize("number", range(len(blocks("python", README))))
def test_the_code_is_a_skill(number: int, tmp_path: Path) -> None:
    (tmp_path / f"readme_{number}.py").write_text(blocks("python", README)[number], encoding="utf-8")
    assert load_skills([], tmp_path)


def test_the_first_bot_is_the_example() -> None:
    assert blocks("python", README)[0] == GREET.read_text(encoding="utf-8")


def test_the_second_skill_does_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "tea.py").write_text(blocks("python", README)[1], encoding="utf-8")
    (tmp_path / "dragoman.toml").write_text('[roles]\noffice = ["ann"]\n', encoding="utf-8")
    skills = list(load_skills([], tmp_path).values())
    with Bot(skills, settings=load(tmp_path / "dragoman.toml", environ={})) as bot:
        bot.say("tea <@bo> 2 black --steep 4m30s", by="ann")
        assert bot.replies[-1].text == "2 black, at 09:04. That makes 2 cups in all."
        assert bot.tick(timedelta(minutes=5)).texts == ["[@bo](dragoman:user/bo), your tea is ready."]
        assert "You may not use `tea`" in bot.say("brew <@bo>", by="bo")[0]


def test_a_handler_is_a_plain_function() -> None:
    spec = importlib.util.spec_from_file_location("greet_of_readme", GREET)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (line,) = re.findall(r"`assert (.*?)`", README)
    assert eval(line, vars(module)) is True


def test_the_session_goes_as_it_says(tmp_path: Path) -> None:
    (session,) = blocks("console", README)
    first, *lines = session.splitlines()
    assert first == "$ dragoman chat"
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills" / "greet.py").write_text(blocks("python", README)[0], encoding="utf-8")
    said = [line.removeprefix("> ") for line in lines if line.startswith("> ")]
    assert chat(tmp_path, said) == [line for line in lines if not line.startswith("> ")]


def test_the_first_bot_has_the_bundled_skills_too() -> None:
    answers = chat(HOUSE, ["roll 1d1", "help hello"], "--config", "examples/first_bot/dragoman.toml")
    assert answers[0] == "🎲 **1**"
    assert "Say hello to somebody." in answers


@pytest.mark.parametrize("number", range(len(blocks("toml", README))))
def test_the_settings_load(number: int, tmp_path: Path) -> None:
    file = tmp_path / "dragoman.toml"
    file.write_text(blocks("toml", README)[number], encoding="utf-8")
    (dotenv,) = blocks("ini", README)
    (tmp_path / ".env").write_text(dotenv, encoding="utf-8")
    if "[accounts." not in blocks("toml", README)[number]:
        (tmp_path / ".env").unlink()
    settings = load(file, environ={})
    if settings.accounts:
        assert set(make_adapters(settings)) == {"acme"}


def test_the_table_of_settings_is_complete() -> None:
    for section, field in Settings.model_fields.items():
        if section in ("root", "accounts", "skills"):
            continue
        model = field.annotation
        title = f"[{section}]"
        if section == "pools":
            model, title = type(Settings.model_validate({"pools": {"x": {}}}).pools["x"]), "[pools.NAME]"
        # Tables whose keys people choose are in docs/settings.md.
        for key in getattr(model, "model_fields", {}):
            assert f"| `{title} {key}` |" in README


def test_slack_is_five_steps_that_end_in_an_answer() -> None:
    section = README.partition("## Your bot in Slack\n")[2].partition("\n## ")[0]
    assert re.findall(r"^(\d+)\. ", section, flags=re.MULTILINE) == ["1", "2", "3", "4", "5"]
    assert "it answers" in section.partition("\n5. ")[2]


@pytest.mark.parametrize("page", PAGES)
def test_its_commands_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (HOUSE / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    for line in commands((HOUSE / page).read_text(encoding="utf-8")):
        words = shlex.split(line)
        if words[0] == "make":
            assert words[1] in targets, line
        elif words[0] == "dragoman":
            exists(line)
        elif words[0] == "celery":
            assert importlib.util.find_spec(words[words.index("-A") + 1]), line


def test_the_two_commands_are_there() -> None:
    assert {"make demo", "make test"} <= set(commands(README) + commands((HOUSE / "CONTRIBUTING.md").read_text()))


def test_every_command_is_in_it() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        assert f"`dragoman {name}" in README, name


@pytest.mark.parametrize("page", PAGES)
def test_its_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", (HOUSE / page).read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (HOUSE / page).parent.joinpath(target).exists(), target
