"""A line that somebody typed, as an event. Pure.

============  ==============================================================
event         key
============  ==============================================================
message       account, ``console``, the session, the number of the line
============  ==============================================================

Every line is said to the bot, as in a direct message.
"""

from dragoman import Address, Content, Message, Person

__all__ = ["normalise"]


def normalise(line: str, *, account: str, session: str, number: int, user: str, at: float) -> Message | None:
    """The event for one line; ``None`` for an empty one. ``at`` is in unix seconds."""
    text = line.strip()
    if not text:
        return None
    return Message(
        key=f"{account}/console/{session}/{number}",
        address=Address(account=account, tenant="console", channel=session),
        conversation="direct",
        person=Person(id=user, name=user),
        addressed=True,
        occurred=at,
        id=str(number),
        content=Content(text=text, plain=text),
        request=text,
    )
