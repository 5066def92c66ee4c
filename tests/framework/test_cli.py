"""The command line: what it prints, where, and with which exit status."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from dragoman import wire
from dragoman.cli import cli
from dragoman.supervisor import CONFIG_ERROR


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """``check`` turns logging off for its process, and commands set it up."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.disable(logging.NOTSET)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DRAGOMAN_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "dragoman.toml"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def test_schema_prints_the_json_schema_of_the_wire() -> None:
    result = call("schema")
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert printed == json.loads(json.dumps(wire.schema()))
    jsonschema.Draft202012Validator.check_schema(printed["event"])


def test_help_lists_every_command_with_what_it_does() -> None:
    result = call("--help")
    assert result.exit_code == 0
    for line in ("run", "gateway", "router", "web", "worker", "chat", "check", "schema", "slack"):
        assert f"\n  {line} " in result.stdout
    assert "supervised" not in call("router", "--help").stdout


def test_every_command_has_help() -> None:
    for name in cli.commands:
        result = call(name, "-h")
        assert result.exit_code == 0
        assert result.stdout.startswith("Usage:")


def test_version_is_that_of_the_distribution() -> None:
    assert "0.1.0" in call("--version").stdout


def test_an_unknown_command_is_told() -> None:
    result = call("dance")
    assert result.exit_code == 2
    assert "No such command 'dance'" in result.stderr


@pytest.mark.parametrize("command", ["run", "gateway", "router", "worker", "chat"])
def test_an_error_is_one_line_on_stderr_and_status_78(toml: Path, command: str) -> None:
    toml.write_text("[brokr]\n")
    result = call(command)
    assert result.exit_code == CONFIG_ERROR
    assert result.stderr == "dragoman: dragoman.toml: brokr is not a setting; did you mean broker?\n"
    assert result.stdout == ""


def test_a_missing_settings_file_is_told(tmp_path: Path) -> None:
    result = call("--config", str(tmp_path / "nowhere.toml"), "router")
    assert result.exit_code == CONFIG_ERROR
    assert "there is no settings file" in result.stderr


def test_a_part_that_cannot_run_in_memory_says_so(toml: Path) -> None:
    toml.write_text('[broker]\nurl = "memory://"')
    result = call("router")
    assert result.exit_code == CONFIG_ERROR
    assert "dragoman chat" in result.stderr


def test_concurrency_is_for_one_worker(toml: Path) -> None:
    result = call("worker", "--concurrency", "3")
    assert result.exit_code == 2
    assert "add --pool or --skill" in result.stderr


def test_check_says_that_all_is_well(toml: Path) -> None:
    toml.write_text(
        '[bot]\nname = "rose"\nskills = ["help", "dice"]\n'
        '[broker]\nurl = "memory://"\n[accounts.me]\nplatform = "console"\n'
    )
    result = call("check")
    assert result.exit_code == 0, result.stdout
    lines = result.stdout.splitlines()
    assert lines[0].startswith("ok  settings   bot 'rose' in ")
    assert any(line.startswith("ok  skill      dice (dragoman ") and line.endswith(": roll") for line in lines)
    assert "ok  pools      default: dice, help" in lines
    assert any(line.startswith("--  broker     memory://") for line in lines)
    assert any(line.startswith("ok  store      sqlite:///") for line in lines)
    assert "ok  account    me: you at this terminal" in lines
    assert not any(line.startswith("NO") for line in lines)


