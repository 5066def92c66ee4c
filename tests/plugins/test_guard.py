"""The guard: whom it ignores, what it finds slow, and what it does not let out."""

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from dragoman import Content, Edit, Send, Target
from dragoman.plugin_set import PluginSet
from dragoman_guard import Guard, GuardSettings, guard, redact
from support.samples import ACTIONS, HERE, message, send

# In parts, so that nobody's scanner takes them for real ones.
SLACK = "xox" + "b-123456789012-1234567890123-abcDEF"
TOKENS = {
    "slack bot": SLACK,
    "slack configuration": "xoxe.xox" + "p-1-Mi0yLTEyMzQ1Njc4OTAxMg",
    "slack app": "xapp" + "-1-A0123456789-1234567890-abcdef0123456789",
    "discord bot": "MTA" + "1234567890123456789012" + ".GhIjKl." + "abcdefghijklmnopqrstuvwxyz0123456789ab",
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----",
    "cut key": "-----BEGIN " + "PRIVATE KEY-----\nMIIEow",
}


class Log:
    """A context's logger."""

    def __init__(self) -> None:
        self.log = logging.getLogger("dragoman.skill.test")
        self.event = message("roll", key="e1")


def plugins(**settings: Any) -> PluginSet:
    return PluginSet([("dragoman:guard", Guard(GuardSettings(**settings)))])


def test_who_is_ignored_has_said_nothing() -> None:
    event = message("hello")  # of U1
    assert plugins(ignore=["U2"]).event(event) is event
    assert plugins(ignore=["U2", "U1"]).event(event) is None
    assert plugins(ignore=["U1"]).event(event.model_copy(update={"person": None})) is not None


@pytest.mark.parametrize(("limit", "told"), [(1e-9, True), (60, False)])
@pytest.mark.parametrize("fails", [True, False])
def test_a_slow_handler_is_told(limit: float, told: bool, fails: bool, caplog: pytest.LogCaptureFixture) -> None:
    def call() -> Any:
        if fails:
            raise KeyError("oh")
        return ()

    context: Any = Log()
    try:
        assert plugins(slow=limit).around(context, call) == ()
        assert not fails
    except KeyError:
        assert fails
    assert ("slow: it took" in caplog.text) == told


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_tokens_are_taken_out_of_what_the_bot_says(token: str, caplog: pytest.LogCaptureFixture) -> None:
    said = plugins().action(send(text=f"it is `{token}`"))
    assert isinstance(said, Send)
    assert said.content.text.startswith("it is `[removed]")
    assert token.splitlines()[-1] not in said.content.text
    assert token not in caplog.text


def test_edits_are_cleaned_as_well_and_nothing_else_is_touched() -> None:
    edit = Edit(key="k", address=HERE, target=Target(id="1"), content=Content(text=SLACK))
    assert plugins().action(edit).content.text == "[removed]"
    for action in ACTIONS.values():
        assert plugins().action(action) is action


@pytest.mark.parametrize(
    "text",
    [
        "the price is 12.5 EUR, see https://example.org/M/abc.def.ghi",
        "AKIA is a word",
        "xoxo, Ann",
        "-----BEGIN PUBLIC KEY-----",
        "Mississippi.river.flows",
    ],
)
def test_what_only_looks_a_little_like_a_token_stays(text: str) -> None:
    assert redact(text) == text


def test_a_long_text_takes_no_time() -> None:
    for text in ("M" * 100_000, "-----BEGIN " + "A " * 50_000, "xoxb-" * 20_000, "M.a.b" * 20_000):
        redact(text)


def test_the_command_line_shows_what_would_be_said() -> None:
    assert CliRunner().invoke(guard, [f"a {SLACK} b"]).stdout == "a [removed] b\n"


@pytest.mark.parametrize("settings", [{"slow": 0}, {"ignored": []}])
def test_its_settings_are_verified(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GuardSettings(**settings)


SKILL = """
from dragoman import Skill

skill = Skill("mine")


@skill.command()
def leak() -> str:
    return "here: TOKEN"
"""


def test_all_the_way_round(tmp_path: Path) -> None:
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills" / "mine.py").write_text(SKILL.replace("TOKEN", SLACK))
    (tmp_path / "dragoman.toml").write_text(
        '[bot]\nskills = []\nplugins = ["guard"]\n[plugins.guard]\nslow = 1e-9\nignore = ["bob"]\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "dragoman", "chat", "--user", "ann"],
        input="leak\n",
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "here: [removed]" in done.stdout
    assert "slow: it took" in done.stderr
    assert SLACK not in done.stdout + done.stderr
