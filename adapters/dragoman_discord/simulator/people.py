"""People, and what they do: talk, reply, edit, react, start threads, use commands."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .channel import ANNOUNCEMENT, ANNOUNCEMENT_THREAD, PRIVATE_THREAD, PUBLIC_THREAD, Channel
from .guild import Emoji
from .message import REPLY, Message
from .permissions import bits
from .text import mentions, typed

if TYPE_CHECKING:
    from .application import Application
    from .guild import Guild
    from .interaction import Interaction
    from .server import DiscordSimulator

__all__ = ["User"]


@dataclass(slots=True, eq=False)
class User:
    """Somebody on Discord; a bot has one too.

    Attributes:
        name: the user name, which nobody else has; ``global_name`` is what others see.
        locale: the language of their client, which only slash commands tell.
        refuses_dms: whether bots cannot write to them (error 50007).
    """

    simulator: "DiscordSimulator"
    id: str
    name: str
    global_name: str | None = None
    locale: str = "en-US"
    is_bot: bool = False
    refuses_dms: bool = False
    directs: dict[str, Channel] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<User {self.name} {self.id}>"

    @property
    def mention(self) -> str:
        """As it is written in messages."""
        return f"<@{self.id}>"

    def dm(self, app: "Application | None" = None) -> Channel:
        """Their direct messages with an app's bot (the first app, if none is given)."""
        bot = (app or self.simulator.app()).user
        return self.simulator.direct(self, bot)

    # What they say

    async def say(
        self,
        channel: Channel,
        text: str = "",
        *,
        reply: Message | None = None,
        files: Mapping[str, bytes] | None = None,
        ping: bool = True,
        raw: bool = False,
    ) -> Message:
        """Type a text. ``@name``, ``#channel`` and ``:emoji:`` become references, as Discord's clients do.

        Args:
            channel: where; a thread is a channel too.
            reply: the message that it is a reply to; its author is told unless ``ping`` is off.
            files: what is attached: contents by file name.
            raw: whether the text is left as it is.
        """
        self._allowed(channel, "VIEW_CHANNEL", "SEND_MESSAGES")
        if not (text or files):
            raise ValueError("an empty message cannot be sent")
        content = text if raw else typed(text, channel)
        message = Message(channel, self.simulator.clock.new_id(), self, content)
        told = mentions(content, channel)
        told.everyone = told.everyone and bool(channel.may(self) & bits("MENTION_EVERYONE") or channel.may(self) & 8)
        if reply is not None:
            message.type, message.reference, message.referenced = REPLY, reply.id, reply
            if ping and reply.author is not self and reply.author.id not in told.users:
                told.users.append(reply.author.id)
        told.put(message)
        for name, file in (files or {}).items():
            message.attachments.append(self.simulator.attach(channel, name, file))
        self.simulator.post(message)
        await asyncio.sleep(0)  # a loop that talks leaves the server its turn
        return message

    async def reply(self, message: Message, text: str, *, ping: bool = True) -> Message:
        """Reply to a message, where it is."""
        return await self.say(message.channel, text, reply=message, ping=ping)

    async def upload(self, channel: Channel, *, name: str, content: bytes, text: str = "") -> Message:
        """Send a file. Its ``url`` can be fetched from the simulator."""
        return await self.say(channel, text, files={name: content})

    async def edit(self, message: Message, text: str, *, raw: bool = False) -> None:
        """Change what they said."""
        self._own(message)
        message.content = text if raw else typed(text, message.channel)
        mentions(message.content, message.channel).put(message)
        self.simulator.change(message)
        await asyncio.sleep(0)

    async def delete(self, message: Message) -> None:
        """Delete what they said; who may manage messages may delete anybody's."""
        if not message.channel.may(self) & bits("MANAGE_MESSAGES"):
            self._own(message)
        self.simulator.remove(message)
        await asyncio.sleep(0)

    async def react(self, message: Message, emoji: "str | Emoji") -> None:
        """Put an emoji on a message: ``🎲``, or a guild's own."""
        self._allowed(message.channel, "VIEW_CHANNEL", "ADD_REACTIONS")
        if not self.simulator.react(message, self, _emoji(emoji)):
            raise ValueError(f"{self.name} has put {emoji} on it already")
        await asyncio.sleep(0)

    async def unreact(self, message: Message, emoji: "str | Emoji") -> None:
        """Take an emoji of theirs away again."""
        if not self.simulator.unreact(message, self, _emoji(emoji)):
            raise ValueError(f"{self.name} has not put {emoji} on it")
        await asyncio.sleep(0)

    async def typing(self, channel: Channel) -> None:
        """Begin to type."""
        self.simulator.typing(channel, self)
        await asyncio.sleep(0)

    # Where they go

    async def start_thread(self, where: "Channel | Message", name: str, *, private: bool = False) -> Channel:
        """Start a thread: from a message, or in a channel."""
        channel = where.channel if isinstance(where, Message) else where
        self._allowed(channel, "VIEW_CHANNEL", "CREATE_PUBLIC_THREADS")
        kind = PRIVATE_THREAD if private else ANNOUNCEMENT_THREAD if channel.type == ANNOUNCEMENT else PUBLIC_THREAD
        source = where if isinstance(where, Message) else None
        thread = self.simulator.start_thread(channel, self, name, kind, source)
        await asyncio.sleep(0)
        return thread

    async def archive(self, thread: Channel, *, archived: bool = True, locked: bool = False) -> None:
        """Close a thread, or open it again."""
        thread.archived, thread.locked = archived, locked
        self.simulator.tell("THREAD_UPDATE", thread, thread.payload())
        await asyncio.sleep(0)

    async def join(self, place: "Guild | Channel") -> None:
        """Come into a guild; or be let into a private channel or a thread."""
        if isinstance(place, Channel):
            place.members[self.id] = self
        else:
            place.enter(self)
        await asyncio.sleep(0)

    async def leave(self, place: "Guild | Channel") -> None:
        """Go out of a guild, a private channel or a thread."""
        if isinstance(place, Channel):
            place.members.pop(self.id, None)
        else:
            place.leave(self)
        await asyncio.sleep(0)

    async def change(self, guild: "Guild", *, nick: str) -> None:
        """Be called otherwise in a guild; an empty nick takes it away."""
        guild.change(self, nick=nick)
        await asyncio.sleep(0)

    # Commands

    async def slash(
        self, channel: Channel, command: str, *, app: "Application | None" = None, **options: Any
    ) -> "Interaction":
        """Use a slash command, such as ``"roll"`` or ``"deploy start"``, with options of its types.

        Args:
            options: texts, numbers, truth values, `User`, `Channel`, `Role`, `Message.attachments`' `Attachment`.
                An option whose name Python does not take is given as ``**{"by-when": ...}``.

        Raises:
            ValueError: no app here has it, or Discord's client would not let them send it like this.
        """
        self._allowed(channel, "VIEW_CHANNEL", "USE_APPLICATION_COMMANDS")
        interaction = self.simulator.use(self, channel, command, options, app)
        await asyncio.sleep(0)
        return interaction

    async def complete(
        self,
        channel: Channel,
        command: str,
        option: str,
        text: str,
        *,
        app: "Application | None" = None,
        **others: Any,
    ) -> "Interaction":
        """Type an option of a slash command as far as ``text``: Discord asks the app for completions of it.

        Raises:
            ValueError: no app here has it, or the option has no completions.
        """
        self._allowed(channel, "VIEW_CHANNEL", "USE_APPLICATION_COMMANDS")
        interaction = self.simulator.use(self, channel, command, {**others, option: text}, app, option)
        await asyncio.sleep(0)
        return interaction

    # What they may

    def _allowed(self, channel: Channel, *permissions: str) -> None:
        if channel.is_direct:
            if self.id not in channel.members:
                raise ValueError(f"{self.name} is not in {channel!r}")
            return
        lacking = [name for name in permissions if not channel.may(self) & bits(name)]
        if lacking:
            raise ValueError(f"{self.name} has no {', '.join(lacking)} in {channel!r}")

    def _own(self, message: Message) -> None:
        if message.author is not self or message.deleted:
            raise ValueError(f"{self.name} cannot change a message of {message.author.name} (or one that is deleted)")

    def payload(self) -> dict[str, Any]:
        """The user object. https://docs.discord.com/developers/resources/user#user-object"""
        body: dict[str, Any] = {
            "id": self.id,
            "username": self.name,
            "global_name": self.global_name,
            "discriminator": self.id[-4:] if self.is_bot else "0",
            "avatar": None,
            "public_flags": 0,
            "flags": 0,
            "primary_guild": None,
        }
        return body | ({"bot": True} if self.is_bot else {})


def _emoji(emoji: "str | Emoji") -> str:
    return emoji if isinstance(emoji, str) else emoji.reaction