def test_check_without_accounts_says_how_to_go_on(toml: Path) -> None:
    toml.write_text('[broker]\nurl = "memory://"')
    result = call("check")
    assert result.exit_code == 0
    assert "--  accounts   none yet: add [accounts.NAME], or try `dragoman chat`" in result.stdout
    assert "dice (dragoman " in result.stdout
    assert "is installed but not enabled: add it to [bot] skills" in result.stdout


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("[brokr]\n", "NO  settings   dragoman.toml: brokr is not a setting; did you mean broker?"),
        ('[bot]\nskills = ["dcie"]', "NO  skills     bot.skills names 'dcie', which is not installed"),
        ("[skills.dcie]\na = 1", "NO  skills     [skills.dcie]: no such skill is enabled"),
        ('[store]\nurl = "mysql://ann:sekret@x/y"', "NO  store      store.url: mysql is not supported"),
        ('[broker]\nurl = "amqp://ann:sekret@127.0.0.1:1//"', "NO  broker "),
        ('[accounts.acme]\nplatform = "irc"', "NO  account    acme: platform 'irc': there is no such adapter"),
        (
            '[accounts.acme]\nplatform = "slack"\nbot_tokn = "sekret"',
            "accounts.acme.bot_tokn is not a setting; did you mean bot_token?",
        ),
    ],
)
def test_check_names_what_is_wrong_and_fails(toml: Path, settings: str, told: str) -> None:
    if "[broker]" not in settings:
        settings = settings + '\n[broker]\nurl = "memory://"\n'
    toml.write_text(settings)
    result = call("check")
    assert result.exit_code == 1
    assert told in result.stdout
    assert "sekret" not in result.output


def test_check_names_a_webhook_that_has_no_secret(toml: Path) -> None:
    folder = toml.parent / "skills"
    folder.mkdir()
    (folder / "ci.py").write_text(
        "from dragoman import Skill\n\nskill = Skill('ci')\n\n\n"
        "@skill.webhook('/build')\ndef built() -> None:\n    'Built.'\n"
    )
    toml.write_text('[bot]\nskills = []\n[broker]\nurl = "memory://"\n')
    result = call("check")
    assert result.exit_code == 1
    assert "NO  webhook    ci has no secret, so every call is refused: set [webhooks.ci] secret" in result.stdout
    toml.write_text(toml.read_text() + '[webhooks.ci]\nsecret = "0123456789abcdef"\n')
    result = call("check")
    assert result.exit_code == 0, result.stdout
    assert "ok  webhook    ci: http://127.0.0.1:8080/hooks/ci/build" in result.stdout
    assert "0123456789abcdef" not in result.output


def test_help_is_there_for_all_the_others_if_a_plugin_is_broken(toml: Path, tmp_path: Path) -> None:
    info = tmp_path / "acme_irc-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-irc\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dragoman.adapters]\nirc = no_such_module_anywhere:Irc\n")
    done = subprocess.run(
        [sys.executable, "-m", "dragoman", "-h"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert "\n  slack " in done.stdout
    assert "\n  guard " in done.stdout
    assert "acme-irc:irc (acme-irc 1.0) cannot be imported" in done.stderr


@pytest.mark.parametrize("command", ["run", "worker", "check"])
def test_strict_is_an_option_of_whatever_loads_skills(toml: Path, command: str) -> None:
    (toml.parent / "skills").mkdir()
    (toml.parent / "skills" / "h5_broken.py").write_text("value = 1 / 0")
    toml.write_text(f'[broker]\nurl = "{"memory://" if command == "check" else "amqp://127.0.0.1:1//"}"\n')
    result = call(command, "--strict")
    assert result.exit_code == (1 if command == "check" else CONFIG_ERROR)
    assert "h5_broken.py is broken in line 1, `value = 1 / 0`" in result.output


def test_a_broken_plugin_of_the_command_line_is_blamed_and_not_traced(toml: Path, tmp_path: Path) -> None:
    info = tmp_path / "acme_irc-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-irc\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[dragoman.adapters]\nirc = no_such_module_anywhere:Irc\n")
    done = subprocess.run(
        [sys.executable, "-m", "dragoman", "irc"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == CONFIG_ERROR
    assert done.stderr.startswith("dragoman: acme-irc:irc (acme-irc 1.0) cannot be imported")
    assert "Traceback" not in done.stderr
