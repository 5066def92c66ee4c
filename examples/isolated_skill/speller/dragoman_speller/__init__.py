"""A skill in an environment of its own: what it needs is not installed where the bot is."""

import radio_alphabet

from dragoman import Skill

__all__ = ["skill"]

skill = Skill("speller", summary="Spells words out", pool="speller")


@skill.command()
def spell(word: str) -> str:
    """Spell a word so that nobody mishears it.

    Args:
        word: letters; anything else is left as it is.
    """
    return " ".join(radio_alphabet.spelled(word))
