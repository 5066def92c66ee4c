"""What somebody may have meant: names like a word, in a time that does not depend on how many there are."""

import difflib
from collections.abc import Iterator
from typing import Final

__all__ = ["Spelling"]

#: How many letters may be missing, too many, wrong or swapped.
DISTANCE: Final = 2
#: Longer words are compared by their beginnings.
LONGEST: Final = 24
#: How alike two words must be, from 0 to 1, as `difflib` measures it.
ALIKE: Final = 0.6


class Spelling:
    """Each name is filed under itself with up to two letters left out; so is the word that is looked for.

    Two words that meet under some entry differ in at most two letters each way. Those that meet with the fewest
    left out are compared letter by letter.
    """

    def __init__(self) -> None:
        self._names: dict[str, dict[str, int]] = {}

    def add(self, name: str) -> None:
        """Take in a name."""
        for key, left_out in _shortened(name[:LONGEST]):
            self._names.setdefault(key, {}).setdefault(name, left_out)

    def suggest(self, word: str) -> str | None:
        """The name that is most like the word."""
        word = word[:LONGEST]
        nearest: set[str] = set()
        least = 2 * DISTANCE
        for key, left_out in _shortened(word):
            if left_out > least:
                break
            for name, more in self._names.get(key, {}).items():
                if left_out + more < least:
                    least, nearest = left_out + more, {name}
                elif left_out + more == least:
                    nearest.add(name)
        near = difflib.get_close_matches(word, sorted(nearest), n=1, cutoff=ALIKE)
        return near[0] if near else None


def _shortened(word: str) -> Iterator[tuple[str, int]]:
    """(the word with letters left out, how many), the fewest first."""
    level = {word}
    for left_out in range(DISTANCE + 1):
        yield from ((each, left_out) for each in level)
        level = {each[:n] + each[n + 1 :] for each in level for n in range(len(each))}
