"""Settings: where they come from, what a mistake is called, and that secrets stay secret."""

from pathlib import Path
from typing import Any

import pytest

from dragoman import SettingsError
from dragoman.settings import Settings, load


class Folder:
    """A bot's folder: write files, read the settings."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.toml = path / "dragoman.toml"

    def read(self, toml: str = "", *, dotenv: str | None = None, **environ: str) -> Settings:
        self.toml.write_text(toml)
        if dotenv is not None:
            (self.path / ".env").write_text(dotenv)
        return load(self.toml, environ=environ)

    def mistake(self, toml: str = "", *, dotenv: str | None = None, **environ: str) -> str:
        with pytest.raises(SettingsError) as caught:
            self.read(toml, dotenv=dotenv, **environ)
        return str(caught.value)


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


def test_a_list_in_the_environment_is_json(folder: Folder) -> None:
    assert folder.read(DRAGOMAN_BOT__SKILLS='["dice"]').bot.skills == ("dice",)
    assert "JSON" in folder.mistake(DRAGOMAN_BOT__SKILLS="dice,help")


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
        ("[store]\nretention = 3", "store.retention is not a setting; did you mean retention_days?"),
        ("[pools.x]\nconcurency = 3", "dragoman.toml: pools.x.concurency is not a setting; did you mean concurrency?"),
        ("[run]\nzzz = 3", "dragoman.toml: run.zzz is not a setting"),
        ("zzz = 3", "dragoman.toml: zzz is not a setting"),
        ("[accounts.acme]\ntoken = 'x'", 'accounts.acme needs a platform, such as platform = "slack"'),
        ("[accounts.Acme]\nplatform = 'x'", "accounts.Acme"),
        ("[bot]\nname = 5", "dragoman.toml: bot.name: Input should be a valid string"),
        ("[bot]\nname = 'A B'", "dragoman.toml: bot.name: String should match pattern"),
        ("[bot]\nskills = 'help'", "dragoman.toml: bot.skills: Input should be a valid tuple"),
        ("[bot]\nprefixes = ['']", "dragoman.toml: bot.prefixes.0: String should have at least 1 character"),
        (
            "[pools.x]\nconcurrency = 0",
            "dragoman.toml: pools.x.concurrency: Input should be greater than or equal to 1",
        ),
        ("[run]\ngrace = 'long'", "dragoman.toml: run.grace: Input should be a valid number"),
        ("broker = 5", "dragoman.toml: broker: Input should be a valid dictionary"),
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


def test_a_misspelt_variable_is_named_with_its_place_and_the_right_name(folder: Folder) -> None:
    told = folder.mistake(DRAGOMAN_BROKR__URL="amqp://ann:sekret@x")
    assert told == "the environment: DRAGOMAN_BROKR__URL is not a setting; did you mean DRAGOMAN_BROKER__...?"
    told = folder.mistake(dotenv="DRAGOMAN_BROKR__URL=sekret")
    assert told.startswith(f"{folder.path / '.env'}: DRAGOMAN_BROKR__URL is not a setting; did you mean")


def test_a_misspelt_variable_below_the_first_level_is_blamed_on_its_own_place(folder: Folder) -> None:
    told = folder.mistake(DRAGOMAN_BROKER__URLL="sekret")
    assert told == "the environment: broker.urll is not a setting; did you mean url?"
    told = folder.mistake(dotenv="DRAGOMAN_POOLS__X__CONCURENCY=3")
    assert told == f"{folder.path / '.env'}: pools.x.concurency is not a setting; did you mean concurrency?"


def test_a_wrong_value_from_the_environment_is_blamed_on_it(folder: Folder) -> None:
    assert folder.mistake("[run]\ngrace = 3", DRAGOMAN_RUN__GRACE="long").startswith("the environment: run.grace:")


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
    + '[skills.weather]\napi_key = "sekret"\n'
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
    ],
)
def test_secrets_are_not_shown_by_a_mistake(folder: Folder, wrong: str) -> None:
    assert "sekret" not in folder.mistake(wrong)
    assert "sekret" not in folder.mistake(DRAGOMAN_BROKER='{"url": sekret}')


def test_settings_cannot_be_changed(folder: Folder) -> None:
    found = folder.read()
    with pytest.raises(ValueError, match="frozen"):
        found.bot.name = "other"  # type: ignore[misc]  # it is frozen, as the test shows
