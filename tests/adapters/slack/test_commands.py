"""``dragoman slack manifest``."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dragoman.cli import cli

SKILL = """
from dragoman import Skill

skill = Skill("coffee", summary="Coffee for all.")

@skill.command()
def brew(cups: int = 1) -> str:
    \"\"\"Make coffee.\"\"\"
    return ""

@skill.command()
def remind() -> str:
    \"\"\"Remind of coffee.\"\"\"
    return ""
"""


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills" / "coffee.py").write_text(SKILL)
    config = tmp_path / "dragoman.toml"
    config.write_text('[bot]\nskills = ["dice"]\n')
    return config


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_the_manifest_offers_the_commands_of_the_bots_skills(bot: Path) -> None:
    result = run("--config", str(bot), "slack", "manifest", "--name", "Ada")
    assert result.exit_code == 0, result.output
    manifest = json.loads(result.stdout)
    offered = {command["command"]: command for command in manifest["features"]["slash_commands"]}
    assert {"/brew", "/roll"} <= offered.keys()
    assert offered["/brew"]["description"] == "Make coffee."
    assert offered["/brew"]["usage_hint"] == "[cups]"
    assert "commands" in manifest["oauth_config"]["scopes"]["bot"]
    assert "not a slash command: remind (Slack has its own)" in result.stderr
    assert "/remind" not in offered


def test_without_slash_commands_no_skill_is_read(tmp_path: Path) -> None:
    broken = tmp_path / "dragoman.toml"
    broken.write_text('[bot]\nskills = ["no-such-skill"]\n')
    result = run("--config", str(broken), "slack", "manifest", "--no-slash")
    assert result.exit_code == 0, result.output
    assert "slash_commands" not in json.loads(result.stdout)["features"]


@pytest.mark.parametrize(
    ("text", "says"), [("[bot]\nskils = []\n", "did you mean skills"), ('[bot]\nskills = ["nope"]\n', "nope")]
)
def test_what_is_wrong_with_the_settings_is_said(tmp_path: Path, text: str, says: str) -> None:
    config = tmp_path / "dragoman.toml"
    config.write_text(text)
    result = run("--config", str(config), "slack", "manifest")
    assert result.exit_code != 0
    assert says in result.stderr
    assert "Traceback" not in result.output


def test_a_name_that_slack_does_not_take_is_said() -> None:
    result = run("slack", "manifest", "--no-slash", "--name", "x" * 36)
    assert result.exit_code != 0
    assert "must have 1 to 35 characters" in result.stderr
