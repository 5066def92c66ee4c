"""Code blocks as people type them."""

import re
from typing import Final

__all__ = ["fenced"]

FENCE: Final = "```"
LANGUAGE: Final = re.compile(r"([\w+.#-]*)\n")


def fenced(text: str, *, languages: bool) -> str:
    """A text as it was typed, with the fences of longer code blocks on lines of their own.

    Platforms send them in different ways, and a skill that is given code should not have to know them.

    Args:
        languages: whether what stands behind the first fence is what the code is coloured as.
    """

    pieces = text.split(FENCE)
    # Every second piece is code, but the last: it has no fence behind it.
    for index in range(1, len(pieces) - 1, 2):
        if "\n" in pieces[index]:
            pieces[index] = _block(pieces[index], languages)
    return FENCE.join(pieces)


def _block(code: str, languages: bool) -> str:
    language = ""
    if languages and (first := LANGUAGE.match(code)):
        language, code = first[1], code[first.end() :]
    code = code.removeprefix("\n").removesuffix("\n")
    return f"{language}\n{code}\n"
