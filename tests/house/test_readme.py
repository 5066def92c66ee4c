"""The README is true: its code runs, its settings load, its commands exist, its session goes as it says."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from dragoman.accounts import make_adapters
from dragoman.cli import cli
from dragoman.plugins import load_skills
from dragoman.settings import Settings, load
from house.rooms import HOUSE

README = (HOUSE / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w+)\n(?P<body>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
GREET = HOUSE / "examples" / "first_bot" / "skills" / "greet.py"
PAGES = ("README.md", "CONTRIBUTING.md", "examples/first_bot/README.md", "examples/any_language/README.md")


def blocks(language: str, text: str = README) -> list[str]:
    """The bodies of the code blocks in that language, without their indentation."""
    return [
        re.sub(rf"^{found['indent']}", "", found["body"], flags=re.MULTILINE)
        for found in FENCE.finditer(text)
        if found["language"] == language
    ]


def commands(text: str) -> list[str]:
    """Every command that a page names, in its blocks and between backticks."""
    lines = [line for block in blocks("sh", text) for line in block.splitlines()]
    lines += re.findall(r"`((?:dragoman|make|celery) [^`\n]*)`", FENCE.sub("", text))
    lines += [
        line.removeprefix("$ ") for block in blocks("console", text) for line in block.splitlines() if line[0] == "$"
    ]
    return sorted({line.partition("#")[0].strip() for line in lines if line.strip()})


def environment() -> dict[str, str]:
    """The process's, without a bot of somebody's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DRAGOMAN_")}


def chat(folder: Path, lines: list[str], *options: str) -> list[str]:
    """What ``dragoman chat`` prints when these lines are typed."""
    done = subprocess.run(
        [sys.executable, "-m", "dragoman", *options, "chat"],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(),
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_the_code_is_a_skill(number: int, tmp_path: Path) -> None:
    (tmp_path / f"readme_{number}.py").write_text(blocks("python")[number], encoding="utf-8")
    assert load_skills([], tmp_path)


def test_the_first_bot_is_the_example() -> None:
    assert blocks("python")[0] == GREET.read_text(encoding="utf-8")


def test_a_handler_is_a_plain_function() -> None:
    spec = importlib.util.spec_from_file_location("greet_of_readme", GREET)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (line,) = re.findall(r"`assert (.*?)`", README)
    assert eval(line, vars(module)) is True


def test_the_session_goes_as_it_says(tmp_path: Path) -> None:
    (session,) = blocks("console")
    first, *lines = session.splitlines()
    assert first == "$ dragoman chat"
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills" / "greet.py").write_text(blocks("python")[0], encoding="utf-8")
    said = [line.removeprefix("> ") for line in lines if line.startswith("> ")]
    assert chat(tmp_path, said) == [line for line in lines if not line.startswith("> ")]


def test_the_first_bot_has_the_bundled_skills_too() -> None:
    answers = chat(HOUSE, ["roll 1d1", "help hello"], "--config", "examples/first_bot/dragoman.toml")
    assert answers[0] == "🎲 **1**"
    assert "Say hello to somebody." in answers


@pytest.mark.parametrize("number", range(len(blocks("toml"))))
def test_the_settings_load(number: int, tmp_path: Path) -> None:
    file = tmp_path / "dragoman.toml"
    file.write_text(blocks("toml")[number], encoding="utf-8")
    (dotenv,) = blocks("ini")
    (tmp_path / ".env").write_text(dotenv, encoding="utf-8")
    if "[accounts." not in blocks("toml")[number]:
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
        assert isinstance(model, type)
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
            _exists(words, line)
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


def _exists(words: list[str], line: str) -> None:
    """Every subcommand and option of a ``dragoman`` command line."""
    command: click.Command = cli
    context = click.Context(cli)
    rest = iter(words[1:])
    for word in rest:
        if word.startswith("-"):
            option = next((p for p in command.params if word in p.opts), None)
            assert option is not None, line
            if not getattr(option, "is_flag", False):
                next(rest)
        else:
            assert isinstance(command, click.Group), line
            found = command.get_command(context, word)
            assert found is not None, line
            command = found
