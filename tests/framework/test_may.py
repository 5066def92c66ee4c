"""``dragoman may``: the decision, why, and the exit status."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dragoman import ChannelInfo, Person
from dragoman.cli import cli
from dragoman.store.directory import write_channel, write_person
from dragoman.store.engine import open_store
from dragoman.supervisor import CONFIG_ERROR

SKILL = '''
from dragoman import Context, Skill

ops = Skill("ops")

@ops.command("ship", allow=("admin",))
def deploy(ctx: Context) -> None:
    """Deploy."""

@ops.command(name="release start")
def begin(ctx: Context) -> None:
    """Start."""

@ops.hear("thanks")
def thanked(ctx: Context) -> None:
    """Thanked."""

@ops.schedule("0 9 * * *")
def morning(ctx: Context) -> None:
    """Morning."""
'''

TOML = """
[bot]
skills = []
[accounts.acme]
platform = "slack"
[accounts.other]
platform = "slack"
[roles]
captain = ["acme:U3"]
[[rules]]
allow = false
channels = ["#random"]
reason = "Not in #random, please."
[[rules]]
allow = true
roles = ["captain"]
[[rules]]
allow = false
people = ["acme:U2"]
"""


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bot that knows Ann (admin) and Zoe on acme, and another Zoe on other."""
    monkeypatch.delenv("DRAGOMAN_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills" / "ops.py").write_text(SKILL)
    (tmp_path / "dragoman.toml").write_text(TOML)
    (tmp_path / ".dragoman").mkdir()
    engine = open_store(f"sqlite:///{tmp_path / '.dragoman' / 'store.db'}")
    with engine.begin() as connection:
        write_person(connection, "acme", "T1", Person(id="U1", name="Ann", roles=("admin",)), 1.0)
        write_person(connection, "acme", "T1", Person(id="U2", name="Zoe"), 1.0)
        write_person(connection, "other", "T2", Person(id="U2", name="Zoe"), 1.0)
        write_person(connection, "acme", "T1", Person(id="U9", name="acme:U1"), 1.0)
        write_channel(connection, "acme", ChannelInfo(id="C7", tenant="T1", name="random"), 1.0)
    engine.dispose()
    return tmp_path


def may(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["may", *arguments])


@pytest.mark.parametrize("user", ["Ann", "ann", "U1", "acme:U1"])
@pytest.mark.parametrize("command", ["deploy", "SHIP", "ops.deploy", "!deploy", "/ship"])
def test_who_may_is_told_with_the_status_0(bot: Path, user: str, command: str) -> None:
    result = may(user, command)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "Ann may run deploy: no rule matches; deploy is for the role admin, and Ann has admin",
        "  Ann is acme:U1; roles: admin",
        "  asked in a direct message",
        "  rule 1 (allow = false for channels #random) does not match: channels #random: not @, direct, acme:@, "
        "acme:direct",
        "  rule 2 (allow = true for roles captain) does not match: roles captain: not admin",
        "  rule 3 (allow = false for people acme:U2) does not match: people acme:U2: not U1, acme:U1",
    ]


@pytest.mark.parametrize("channel", ["#random", "#Random", "C7"])
def test_who_may_not_is_told_with_the_status_1(bot: Path, channel: str) -> None:
    result = may("ann", "deploy", "--channel", channel)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "Ann may not run deploy: rule 1 of dragoman.toml: allow = false for channels #random",
        "  Ann is acme:U1; roles: admin",
        "  asked in #random (C7)",
        "  rule 1 (allow = false for channels #random) matches: channels #random",
        "  2 more rules were not tried: the first match decides",
        "  they are told: Not in #random, please.",
    ]


def test_a_command_of_several_words_needs_no_quotes(bot: Path) -> None:
    assert may("ann", "release", "start").stdout.startswith("Ann may run release start: no rule matches")
    assert may("ann", "release start").exit_code == 0


def test_roles_of_the_bots_own_count_for_somebody_not_seen_yet(bot: Path) -> None:
    result = may("acme:U3", "deploy")
    assert result.exit_code == 0
    assert result.stdout.startswith("U3 may run deploy: rule 2 of dragoman.toml: allow = true for roles captain\n")
    assert "the directory does not know them yet" in result.stdout
    assert "roles: captain" in result.stdout


def test_a_channel_that_is_not_known_is_taken_as_it_is_written(bot: Path) -> None:
    assert "  asked in #new (#new)\n" in may("ann", "deploy", "--channel", "#new").stdout
    assert "  asked in a channel whose name is not known (C99)\n" in may("ann", "deploy", "--channel", "C99").stdout


def test_what_nobody_asks_for_is_told_so(bot: Path) -> None:
    result = may("acme:U2", "ops.morning", "--channel", "#random")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == (
        "Zoe may run morning: nobody asked for it: a schedule is subject to no rule"
    )
    assert "rule 1" not in result.stdout


def test_who_is_only_overheard_is_told_nothing(bot: Path) -> None:
    result = may("acme:U2", "ops.thanked")
    assert result.exit_code == 1
    assert "rule 3 (allow = false for people acme:U2) matches" in result.stdout
    assert "they are told" not in result.stdout


def test_one_of_several_has_to_be_named(bot: Path) -> None:
    result = may("zoe", "deploy")
    assert result.exit_code == 2
    assert "'zoe' could be acme:U2, other:U2: name one of these" in result.stderr
    assert "Zoe is other:U2" in may("zoe", "deploy", "--account", "other").stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ann", "deplyo"], "no enabled skill has the command 'deplyo'; did you mean deploy?"),
        (["ann", "release"], "no enabled skill has the command 'release'; did you mean release start?"),
        (["ann", "xyzzy"], "no enabled skill has the command 'xyzzy' (there are: deploy, ops.begin"),
        (["ann", "deploy", "--account", "acne"], "there is no account 'acne' in the settings; did you mean acme?"),
        (["ann", "deploy", "--account", "zzz"], "there is no account 'zzz' in the settings (there are: acme, other)"),
        (["nobody", "deploy"], "so say on which account: --account acme or other"),
        (["ann", "deploy", "--channel", ""], "--channel is an id, or a name with # in front"),
    ],
)
def test_what_is_not_known_is_told_with_what_is_near(bot: Path, arguments: list[str], told: str) -> None:
    result = may(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr


def test_without_accounts_it_is_about_the_console(bot: Path) -> None:
    (bot / "dragoman.toml").write_text('[bot]\nskills = []\n[[rules]]\nallow = false\naccounts = ["console"]\n')
    result = may("you", "release", "start")
    assert result.exit_code == 1
    assert "accounts console" in result.stdout.splitlines()[0]


def test_wrong_settings_have_their_own_status(bot: Path) -> None:
    (bot / "dragoman.toml").write_text("[[rules]]\npeople = ['x']\n")
    result = may("ann", "deploy")
    assert result.exit_code == CONFIG_ERROR
    assert "rules[1].allow is missing" in result.stderr
