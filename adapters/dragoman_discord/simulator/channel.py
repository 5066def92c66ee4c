"""A channel: of a guild, a thread in one, or the direct messages with somebody."""

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, Final

from .clock import iso, made_at
from .message import Message
from .permissions import bits

if TYPE_CHECKING:
    from .application import Application
    from .guild import Guild
    from .interaction import Interaction
    from .people import User
    from .server import DiscordSimulator

__all__ = ["ANNOUNCEMENT", "DIRECT", "FORUM", "PRIVATE_THREAD", "PUBLIC_THREAD", "TEXT", "THREADS", "VOICE", "Channel"]

#: https://docs.discord.com/developers/resources/channel#channel-object-channel-types
TEXT, DIRECT, VOICE, CATEGORY, ANNOUNCEMENT, FORUM = 0, 1, 2, 4, 5, 15
ANNOUNCEMENT_THREAD, PUBLIC_THREAD, PRIVATE_THREAD = 10, 11, 12
THREADS: Final = (ANNOUNCEMENT_THREAD, PUBLIC_THREAD, PRIVATE_THREAD)


class Channel:
    """One channel and everything that was said in it.

    Attributes:
        guild: `None` for direct messages.
        parent: the channel that a thread is in.
        members: who a private channel, a private thread or direct messages are for; else who follows a thread.
        private: whether only ``members`` see it.
        denied: permissions that a role or a user (by id) lacks here.
        total: how many messages a thread has ever had.
    """

    def __init__(
        self,
        simulator: "DiscordSimulator",
        id: str,
        name: str,
        type: int = TEXT,
        *,
        guild: "Guild | None" = None,
        parent: "Channel | None" = None,
        owner: "User | None" = None,
    ) -> None:
        self.simulator = simulator
        self.id = id
        self.name = name
        self.type = type
        self.guild = guild
        self.parent = parent
        self.owner = owner
        self.members: dict[str, User] = {}
        self.private = type in (DIRECT, PRIVATE_THREAD)
        self.topic: str | None = None
        self.denied: dict[str, int] = {}
        self.archived = False
        self.locked = False
        self.archive_after = 4320
        self.total = 0
        self._messages: dict[str, Message] = {}
        self._order: list[str] = []
        self._shown: list[Message] = []

    def __repr__(self) -> str:
        return f"<Channel {self.name or 'direct'} {self.id}>"

    @property
    def mention(self) -> str:
        """As it is written in messages."""
        return f"<#{self.id}>"

    @property
    def is_direct(self) -> bool:
        """Whether it is the direct messages of somebody."""
        return self.type == DIRECT

    @property
    def is_thread(self) -> bool:
        """Whether it is a thread."""
        return self.type in THREADS

    @property
    def messages(self) -> list[Message]:
        """Everything said here that was not deleted, oldest first; no ephemeral ones."""
        return [message for message in self._messages.values() if not message.deleted]

    @property
    def said(self) -> list[Message]:
        """What bots said here and people see, oldest first: without "is thinking", with ephemeral ones."""
        return [
            message
            for message in self._shown
            if not (message.deleted or message.loading) and message.is_bot and message.type in (0, 19, 20)
        ]

    @property
    def threads(self) -> "list[Channel]":
        """The threads in it."""
        return [] if self.guild is None else [each for each in self.guild.threads.values() if each.parent is self]

    def deny(self, who: "User | str", *permissions: str) -> None:
        """Take permissions away from somebody (a bot: ``app.user``) or a role (its id) here; none gives all back."""
        id = who if isinstance(who, str) else who.id
        self.denied[id] = bits(*permissions)
        if not permissions:
            del self.denied[id]
        self.simulator.tell("CHANNEL_UPDATE", self, self.payload())

    def may(self, user: "User") -> int:
        """What somebody may do here. https://docs.discord.com/developers/topics/permissions#permission-overwrites"""
        if self.guild is None:
            return bits("VIEW_CHANNEL", "SEND_MESSAGES", "READ_MESSAGE_HISTORY", "ATTACH_FILES", "ADD_REACTIONS") * (
                user.id in self.members
            )
        has = self.guild.permissions(user)
        if has & bits("ADMINISTRATOR"):
            return has
        if self.private and user.id not in self.members:
            return 0
        place = self.parent or self
        member = self.guild.members.get(user.id)
        for id in (self.guild.id, *(member.roles if member else ()), user.id):
            has &= ~place.denied.get(id, 0)
        if self.parent is not None and self.parent.private and user.id not in self.parent.members:
            return 0
        return has if has & bits("VIEW_CHANNEL") else 0

    def sees(self, user: "User") -> bool:
        """Whether somebody sees it."""
        return bool(self.may(user) & bits("VIEW_CHANNEL"))

    def add(self, message: Message) -> None:
        """Keep a new message; its id must be later than every other one's."""
        self._shown.append(message)
        if message.ephemeral:
            return
        self._messages[message.id] = message
        self._order.append(message.id)
        self.total += 1

    def find(self, id: str) -> Message | None:
        """The message with that id, unless it was deleted."""
        message = self._messages.get(id)
        return None if message is None or message.deleted else message

    def page(self, *, before: str = "", after: str = "", around: str = "", limit: int = 50) -> list[Message]:
        """Messages, newest first, as ``GET /channels/ID/messages`` pages through them."""
        ids = [int(id) for id in self._order]
        here = [self._messages[id] for id in self._order]
        if around:
            at = bisect_left(ids, int(around))
            half = limit // 2
            chosen = here[max(0, at - half) : at + half + 1]
        elif after:
            start = bisect_right(ids, int(after))
            chosen = [each for each in here[start:] if not each.deleted][:limit]
        else:
            end = bisect_left(ids, int(before)) if before else len(ids)
            chosen = [each for each in here[:end] if not each.deleted][-limit:]
        return [message for message in reversed(chosen) if not message.deleted]

    def replies_to(self, message: "Message | Interaction") -> list[Message]:
        """What bots said after ``message``: here, or in its thread; for a slash command, in answer to it."""
        if not isinstance(message, Message):
            return message.said
        places = [message.channel, *([message.thread] if message.thread else [])]
        found = [said for place in places for said in place.said if int(said.id) > int(message.id)]
        return sorted(found, key=lambda said: int(said.id))

    async def reply_to(self, message: "Message | Interaction", timeout: float = 10.0) -> Message:
        """Wait for the first thing that a bot said after ``message``, here or in its thread.

        Raises:
            TimeoutError: the bot said nothing; the error tells what it did say.
        """
        what = message.content if isinstance(message, Message) else f"/{message.name}"
        found = await self.simulator.until(
            lambda: self.replies_to(message), timeout, waiting_for=f"a reply to {what!r} in {self!r}"
        )
        return found[0]

    def payload(self, app: "Application | None" = None) -> dict[str, Any]:
        """The channel object. https://docs.discord.com/developers/resources/channel#channel-object"""
        last = self._order[-1] if self._order else None
        body: dict[str, Any] = {"id": self.id, "type": self.type, "last_message_id": last, "flags": 0}
        if self.guild is None:
            # An app is not told of itself as a recipient.
            others = [user for user in self.members.values() if app is None or user is not app.user]
            return body | {"recipients": [user.payload() for user in others]}
        body |= {"guild_id": self.guild.id, "name": self.name, "rate_limit_per_user": 0}
        body["parent_id"] = None if self.parent is None else self.parent.id
        return body | (self._thread(app) if self.is_thread else self._plain())

    def _plain(self) -> dict[str, Any]:
        assert self.guild is not None
        hidden = [{"id": self.guild.id, "type": 0, "allow": "0", "deny": str(bits("VIEW_CHANNEL"))}]
        shown = [
            {"id": id, "type": 1, "allow": str(bits("VIEW_CHANNEL")), "deny": "0"}
            for id in self.members
            if self.private
        ]
        denied = [
            {"id": id, "type": int(id not in self.guild.roles), "allow": "0", "deny": str(value)}
            for id, value in self.denied.items()
        ]
        return {
            "position": list(self.guild.channels).index(self.id) if self.id in self.guild.channels else 0,
            "permission_overwrites": [*(hidden if self.private else []), *shown, *denied],
            "topic": self.topic,
            "nsfw": False,
        }

    def _thread(self, app: "Application | None") -> dict[str, Any]:
        made = iso(made_at(self.id))
        body: dict[str, Any] = {
            "owner_id": self.owner.id if self.owner else "0",
            "message_count": len(self.messages),
            "total_message_sent": self.total,
            "member_count": len(self.members),
            "thread_metadata": {
                "archived": self.archived,
                "archive_timestamp": made,
                "auto_archive_duration": self.archive_after,
                "locked": self.locked,
                "create_timestamp": made,
            },
        }
        if app is not None and app.user.id in self.members:
            body["member"] = self.thread_member(app.user)
        return body

    def thread_member(self, user: "User") -> dict[str, Any]:
        """https://docs.discord.com/developers/resources/channel#thread-member-object"""
        return {"id": self.id, "user_id": user.id, "join_timestamp": iso(made_at(self.id)), "flags": 0}
