"""Settings: where they come from, what a mistake is called, and that secrets stay secret."""

from pathlib import Path
from typing import Any

import pytest

from dragoman import SettingsError
from dragoman.access import Access
from dragoman.settings import load
from support.settings import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


SLACK = '[accounts.acme]\nplatform = "slack"\nbot_token = "xoxb-sekret"\n'


def test_without_anything_there_are_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = load(environ={})
    assert (found.bot.name, found.bot.skills, found.bot.prefixes) == ("dragoman", ("help",), ("!",))
    assert found.broker.url.get_secret_value() == "embedded"
    assert found.store_url == f"sqlite:///{tmp_path}/.dragoman/store.db"
    assert found.accounts == {}


def test_the_file_is_read(folder: Folder) -> None:
    found = folder.read(
        '[bot]\nname = "rose"\nskills = ["help", "dice"]\n[broker]\nurl = "amqp://x"\n[store]\nurl = "sqlite:///x"\n'
        "[pools.slow]\nconcurrency = 3\n[run]\ngrace = 2\n[skills.dice]\nsides = 6\n" + SLACK
    )
    assert (found.bot.name, found.bot.skills) == ("rose", ("help", "dice"))
    assert (found.broker.url.get_secret_value(), found.store_url) == ("amqp://x", "sqlite:///x")
    assert found.pools["slow"].concurrency == 3
    assert found.skills == {"dice": {"sides": 6}}
    assert found.accounts["acme"]["bot_token"] == "xoxb-sekret"
    assert found.root == folder.path
    assert found.data == folder.path / ".dragoman"


def test_dragoman_toml_in_the_working_folder_is_found(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.path)
    folder.toml.write_text('[bot]\nname = "rose"')
    assert load(environ={}).bot.name == "rose"


def test_dragoman_config_names_the_file(folder: Folder) -> None:
    folder.toml.write_text('[bot]\nname = "rose"')
    assert load(environ={"DRAGOMAN_CONFIG": str(folder.toml)}).bot.name == "rose"


def test_the_environment_wins_over_dotenv_and_dotenv_over_the_file(folder: Folder) -> None:
    toml, dotenv = '[bot]\nname = "file"\n[run]\ngrace = 7', "DRAGOMAN_BOT__NAME=dotenv"
    assert folder.read(toml).bot.name == "file"
    assert folder.read(toml, dotenv=dotenv).bot.name == "dotenv"
    found = folder.read(toml, dotenv=dotenv, DRAGOMAN_BOT__NAME="environ")
    assert found.bot.name == "environ"
    assert found.run.grace == 7  # what is not overridden stays


def test_an_accounts_token_can_come_from_the_environment(folder: Folder) -> None:
    found = folder.read(
        '[accounts.acme]\nplatform = "slack"\napp_token = "from-file"',
        dotenv="DRAGOMAN_ACCOUNTS__ACME__BOT_TOKEN=12345",
        DRAGOMAN_ACCOUNTS__OTHER__PLATFORM="console",
    )
    assert found.accounts == {
        "acme": {"platform": "slack", "app_token": "from-file", "bot_token": "12345"},
        "other": {"platform": "console"},
    }


def test_the_newer_sections_are_read(folder: Folder) -> None:
    found = folder.read(
        """
        [bot]
        timezone = "Europe/Berlin"
        plugins = ["guard"]
        strict = true
        [roles]
        deployers = ["U1", "ann"]
        [[rules]]
        allow = false
        commands = ["deploy*"]
        reason = "Only in #ops, please."
        [[rules]]
        allow = true
        [plugins.guard]
        words = ["x"]
        [web]
        host = "0.0.0.0"
        port = 0
        [webhooks.ci]
        secret = "0123456789abcdef"
        """
    )
    assert (found.bot.timezone, found.bot.plugins, found.bot.strict) == ("Europe/Berlin", ("guard",), True)
    assert found.plugins == {"guard": {"words": ["x"]}}
    assert (found.web.host, found.web.port) == ("0.0.0.0", 0)
    assert found.webhooks["ci"].secret.get_secret_value() == "0123456789abcdef"
    assert found.access.rules == found.rules
    assert found.access.roles == {"deployers": ("U1", "ann")}
    assert [(rule.allow, rule.commands, rule.reason) for rule in found.rules] == [
        (False, ("deploy*",), "Only in #ops, please."),
        (True, None, None),
    ]


def test_left_out_they_have_defaults(folder: Folder) -> None:
    found = folder.read()
    assert (found.bot.timezone, found.bot.plugins, found.bot.strict) == ("UTC", (), False)
    assert (found.web.host, found.web.port) == ("127.0.0.1", 8080)
    assert (found.rules, found.roles, found.plugins, found.webhooks) == ((), {}, {}, {})
    assert found.access == Access()


