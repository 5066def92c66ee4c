"""Events: one normalised thing that happened on a platform.

Adapters make them, the router matches them, handlers are given them. They are frozen data; behaviour
stands beside them. Readers ignore fields that they do not know, and skip kinds that they do not know.
"""

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from .address import Address
from .content import Content
from .model import Frozen

__all__ = [
    "ChannelInfo",
    "Conversation",
    "Deleted",
    "Edited",
    "Event",
    "EventBase",
    "Hop",
    "MemberJoined",
    "Message",
    "Person",
    "PersonChanged",
    "Reaction",
    "Scheduled",
    "SlashCommand",
    "Undeliverable",
    "Webhook",
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
        timezone: the name of their time zone, such as ``Europe/Berlin``, if known.
        roles: what they are on the platform, such as ``admin``; lower case.
    """

    id: str
    name: str = ""
    tenant: str | None = None
    locale: str | None = None
    bot: bool = False
    timezone: str | None = None
    roles: tuple[str, ...] = ()


class ChannelInfo(Frozen):
    """A channel as the platform knows it: its id, the tenant that it is in, and its name without ``#``."""

    id: str
    tenant: str
    name: str = ""


class EventBase(Frozen):
    """What every event carries.

    Attributes:
        v: the wire version. It is raised only when the meaning of something changes.
        kind: which event it is.
        key: says *what happened*: two different things never share one, and one thing delivered twice
            does. The adapter makes it, from a documented table.
        address: where it happened.
        channel_name: what people call the channel, without ``#``; empty if not known.
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
    channel_name: str = ""
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
        replies_to: the id of the message that it answers, on platforms where that is not a thread.
    """

    kind: Literal["message"] = "message"
    id: str
    content: Content
    request: str = ""
    replies_to: str | None = None


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


class SlashCommand(EventBase):
    """Somebody used a command that the platform offers in its own list.

    Attributes:
        name: the command without its slash, with sub-commands: ``deploy start``.
        text: what was typed behind it, where the platform hands over the line (Slack).
        options: what was chosen for each parameter, as text, where the platform has a form for it (Discord).
    """

    kind: Literal["slash"] = "slash"
    name: str
    text: str = ""
    options: dict[str, str] | None = None


class PersonChanged(EventBase):
    """``person``, which is complete here, changed their name, time zone, language or roles."""

    kind: Literal["person_changed"] = "person_changed"


class Scheduled(EventBase):
    """The time has come that a handler asked for.

    Attributes:
        skill, handler: who asked.
        due: when it should have been, in unix seconds. After a downtime it is later than that.
        arguments: what `Context.later` was given for the handler.
    """

    kind: Literal["schedule"] = "schedule"
    skill: str
    handler: str
    due: float
    arguments: dict[str, Any] = Field(default_factory=dict)


class Webhook(EventBase):
    """Another program called a skill's path.

    Attributes:
        skill, handler: whose path it is.
        headers: by lower-case name, without credentials.
        body: as text.
    """

    kind: Literal["webhook"] = "webhook"
    skill: str
    handler: str
    method: str = "POST"
    path: str
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    media_type: str = ""
    body: str = ""

    def json_body(self) -> Any:
        """The body, read as JSON.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.body)


class Undeliverable(EventBase):
    """The platform refused something for good that a skill wanted to do at ``address``.

    Attributes:
        skill, handler: who wanted it.
        action: the key of the action.
        what: its kind, such as ``send`` or ``edit``.
        text: what was to be said; empty if it was no text.
        code: the platform's own error code, such as Slack's ``is_archived``.
        reason: the platform's refusal in words, with what to do about it.
        answered: the key of the event that the skill was answering.
    """

    kind: Literal["undeliverable"] = "undeliverable"
    skill: str
    handler: str
    action: str
    what: str
    text: str = ""
    code: str
    reason: str
    answered: str


Event = Annotated[
    Message
    | Edited
    | Deleted
    | Reaction
    | MemberJoined
    | SlashCommand
    | PersonChanged
    | Scheduled
    | Webhook
    | Undeliverable,
    Field(discriminator="kind"),
]
