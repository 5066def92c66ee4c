"""A message, what is attached to it, and the reactions on it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from .clock import iso, made_at

if TYPE_CHECKING:
    from .application import Application
    from .channel import Channel
    from .people import User

__all__ = ["EPHEMERAL", "HAS_THREAD", "LOADING", "REPLY", "SUPPRESS_EMBEDS", "Attachment", "Message", "emoji_of"]

#: https://docs.discord.com/developers/resources/message#message-object-message-flags
SUPPRESS_EMBEDS: Final = 1 << 2
HAS_THREAD: Final = 1 << 5
EPHEMERAL: Final = 1 << 6
LOADING: Final = 1 << 7

#: https://docs.discord.com/developers/resources/message#message-object-message-types
DEFAULT, JOIN, THREAD_CREATED, REPLY, COMMAND, STARTER = 0, 7, 18, 19, 20, 21


def emoji_of(name: str) -> dict[str, Any]:
    """The emoji object of a reaction: ``🎲``, or ``name:id`` for a guild's own."""
    own, _, id = name.partition(":")
    return {"id": id, "name": own, "animated": False} if id else {"id": None, "name": own}


@dataclass(slots=True, eq=False)
class Attachment:
    """A file of a message, with its bytes.

    Attributes:
        name: without what Discord takes out of it; ``title`` is what was given then, without its extension.
        sign: makes an address that can be fetched for a while.
    """

    id: str
    name: str
    content: bytes
    type: str
    sign: Callable[[], str]
    description: str | None = None
    title: str | None = None

    @property
    def url(self) -> str:
        """Where it can be fetched; a new address each time."""
        return self.sign()

    def payload(self, ephemeral: bool = False) -> dict[str, Any]:
        """https://docs.discord.com/developers/resources/message#attachment-object"""
        url = self.url
        body: dict[str, Any] = {
            "id": self.id,
            "filename": self.name,
            "size": len(self.content),
            "url": url,
            "proxy_url": url,
            "content_type": self.type,
        }
        if self.description is not None:
            body["description"] = self.description
        if self.title is not None:
            body["title"] = self.title
        return body | ({"ephemeral": True} if ephemeral else {})


@dataclass(slots=True, eq=False)
class Message:
    """Something that was said.

    Attributes:
        content: in Discord's markdown, with mentions as references.
        type: 0 usual, 19 a reply, 20 a slash command's response; others are the channel's own notices.
        application_id: of the app that said it.
        interaction: what says that it answers a slash command, as Discord shows it.
        mentions: the ids of people who are told of it; ``mention_roles`` and ``mention_everyone`` likewise.
        reference: the message that it is a reply to (its id); it may be deleted by now.
        reactions: emoji to the ids of who reacted, in order.
        seen_by: for an ephemeral one, the only person who sees it.
    """

    channel: "Channel"
    id: str
    author: "User"
    content: str = ""
    type: int = DEFAULT
    flags: int = 0
    nonce: str | int | None = None
    tts: bool = False
    application_id: str | None = None
    webhook_id: str | None = None
    interaction: dict[str, Any] | None = None
    edited: float | None = None
    deleted: bool = False
    reference: str | None = None
    referenced: "Message | None" = None
    seen_by: "User | None" = None
    mentions: list[str] = field(default_factory=list)
    mention_roles: list[str] = field(default_factory=list)
    mention_everyone: bool = False
    attachments: list[Attachment] = field(default_factory=list)
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    thread: "Channel | None" = None

    @property
    def text(self) -> str:
        """What it says; the same as ``content``."""
        return self.content

    @property
    def is_bot(self) -> bool:
        """Whether a program said it."""
        return self.author.is_bot

    @property
    def ephemeral(self) -> bool:
        """Whether only one person sees it."""
        return bool(self.flags & EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Whether it only says that the bot is thinking."""
        return bool(self.flags & LOADING)

    def open_to(self, app: "Application | None", content: bool) -> bool:
        """Whether an app sees what it says: it may read all, said or is told of it, or it is said to it alone.

        https://docs.discord.com/developers/events/gateway#message-content-intent
        """
        if content or app is None or self.channel.is_direct:
            return True
        return self.author is app.user or app.user.id in self.mentions

    def payload(self, app: "Application | None" = None, *, content: bool = True, deep: bool = True) -> dict[str, Any]:
        """The message object, as an app sees it. https://docs.discord.com/developers/resources/message#message-object

        Args:
            content: whether that app may read messages that are not meant for it.
            deep: whether what it refers to is in it too.
        """
        shown = self.open_to(app, content)
        users = self.channel.simulator.users
        body: dict[str, Any] = {
            "id": self.id,
            "channel_id": self.channel.id,
            "type": self.type,
            "author": self.author.payload(),
            "content": self.content if shown else "",
            "timestamp": iso(made_at(self.id)),
            "edited_timestamp": None if self.edited is None else iso(self.edited),
            "tts": self.tts,
            "mention_everyone": self.mention_everyone,
            "mentions": [users[id].payload() for id in self.mentions if id in users],
            "mention_roles": list(self.mention_roles),
            "attachments": [item.payload(self.ephemeral) for item in self.attachments] if shown else [],
            "embeds": list(self.embeds) if shown else [],
            "components": list(self.components) if shown else [],
            "pinned": False,
            "flags": self.flags,
        }
        if self.nonce is not None and app is not None and self.author is app.user:
            body["nonce"] = self.nonce
        if self.reactions:
            body["reactions"] = self._reactions(app)
        if self.application_id is not None:
            body["application_id"] = self.application_id
        if self.webhook_id is not None:
            body["webhook_id"] = self.webhook_id
        if self.interaction is not None:
            body["interaction_metadata"] = self.interaction
        if self.thread is not None and deep:
            body["thread"] = self.thread.payload()
        if self.reference is not None:
            self._refer(body, app, content=content, deep=deep)
        return body

    def _refer(self, body: dict[str, Any], app: "Application | None", *, content: bool, deep: bool) -> None:
        told = self.referenced
        where = self.channel if told is None else told.channel
        body["message_reference"] = {"type": 0, "channel_id": where.id, "message_id": self.reference}
        if where.guild is not None:
            body["message_reference"]["guild_id"] = where.guild.id
        if deep and self.type in (REPLY, STARTER):
            gone = told is None or told.deleted
            body["referenced_message"] = (
                None if gone or told is None else told.payload(app, content=content, deep=False)
            )

    def _reactions(self, app: "Application | None") -> list[dict[str, Any]]:
        me = "" if app is None else app.user.id
        return [
            {
                "emoji": emoji_of(name),
                "count": len(people),
                "count_details": {"burst": 0, "normal": len(people)},
                "burst_colors": [],
                "me_burst": False,
                "me": me in people,
            }
            for name, people in self.reactions.items()
        ]