def test_other_programs_variables_may_stand_in_dotenv(folder: Folder) -> None:
    assert folder.read(dotenv="POSTGRES_PASSWORD=sekret\nDRAGOMAN_BOT__NAME=rose\n").bot.name == "rose"


def test_variables_that_are_no_settings_are_left_alone(folder: Folder) -> None:
    folder.read(DRAGOMAN_CONFIG="x", DRAGOMAN_API_SPECS="y", PATH="z", dotenv="DRAGOMAN_CONFIG=x\n")


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("[brokr]\n", "dragoman.toml: brokr is not a setting; did you mean broker?"),
        ("[bot]\nnam = 'x'", "dragoman.toml: bot.nam is not a setting; did you mean name?"),
        ("[broker]\nulr = 'x'", "dragoman.toml: broker.ulr is not a setting; did you mean url?"),
        (
            "[store]\nretention_days = 500",
            "dragoman.toml: store: handles_days is 400 and retention_days is 500: what is kept keeps its handle, "
            "so set handles_days to 500 or more",
        ),
        ("[store]\nhandles_days = 29.5", "dragoman.toml: store: handles_days is 29.5 and retention_days is 30"),
        ("[store]\nhandles_days = nan", "dragoman.toml: store"),
        ("[store]\nretention = 3", "store.retention is not a setting; did you mean retention_days?"),
        ("[pools.x]\nconcurency = 3", "dragoman.toml: pools.x.concurency is not a setting; did you mean concurrency?"),
        ("[run]\nzzz = 3", "dragoman.toml: run.zzz is not a setting"),
        ("zzz = 3", "dragoman.toml: zzz is not a setting"),
        ("[accounts.acme]\ntoken = 'x'", 'accounts.acme needs a platform, such as platform = "slack"'),
        ("[accounts.Acme]\nplatform = 'x'", "accounts.Acme"),
        ("[bot]\nname = 5", "dragoman.toml: bot.name: Input should be a valid string"),
        ("[bot]\nname = 'A B'", "dragoman.toml: bot.name: String should match pattern"),
        ("[bot]\nskills = 'help'", "dragoman.toml: bot.skills: this should be a list"),
        ("[bot]\nprefixes = ['']", "dragoman.toml: bot.prefixes[1]: String should have at least 1 character"),
        (
            "[pools.x]\nconcurrency = 0",
            "dragoman.toml: pools.x.concurrency: Input should be greater than or equal to 1",
        ),
        ("[run]\ngrace = 'long'", "dragoman.toml: run.grace: Input should be a valid number"),
        ("broker = 5", "dragoman.toml: broker: this should be a table"),
        (
            "[[rules]]\nallow = true\n[[rules]]\npeople = ['x']",
            "dragoman.toml: rules[2].allow is missing: write it there",
        ),
        ("[[rules]]\nallow = true\npeople = []", "dragoman.toml: rules[1].people: Tuple should have at least 1 item"),
        (
            "[[rules]]\nallow = true\nchannel = ['x']",
            "dragoman.toml: rules[1].channel is not a setting; did you mean channels?",
        ),
        (
            "[[rules]]\nallow = true\ncommands = ['x', '']",
            "dragoman.toml: rules[1].commands[2]: an empty text matches nothing: write '*' for everything",
        ),
        ("[[rules]]\nallow = true\npeople = ['[a']", "dragoman.toml: rules[1].people[1]: a '[' is never closed"),
        ("[[rules]]\nallow = true\nreason = ''", "dragoman.toml: rules[1].reason: String should have at least 1 char"),
        ("[roles]\ndeployers = []", "dragoman.toml: roles.deployers: Tuple should have at least 1 item"),
        ("[roles]\ndeployers = 'ann'", "dragoman.toml: roles.deployers: this should be a list"),
        (
            "[bot]\ntimezone = 'Europe/Berln'",
            "dragoman.toml: bot.timezone: this is not the name of a time zone; did you mean Europe/Berlin?",
        ),
        ("[bot]\ntimezone = 'berlin'", "time zone; did you mean Europe/Berlin?"),
        ("[bot]\ntimezone = 'New York'", "time zone; did you mean America/New_York?"),
        ("[bot]\ntimezone = 'Europe'", "this is not the name of a time zone"),
        ("[bot]\ntimezone = '../etc/passwd'", "this is not the name of a time zone"),
        ("[bot]\ntimezone = ''", "this is not the name of a time zone, such as Europe/Berlin"),
        ("[web]\nport = 65536", "dragoman.toml: web.port: Input should be less than or equal to 65535"),
        ("[web]\nport = -1", "dragoman.toml: web.port: Input should be greater than or equal to 0"),
        ("[webhooks.ci]\nsecret = 'short'", "dragoman.toml: webhooks.ci.secret: a secret needs at least 16 characters"),
        ("[webhooks.ci]\n", "dragoman.toml: webhooks.ci.secret is missing: write it there, or DRAGOMAN_WEBHOOKS__CI__"),
        ("[broker", "dragoman.toml cannot be read"),
        ("a = 1\na = 2", "dragoman.toml cannot be read"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_what_to_do(folder: Folder, toml: str, told: str) -> None:
    assert told in folder.mistake(toml)


def test_several_mistakes_are_told_at_once(folder: Folder) -> None:
    told = folder.mistake("[bot]\nname = 5\nskils = []")
    assert "bot.name" in told
    assert "bot.skils" in told


def test_a_wrong_value_from_the_environment_is_blamed_on_it(folder: Folder) -> None:
    assert folder.mistake("[run]\ngrace = 3", DRAGOMAN_RUN__GRACE="long").startswith("the environment: run.grace:")


def test_the_operators_channel_is_on_an_account_of_the_bot(folder: Folder) -> None:
    there = '[bot]\noperator = "acme/#ops"\n[accounts.acme]\nplatform = "console"\n'
    folder.toml.write_text(there)
    found = load(folder.toml, environ={}).operator
    assert found is not None
    assert (found.account, found.channel) == ("acme", "#ops")
    assert "there is no account 'acne' (there is: acme)" in folder.mistake(there.replace("acme/", "acne/"))
    assert "bot.operator" in folder.mistake(there.replace("acme/#ops", "ops"))
    assert "such as acme/#ops" in folder.mistake(there.replace("acme/#ops", "ops"))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"there is no settings file .*nowhere\.toml"):
        load(tmp_path / "nowhere.toml", environ={})
    with pytest.raises(SettingsError, match=r"there is no settings file .*nowhere\.toml"):
        load(environ={"DRAGOMAN_CONFIG": str(tmp_path / "nowhere.toml")})
    with pytest.raises(SettingsError, match="there is no settings file"):
        load(tmp_path, environ={})


