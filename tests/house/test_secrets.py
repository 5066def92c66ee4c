"""No credential is in the repository, and the search for them finds those that there are."""

import base64
import random
import string
from typing import Final

import pytest

from house.leaks import files, leaks
from house.rooms import HOUSE

#: (file, what it looks like) -> why it is none.
NONE: Final[dict[tuple[str, str], str]] = {
    ("tests/adapters/discord/test_secrecy.py", "assignment"): "an interaction's token, made up, that no log may show",
}

CHANCE: Final = random.Random(7)


def made_up(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(CHANCE.choices(alphabet, k=length))


PLANTED: Final = {
    "Slack token": f"xox{'b'}-123456789012-{made_up(24)}",
    "Slack webhook": f"https://hooks.slack.com/services/T{made_up(9)}/B{made_up(9)}/{made_up(24)}",
    "Discord bot token": f"{base64.b64encode(b'104761004761004761').decode()}.{made_up(6)}.{made_up(38)}",
    "Discord webhook": f"https://discord.com/api/webhooks/123456789012345678/{made_up(68)}",
    "AWS key": f"AKIA{made_up(16, string.ascii_uppercase)}",
    "GitHub token": f"ghp_{made_up(36)}",
    "private key": f"-----BEGIN {'PRIVATE KEY'}-----\n{made_up(64)}",
    "password in an address": f"amqp://bot:{made_up(24)}@rabbit.example",
    "assignment": f'client_secret = "{made_up(40)}"',
}


def test_no_credential_is_in_the_repository() -> None:
    found: set[tuple[tuple[str, str], int]] = set()
    for path in files():
        name = str(path.relative_to(HOUSE))
        text = path.read_bytes().decode(errors="replace")
        found |= {(name, what): line for line, what in leaks(text)}.items()
    assert {(place, line) for place, line in found if place not in NONE} == set(), "take them out and revoke them"
    assert NONE.keys() - {place for place, _ in found} == set(), "these are gone: take them out of NONE"


def test_it_looks_at_everything() -> None:
    names = {str(path.relative_to(HOUSE)) for path in files()}
    assert {"README.md", "Makefile", "pyproject.toml", "framework/dragoman/wire.py"} <= names


@pytest.mark.parametrize("what", PLANTED)
def test_a_credential_is_found_wherever_it_is(what: str) -> None:
    assert (2, what) in set(leaks(f"first line\nsome words {PLANTED[what]} and others"))


@pytest.mark.parametrize(
    "text",
    [
        "xoxb-your-token",
        'bot_token = "the bot user token of your own app"',
        'secret = "at-least-sixteen-characters-long"',
        "postgresql://user:password@host/name",
        "https://hooks.slack.com/commands/1234/5678",
    ],
)
def test_what_people_read_as_an_example_is_none(text: str) -> None:
    assert list(leaks(text)) == []
