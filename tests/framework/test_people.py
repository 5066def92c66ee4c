"""Somebody and a channel, read from mentions and written as mentions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.people import Channel, User, read_channel, read_user


@pytest.mark.parametrize(
    ("word", "user"),
    [
        ("<@U1>", User(id="U1")),
        ("<@!1>", User(id="1")),
        ("<@U1|ann>", User(id="U1", name="ann")),
        ("<@U1|Ann Lee>", User(id="U1", name="Ann Lee")),
        ("<@U1|>", User(id="U1")),
        ("<#C1>", None),
        ("<@U1", None),
        ("x<@U1>", None),
        ("<@U1><@U2>", None),
        ("<@>", None),
        ("@ann", None),
        ("", None),
    ],
)
def test_a_person_is_read_from_a_mention(word: str, user: User | None) -> None:
    assert read_user(word) == user


@pytest.mark.parametrize(
    ("word", "channel"),
    [
        ("<#C1>", Channel(id="C1")),
        ("<#C1|general>", Channel(id="C1", name="general")),
        ("<@U1>", None),
        ("#general", None),
    ],
)
def test_a_channel_is_read_from_a_mention(word: str, channel: Channel | None) -> None:
    assert read_channel(word) == channel


def test_what_the_bot_says_can_mention_them() -> None:
    assert User(id="U1", name="ann").mention == "[@ann](dragoman:user/U1)"
    assert User(id="U1").mention == "[@U1](dragoman:user/U1)"
    assert Channel(id="C1", name="general").mention == "[#general](dragoman:channel/C1)"


def test_a_name_cannot_leave_its_mention() -> None:
    mention = User(id="a)b", name="x](http://evil)\n[*y").mention
    assert mention == r"[@x\](http://evil) \[\*y](dragoman:user/a%29b)"


@given(st.text())
def test_any_word_is_a_mention_or_not(word: str) -> None:
    assert read_user(word) is None or word.startswith("<@")
    assert read_channel(word) is None or word.startswith("<#")