def test_a_file_that_is_not_utf8_is_told(folder: Folder) -> None:
    folder.toml.write_bytes(b"[bot]\nname = '\xe9'")
    with pytest.raises(SettingsError, match=r"dragoman\.toml cannot be read: 'utf-8'"):
        load(folder.toml, environ={})
    folder.toml.write_text("")
    (folder.path / ".env").write_bytes(b"A='\xe9'")
    with pytest.raises(SettingsError, match=r"\.env cannot be read: 'utf-8'"):
        load(folder.toml, environ={})


SECRETS = (
    SLACK
    + '[broker]\nurl = "amqp://ann:sekret@host"\n[store]\nurl = "postgresql://ann:sekret@host/x"\n'
    + '[skills.weather]\napi_key = "sekret"\n[plugins.guard]\nkey = "sekret"\n'
    + '[webhooks.ci]\nsecret = "0123456789 sekret"\n'
)


def test_secrets_are_not_shown_by_the_settings(folder: Folder) -> None:
    found = folder.read(SECRETS)
    shown: list[Any] = [repr(found), str(found), found.model_dump_json(), repr(found.model_dump()), repr(found.store)]
    for text in shown:
        assert "sekret" not in text


@pytest.mark.parametrize(
    "wrong",
    [
        '[accounts.other]\nbot_token = "xoxb-sekret"',
        '[bot]\nname = "SEKRET sekret"',
        '[broker]\nurl = ["sekret"]',
        '[store]\nurl = {password = "sekret"}',
        'broker = "sekret"',
        '[broker]\npassword = "sekret"',
        'accounts = ["sekret"]',
        '[run]\ngrace = "sekret"',
        '[broker]\nurl = "sekret',
        '[webhooks.ci]\nsecret = "sekret"',
        'webhooks = "sekret"',
        "[webhooks.ci]\nsecret = ['sekret sekret sekret']",
    ],
)
def test_secrets_are_not_shown_by_a_mistake(folder: Folder, wrong: str) -> None:
    assert "sekret" not in folder.mistake(wrong)
    assert "sekret" not in folder.mistake(DRAGOMAN_BROKER='{"url": sekret}')


def test_settings_cannot_be_changed(folder: Folder) -> None:
    found = folder.read()
    with pytest.raises(ValueError, match="frozen"):
        found.bot.name = "other"  # type: ignore[misc]  # it is frozen, as the test shows
