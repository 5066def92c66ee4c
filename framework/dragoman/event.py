"""Events: one normalised thing that happened on a platform.

Adapters make them, the router matches them, handlers are given them. They are frozen data; behaviour
stands beside them. Readers ignore fields that they do not know, and skip kinds that they do not know.
"""

from typing import Annotated, Literal

from pydantic import Field

from .address import Address
from .content import Content
from .model import Frozen

__all__ = [
    "Conversation",
    "Deleted",
    "Edited",
    "Event",
    "EventBase",
    "Hop",
    "MemberJoined",
    "Message",
    "Person",
    "Reaction",
]

Conversation = Literal["direct", "group", "channel"]

#: One (place, unix seconds) pair for each hop of a message's way, oldest first.
Hop = tuple[str, float]


class Person(Frozen):
    """Somebody (or some bot) on a platform.

    Attributes:
        id: the platform's id.
        name: how to call them; empty if not known yet.
        tenant: their own workspace, when it is not the one we answer as (Slack Connect).
        locale: a BCP 47 tag such as ``en-GB``, if known.
        bot: whether the platform says that this is a program.
    """

    id: str
    name: str = ""
    tenant: str | None = None
    locale: str | None = None
    bot: bool = False


class EventBase(Frozen):
    """What every event carries.

    Attributes:
        v: the wire version. It is raised only when the meaning of something changes.
        kind: which event it is.
        key: says *what happened*: two different things never share one, and one thing delivered twice
            does. The adapter makes it, from a documented table.
        address: where it happened.
        conversation: whether that is a direct message, a group of people, or a channel.
        person: who did it; ``None`` when the platform does not say.
        addressed: whether it was said to the bot: in a direct message, or with its name in front.
        occurred: when, in unix seconds, by the platform's clock.
        hops: the way so far; see `Hop`.
        traceparent: W3C trace context, from the gateway to the delivered answer.
    """

    v: Literal[1] = 1
    kind: str
    key: Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\x00]+$")]
    address: Address
    conversation: Conversation
    person: Person | None = None
    addressed: bool = False
    occurred: float = 0.0
    hops: tuple[Hop, ...] = ()
    traceparent: str = ""


class Message(EventBase):
    """Somebody said something.

    Attributes:
        id: the platform's id of the message.
        content: what was said.
        request: the plain text without the bot's own mention in front: where commands are looked for.
    """

    kind: Literal["message"] = "message"
    id: str
    content: Content
    request: str = ""


class Edited(EventBase):
    """Somebody changed what they had said. ``content`` is the new one."""

    kind: Literal["edited"] = "edited"
    id: str
    content: Content
    request: str = ""


class Deleted(EventBase):
    """A message was deleted. ``id`` is the deleted message's."""

    kind: Literal["deleted"] = "deleted"
    id: str


class Reaction(EventBase):
    """Somebody put an emoji on a message, or took it away.

    Attributes:
        id: the message that it is on.
        emoji: the shortcode without colons, such as ``wave``.
        added: ``False`` when it was taken away.
    """

    kind: Literal["reaction"] = "reaction"
    id: str
    emoji: str
    added: bool = True


class MemberJoined(EventBase):
    """``person`` joined the channel at ``address``; ``invited_by`` is the id of who asked them in."""

    kind: Literal["member_joined"] = "member_joined"
    invited_by: str | None = None


Event = Annotated[Message | Edited | Deleted | Reaction | MemberJoined, Field(discriminator="kind")]
