"""``dragoman chat`` as people run it: the real way round, in one process."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

LOCAL = """
from dragoman import Context, Skill

skill = Skill("mine", retries=0)


@skill.command()
def explode() -> str:
    raise RuntimeError("the wick was lit")


@skill.command()
def count(ctx: Context, to: int = 3):
    "Count."
    for n in range(to):
        yield str(n + 1)


@skill.command()
async def attempt(ctx: Context) -> str:
    "Which attempt it is."
    await ctx.typing("thinks")
    return f"attempt {ctx.attempt}"


@skill.hear(r"\\bécole (?P<name>\\w+)")
def heard(name: str) -> str:
    return f"heard {name}"
"""


class Chat:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "skills").mkdir()
        (folder / "skills" / "mine.py").write_text(LOCAL)

    def say(self, *lines: str, status: int = 0) -> tuple[list[str], str]:
        """What it answers, line by line, and what it logs."""
        done = subprocess.run(
            [sys.executable, "-m", "dragoman", "chat"],
            input="".join(f"{line}\n" for line in lines).encode(),
            cwd=self.folder,
            capture_output=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == status, done.stderr.decode()
        return done.stdout.decode().splitlines(), done.stderr.decode()


@pytest.fixture
def chat(tmp_path: Path) -> Chat:
    return Chat(tmp_path)


def test_a_conversation_in_a_terminal(chat: Chat) -> None:
    answers, logged = chat.say(
        "roll 2d6", "/roll 1d1", "ROLL 1d1 2", "", "rol", "roll 2d6 many", "école française", "count 1"
    )
    assert re.fullmatch(r"🎲 \d \+ \d = \*\*\d+\*\*", answers[0])
    assert answers[1:] == [
        "🎲 **1**",
        "🎲 **1**",
        "🎲 **1**",
        "I do not know `rol`. Did you mean `roll`? `help` lists what I can do.",
        "`times` should be a whole number from 1 to 20, not `many`.",
        "",
        "Usage: `roll [dice] [times]`",
        "heard française",
        "1",
    ]
    assert logged == ""


def test_an_async_handler_may_show_that_it_is_busy_before_it_answers(chat: Chat) -> None:
    answers, _ = chat.say("attempt")
    assert answers == ["*(thinks)*", "attempt 1"]


def test_help_lists_the_bundled_skills_and_those_of_the_folder(chat: Chat) -> None:
    answers, _ = chat.say("help")
    assert "**dice**: Roll dice" in answers
    assert "- `roll [dice] [times]`: Roll dice such as 2d20, or 3d6+2; several times if you like." in answers
    assert "- `count [to]`: Count." in answers


def test_an_exception_gives_an_apology_with_a_reference_that_is_in_the_log_with_the_traceback(chat: Chat) -> None:
    answers, logged = chat.say("explode", "roll 1d1")
    found = re.fullmatch(
        r"Sorry, that did not work. If you report it, please mention the reference `([A-Z0-9]{8})`.", answers[0]
    )
    assert found is not None, answers
    assert answers[1:] == ["🎲 **1**"]
    assert "wick" not in answers[0]
    assert f"reference {found[1]}" in logged
    assert "Traceback (most recent call last)" in logged
    assert "RuntimeError: the wick was lit" in logged
    assert 'raise RuntimeError("the wick was lit")' in logged


def test_only_the_skills_of_the_settings_are_there_if_they_name_some(chat: Chat) -> None:
    (chat.folder / "dragoman.toml").write_text('[bot]\nskills = []\n[broker]\nurl = "amqp://nowhere.invalid"\n')
    answers, _ = chat.say("roll 1d1", "count 1")
    assert answers == ["I do not know `roll`.", "1"]


def test_nothing_is_left_in_the_folder(chat: Chat) -> None:
    chat.say("roll 1d1")
    assert sorted(path.name for path in chat.folder.iterdir()) == ["skills"]


BROKEN = "broken.py is broken in line 1, `import nothing_of_that_name`: ModuleNotFoundError"


def test_a_broken_skill_is_named_and_the_others_answer(chat: Chat) -> None:
    (chat.folder / "skills" / "broken.py").write_text("import nothing_of_that_name")
    answers, logged = chat.say("roll 1d1")
    assert answers == ["🎲 **1**"]
    assert BROKEN in logged
    assert "Traceback" not in logged


def test_a_strict_bot_does_not_start_with_a_broken_skill_and_the_status_is_78(chat: Chat) -> None:
    (chat.folder / "skills" / "broken.py").write_text("import nothing_of_that_name")
    (chat.folder / "dragoman.toml").write_text("[bot]\nstrict = true\n")
    answers, logged = chat.say("help", status=78)
    assert answers == []
    assert BROKEN in logged
    assert "Traceback" not in logged
