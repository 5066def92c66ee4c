"""A line that somebody typed, as an event. Pure.

============  ==============================================================
event         key
============  ==============================================================
message       account, ``console``, the session, the number of the line
reaction      the same
============  ==============================================================

``+:wave:`` puts an emoji on what the bot said last, and ``-:wave:`` takes it away; ``+:wave: b3`` names another message
of the bot's, by the id that its edits are shown with.

Every line is said to the bot, as in a direct message. A word such as ``@ann`` mentions a person, and
``#general`` a channel, whose ids are just these names: there is nobody else to know better.
"""

import re
from typing import Any, Final
from urllib.parse import quote

from dragoman import Address, Content, Message, Person, Reaction

__all__ = ["normalise"]

#: Code, which mentions nobody; or a mention: a whole word (``me@example.com`` and ``# Title`` are none), of
#: letters, digits, ``_`` and (within it) ``-``, behind which neither an address nor a path goes on.
PIECE: Final = re.compile(r"`[^`]*`|(?:(?<=[\s(])|^)([@#])([^\W_]\w*+(?:-+\w++)*+)(?![@/:#]|\.\w)")

#: A whole line that is a reaction.
REACTION: Final = re.compile(r"([+-]):([\w+-]+):(?: +(b[0-9]{1,18}))?")

KINDS: Final = {"@": "user", "#": "channel"}


def normalise(
    line: str, *, account: str, session: str, number: int, user: str, at: float, last: str = ""
) -> Message | Reaction | None:
    """The event for one line; ``None`` for an empty one.

    Args:
        at: in unix seconds.
        last: the id of what the bot said last; empty if it has said nothing.
    """
    typed = line.strip()
    if not typed:
        return None
    common: dict[str, Any] = {
        "key": f"{account}/console/{session}/{number}",
        "address": Address(account=account, tenant="console", channel=session),
        "conversation": "direct",
        "person": Person(id=user, name=user),
        "occurred": at,
    }
    found = REACTION.fullmatch(typed)
    if found is not None and (message := found[3] or last):
        return Reaction(**common, id=message, emoji=found[2], added=found[1] == "+")
    plain = PIECE.sub(_plain, typed)
    content = Content(text=PIECE.sub(_link, typed), plain=plain)
    return Message(**common, addressed=True, id=str(number), content=content, request=plain)


def _plain(found: re.Match[str]) -> str:
    sign, word = found.groups()
    return f"<{sign}{word}>" if sign else found[0]


def _link(found: re.Match[str]) -> str:
    sign, word = found.groups()
    return f"[{sign}{word}](dragoman:{KINDS[sign]}/{quote(word)})" if sign else found[0]
