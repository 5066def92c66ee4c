"""What letters are called on the radio. It stands for a library that is large, or does not go with the bot's."""

__all__ = ["spelled"]

NAMES = (
    *("Alfa", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "India"),
    *("Juliett", "Kilo", "Lima", "Mike", "November", "Oscar", "Papa", "Quebec", "Romeo"),
    *("Sierra", "Tango", "Uniform", "Victor", "Whiskey", "X-ray", "Yankee", "Zulu"),
)
LETTERS = {name[0].lower(): name for name in NAMES}


def spelled(word: str) -> list[str]:
    """The names of its letters; what is no letter of the alphabet stays as it is."""
    return [LETTERS.get(letter.lower(), letter) for letter in word]
