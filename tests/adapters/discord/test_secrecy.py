"""Tokens are not said."""

import logging

import pytest

from dragoman_discord.interactions import Interaction
from dragoman_discord.render import Call
from dragoman_discord.secrecy import keep_quiet, without_tokens

TOKEN = "aW50ZXJhY3Rpb246MTA0NzYx-secret_"


@pytest.mark.parametrize(
    ("said", "clean"),
    [
        (
            f"POST https://x/api/v10/interactions/5/{TOKEN}/callback",
            "POST https://x/api/v10/interactions/5/.../callback",
        ),
        (f"https://x/webhooks/11/{TOKEN}?wait=true", "https://x/webhooks/11/...?wait=true"),
        (f"'/webhooks/11/{TOKEN}' failed", "'/webhooks/11/...' failed"),
        (f"bucket None with '1574226444274368512+{TOKEN}' major", "bucket None with '1574226444274368512+...' major"),
        ("GET /channels/5/messages with 5 + 6", "GET /channels/5/messages with 5 + 6"),
    ],
)
def test_the_token_of_an_address_is_left_out(said: str, clean: str) -> None:
    assert without_tokens(said) == clean


def test_a_log_that_says_addresses_says_no_tokens(caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("test.secrecy")
    keep_quiet(log)
    keep_quiet(log)
    assert len(log.filters) == 1
    with caplog.at_level(logging.DEBUG):
        log.debug("%s %s has returned %d", "PATCH", f"https://x/webhooks/11/{TOKEN}/messages/@original", 429)
        log.warning("100 %% sure of %s", "nothing")
    assert caplog.messages == [
        "PATCH https://x/webhooks/11/.../messages/@original has returned 429",
        "100 % sure of nothing",
    ]


def test_what_has_a_token_does_not_show_it() -> None:
    interaction = Interaction("5", TOKEN, "11", "200", 1.0)
    call = Call("POST", "/webhooks/{webhook_id}/{webhook_token}", {"webhook_id": "11", "webhook_token": TOKEN})
    assert TOKEN not in f"{interaction} {call!r}"
