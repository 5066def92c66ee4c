"""Emoji by characters and by name."""

import pytest

from dragoman_discord.emoji import character, reaction, shortcode, with_shortcodes


@pytest.mark.parametrize(
    ("characters", "name"),
    [
        ("👍", "+1"),
        ("👋", "wave"),
        ("❤️", "heart"),
        ("1️⃣", "one"),
        ("🔟", "keycap_ten"),
        ("✅", "white_check_mark"),
        ("🇩🇪", "flag-de"),
    ],
)
def test_an_emoji_has_the_name_that_people_use(characters: str, name: str) -> None:
    assert shortcode(characters) == name
    assert character(name) == characters


@pytest.mark.parametrize("name", ["thumbsup", "thumbs_up", "tada", "eyes", "rocket", "keycap_1", "x"])
def test_other_names_are_known_as_well(name: str) -> None:
    assert character(name)


def test_every_emoji_that_the_bundled_skills_use_is_known() -> None:
    from dragoman_poll import NUMBERS

    assert all(character(name) for name in NUMBERS)
    assert [shortcode(character(name) or "") for name in NUMBERS] == list(NUMBERS)


def test_skin_tones_are_written_as_on_slack() -> None:
    assert shortcode("👋🏽") == "wave::skin-tone-4"
    assert character("wave::skin-tone-4") == "👋🏽"
    assert character("nothing::skin-tone-4") is None


def test_with_or_without_the_variation_it_is_the_same() -> None:
    assert shortcode("❤") == shortcode("❤️") == "heart"


def test_what_is_no_emoji_stays_what_it_is() -> None:
    assert shortcode("ß") == "ß"
    assert character("nothing") is None
    assert with_shortcodes("grüße © ✔ 5 #") == "grüße © ✔ 5 #"
    assert with_shortcodes("👋 ❤️") == ":wave: :heart:"


def test_a_guilds_own_come_first() -> None:
    assert reaction("wave", {"wave": "a:wave:5"}) == "wave:5"
    assert reaction(":wave:", {}) == "👋"
    assert reaction("👀", {}) == "👀"
