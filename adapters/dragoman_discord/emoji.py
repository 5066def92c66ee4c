"""Emoji: Discord's are characters, Dragoman's are shortcodes such as ``wave``. Pure.

A bot's ``:wave:`` stays text on Discord: only people's clients turn it into 👋. So what we send has the
characters, and what we read has the shortcodes. ``emoji.txt`` holds a line for each emoji: the characters, as
Discord writes them, then its names, the one that people use first (the names of CLDR and gemoji). A guild's own
emoji are given by name and id: ``<:party:123>``, ``<a:party:123>`` if it moves
(https://docs.discord.com/developers/reference#message-formatting).
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

__all__ = ["character", "reaction", "shortcode", "with_shortcodes"]

#: Makes an emoji of a character that could also be text; people leave it out.
VARIATION: Final = "\ufe0f"
#: What follows a character to say how light or dark a person is, as Slack names it.
TONE: Final = re.compile(r"(::)?skin-tone-([2-6])\Z")
NAME: Final = re.compile(r"[A-Za-z0-9_+-]+(?:::skin-tone-[2-6])?")


@cache
def _tables() -> tuple[dict[str, str], dict[str, str]]:
    """By name, and by character."""
    by_name: dict[str, str] = {}
    by_character: dict[str, str] = {}
    for line in files(__package__).joinpath("emoji.txt").read_text(encoding="utf-8").splitlines():
        character, *names = line.split(" ")
        by_character[character] = names[0]
        for name in names:
            by_name.setdefault(name, character)
    return by_name, by_character


@cache
def _pattern() -> re.Pattern[str]:
    """Any emoji; the longest first, since many begin with another one."""
    longest = sorted(_tables()[1], key=len, reverse=True)
    # Other letters, which most texts consist of, are passed over without trying each emoji.
    first = "".join(re.escape(char) for char in sorted({emoji[0] for emoji in longest}))
    return re.compile(f"(?=[{first}])(?:{'|'.join(map(re.escape, longest))})")


def character(name: str) -> str | None:
    """The characters of a shortcode without its colons (``wave``, ``wave::skin-tone-4``), if it has any."""
    by_name, _ = _tables()
    if (tone := TONE.search(name)) and tone.start():
        plain = by_name.get(name[: tone.start()])
        return plain and plain.removesuffix(VARIATION) + chr(0x1F3FB + int(tone[2]) - 2)
    return by_name.get(name)


def shortcode(emoji: str) -> str:
    """The shortcode of an emoji's characters; what has none stays what it is."""
    _, by_character = _tables()
    name = by_character.get(emoji) or by_character.get(emoji + VARIATION) or by_character.get(emoji.rstrip(VARIATION))
    if (
        name is None
        and len(emoji) > 1
        and "\U0001f3fb" <= emoji[1] <= "\U0001f3ff"
        and len(emoji.rstrip(VARIATION)) == 2
    ):
        return f"{shortcode(emoji[0])}::skin-tone-{ord(emoji[1]) - 0x1F3FB + 2}"
    return name or emoji


def with_shortcodes(text: str) -> str:
    """The text with a shortcode for each emoji in it."""
    if text.isascii():
        return text
    _, by_character = _tables()
    return _pattern().sub(lambda match: f":{by_character[match[0]]}:", text)


def reaction(name: str, custom: Mapping[str, str]) -> str:
    """How the API wants a reaction: the characters, or ``name:id`` of one of the guild's own.

    Args:
        name: a shortcode, with or without colons, or the characters themselves.
        custom: the guild's own, ``name:id`` (``a:name:id``) by name.
    """
    name = name.strip(":") if len(name) > 2 else name
    if (own := custom.get(name)) is not None:
        return own.removeprefix("a:")
    return character(name) or name
