"""What somebody typed, repeated by the bot: it must look the same, and must not do what its author could not do."""

import re
from typing import Final

from .people import MENTION, read_channel, read_user

__all__ = ["literal"]

#: What CommonMark would read as markup; an underscore inside a word is not (https://spec.commonmark.org/0.31.2/).
MARKUP: Final = re.compile(r"[\\`*~\[\]<>|]|(?<![^\W_])_+|_+(?![^\W_])|&(?=[#\w])")
#: What is markup only at the start of a line: a heading, a list, a rule; and the space in front, which may mean code.
LINE_START: Final = re.compile(r"^[ \t]*(?:([#+=-])|(\d{1,9})([.)]))?", re.MULTILINE)


def literal(text: str) -> str:
    """Plain text, as a parameter holds it, in CommonMark that shows exactly that.

    Mentions of people and channels stay mentions; nothing else becomes a link or calls anybody. Emoji shortcodes pass.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    parts: list[str] = []
    position = 0
    for found in MENTION.finditer(text):
        who = read_user(found[0]) or read_channel(found[0])
        assert who is not None
        parts += [_escaped(text[position : found.start()]), who.mention]
        position = found.end()
    # The line starts last: what follows a mention is at none.
    return LINE_START.sub(_line_start, "".join([*parts, _escaped(text[position:])]))


def _escaped(text: str) -> str:
    return MARKUP.sub(lambda found: "".join(f"\\{char}" for char in found[0]), text)


def _line_start(found: re.Match[str]) -> str:
    sign, number, dot = found.groups()
    return f"\\{sign}" if sign else f"{number}\\{dot}" if number else ""
