"""``DRAGOMAN_*`` variables and ``.env``: their names, their forms, and what a mistake is called."""

from pathlib import Path

import pytest

from support.settings import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize(
    ("text", "skills"),
    [('["dice"]', ("dice",)), ("dice,help", ("dice", "help")), (" dice , help,", ("dice", "help")), ("", ())],
)
def test_a_list_in_a_variable_has_commas_or_is_json(folder: Folder, text: str, skills: tuple[str, ...]) -> None:
    assert folder.read(DRAGOMAN_BOT__SKILLS=text).bot.skills == skills
    assert folder.read(dotenv=f"DRAGOMAN_BOT__SKILLS='{text}'").bot.skills == skills


def test_tables_and_lists_of_tables_in_a_variable_are_json(folder: Folder) -> None:
    found = folder.read(
        DRAGOMAN_RULES='[{"allow": false, "people": ["x"]}]',
        DRAGOMAN_WEB='{"port": 1234}',
        DRAGOMAN_ROLES__DEPLOYERS="U1,acme:U2",
    )
    assert [rule.people for rule in found.rules] == [("x",)]
    assert found.web.port == 1234
    assert found.roles == {"deployers": ("U1", "acme:U2")}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("DRAGOMAN_BOT__SKILLS", '["sekret', 'is a list: write it as one,two or as JSON, such as \'["one", "two"]\''),
        ("DRAGOMAN_RULES", "sekret", "is a list: write it as JSON, such as '[{...}]'"),
        ("DRAGOMAN_RULES", '{"sekret": 1}', "is a list: write it as JSON, such as '[{...}]'"),
        (
            "DRAGOMAN_BROKER",
            "sekret",
            'is a table: write DRAGOMAN_BROKER__URL=..., or JSON such as \'{"url": "..."}\'',
        ),
        ("DRAGOMAN_BROKER", '["sekret"]', "is a table: write DRAGOMAN_BROKER__URL=..."),
        ("DRAGOMAN_ACCOUNTS__ACME", "sekret", "is a table: write DRAGOMAN_ACCOUNTS__ACME__...=..."),
    ],
)
def test_what_a_variable_cannot_hold_is_told_with_its_form(folder: Folder, name: str, text: str, told: str) -> None:
    mistake = folder.mistake(**{name: text})
    assert mistake.startswith(f"the environment: {name} {told}")
    assert "sekret" not in mistake


def test_a_mistake_in_a_list_of_a_variable_is_blamed_on_it(folder: Folder) -> None:
    told = folder.mistake('[bot]\nskills = ["dice"]', DRAGOMAN_BOT__SKILLS="dice,He lp")
    assert told.startswith("the environment: bot.skills[2]: String should match pattern")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("DRAGOMAN_BROKR__URL", "DRAGOMAN_BROKER__URL"),
        ("DRAGOMAN_BROKER__ULR", "DRAGOMAN_BROKER__URL"),
        ("DRAGOMAN_BROKR__ULR", "DRAGOMAN_BROKER__URL"),
        ("dragoman_broker__urll", "DRAGOMAN_BROKER__URL"),
        ("DRAGOMAN_BROKER_URL", "DRAGOMAN_BROKER__URL"),
        ("DRAGOMAN_STORE__RETENTION", "DRAGOMAN_STORE__RETENTION_DAYS"),
        ("DRAGOMAN_BOT__NAME__X", "DRAGOMAN_BOT__NAME"),
        ("DRAGOMAN_POOLS__SLOW__CONCURENCY", "DRAGOMAN_POOLS__SLOW__CONCURRENCY"),
        ("DRAGOMAN_POOL__SLOW__CONCURENCY", "DRAGOMAN_POOLS__SLOW__CONCURRENCY"),
        ("DRAGOMAN_ACCOUNT__ACME__BOT_TOKEN", "DRAGOMAN_ACCOUNTS__ACME__BOT_TOKEN"),
        ("DRAGOMAN_SKILL__WEATHER__KEY__ID", "DRAGOMAN_SKILLS__WEATHER__KEY__ID"),
        ("DRAGOMAN_RULES__0__ALLOW", "DRAGOMAN_RULES"),
    ],
)
def test_a_misspelt_variable_is_named_with_its_place_and_the_right_name(folder: Folder, name: str, near: str) -> None:
    told = folder.mistake(**{name: "amqp://ann:sekret@x"})
    assert told == f"the environment: {name} is not a setting; did you mean {near}?"
    told = folder.mistake(dotenv=f"{name}=sekret")
    assert told == f"{folder.path / '.env'}: {name} is not a setting; did you mean {near}?"


@pytest.mark.parametrize("name", ["DRAGOMAN_ZZZ", "DRAGOMAN_", "DRAGOMAN_ROOT", "DRAGOMAN_BOT____NAME"])
def test_a_variable_that_is_like_nothing_is_named(folder: Folder, name: str) -> None:
    assert folder.mistake(**{name: "x"}).startswith(f"the environment: {name} is not a setting")


@pytest.mark.parametrize(
    ("dotenv", "line"),
    [
        ("sekret\n", 1),
        ("A=1\n\n# words\n\n  sekret xoxb\nB=2", 5),
        ("A='1\n2'\nexport sekret", 3),
        ("A=1\n=sekret", 2),
        ("A='sekret", 1),
        ("DRAGOMAN_BOT__NAME rose", 1),
        ("DRAGOMAN_BOT__NAME: rose", 1),
    ],
)
def test_a_line_of_dotenv_that_is_no_assignment_is_named(folder: Folder, dotenv: str, line: int) -> None:
    told = folder.mistake(dotenv=dotenv)
    assert told == f"{folder.path / '.env'}: line {line} is no assignment: write NAME=value, or # in front of it"


def test_comments_empty_lines_exports_and_quotes_may_stand_in_dotenv(folder: Folder) -> None:
    dotenv = "\ufeff# ours\n\nexport DRAGOMAN_BOT__NAME='rose' # so\nEMPTY=\n"
    assert folder.read(dotenv=dotenv).bot.name == "rose"
