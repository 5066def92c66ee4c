"""A line that somebody typed, as an event. Pure.

============  ==============================================================
event         key
============  ==============================================================
message       account, ``console``, the session, the number of the line
============  ==============================================================

Every line is said to the bot, as in a direct message. A word such as ``@ann`` mentions a person, and
``#general`` a channel, whose ids are just these names: there is nobody else to know better.
"""

import re
from typing import Final
from urllib.parse import quote

from dragoman import Address, Content, Message, Person

__all__ = ["normalise"]

#: Code, which mentions nobody; or a mention: a whole word (``me@example.com`` and ``# Title`` are none), of
#: letters, digits, ``_`` and ``-``, behind which neither an address nor a path goes on.
PIECE: Final = re.compile(r"`[^`]*`|(?:(?<=[\s(])|^)([@#])([^\W_][\w-]*+)(?![@/:#]|\.\w)")

KINDS: Final = {"@": "user", "#": "channel"}


def normalise(line: str, *, account: str, session: str, number: int, user: str, at: float) -> Message | None:
    """The event for one line; ``None`` for an empty one. ``at`` is in unix seconds."""
    typed = line.strip()
    if not typed:
        return None
    plain = PIECE.sub(_plain, typed)
    return Message(
        key=f"{account}/console/{session}/{number}",
        address=Address(account=account, tenant="console", channel=session),
        conversation="direct",
        person=Person(id=user, name=user),
        addressed=True,
        occurred=at,
        id=str(number),
        content=Content(text=PIECE.sub(_link, typed), plain=plain),
        request=plain,
    )


def _plain(found: re.Match[str]) -> str:
    sign, word = found.groups()
    return f"<{sign}{word}>" if sign else found[0]


def _link(found: re.Match[str]) -> str:
    sign, word = found.groups()
    return f"[{sign}{word}](dragoman:{KINDS[sign]}/{quote(word)})" if sign else found[0]
