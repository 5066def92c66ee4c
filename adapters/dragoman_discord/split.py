"""What `dragoman.adapting.fit` has to know of Discord's markdown.

A message has at most 2,000 characters (https://docs.discord.com/developers/resources/message#create-message),
counted in code points (https://github.com/discord/discord-api-docs/issues/1315). A part never ends after a backslash.
"""

import re
from typing import Final

from dragoman.adapting import Markup

__all__ = ["LIMIT", "MARKUP"]

#: The most characters that one message gets.
LIMIT: Final = 2000
#: Between two formats that touch (a zero-width space): else their markers run together.
GAP: Final = "\u200b"


def _touching(out: str, opening: str, closed: bool, body: str) -> bool:
    return bool(closed and opening and out[-1:] == opening[0])


MARKUP: Final = Markup(
    unit=re.compile(r"\\.|.", re.DOTALL),
    code_unit=re.compile(".", re.DOTALL),
    reserve=24,
    gap=GAP,
    touching=_touching,
)
