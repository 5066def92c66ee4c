"""People, and what they do: talk, edit, react, join, upload."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .channel import Channel
from .message import Message
from .text import rich_text

if TYPE_CHECKING:
    from .sockets import Delivery
    from .workspace import Workspace

__all__ = ["User"]

#: What `User.change` takes, beside the name.
CHANGEABLE = frozenset({"deleted", "email", "is_admin", "is_owner", "is_restricted", "locale", "real_name", "tz"})


@dataclass(slots=True, eq=False)
class User:
    """Somebody in a workspace; a bot has one too.

    Attributes:
        team: the id of their own workspace; another one than ours for a guest through Slack Connect.
        app_id, bot_id: whose bot it is, for bots.
    """

    workspace: "Workspace"
    id: str
    name: str
    real_name: str
    email: str
    locale: str
    tz: str
    team: str
    updated: int
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    deleted: bool = False
    app_id: str | None = None
    bot_id: str | None = None

    @property
    def is_bot(self) -> bool:
        """Whether this is a program."""
        return self.bot_id is not None

    def dm(self) -> Channel:
        """Their direct messages with the workspace's (first) bot."""
        return self.workspace.dm(self)

    async def say(
        self,
        channel: Channel,
        text: str,
        *,
        thread: Message | str | None = None,
        broadcast: bool = False,
        files: Sequence[tuple[str, bytes]] = (),
    ) -> Message:
        """Type a text. ``@name`` and ``#name`` become references, ``&<>`` are escaped, as Slack's clients do.

        Args:
            thread: the message (or its ts) to answer in a thread.
            broadcast: whether the answer in the thread is shown in the channel too.
            files: what is attached: names and bytes. It can be fetched from each ``url_private``.
        """
        message = self._message(channel, self.workspace.typed(text), thread)
        if files:
            workspace = self.workspace
            message.subtype = "file_share"
            message.files = [
                workspace.file(workspace.simulator.new_id("F"), name, self.id, content) for name, content in files
            ]
            if not text:
                message.blocks = None
        if broadcast and message.is_reply:
            message.subtype, message.broadcast = "thread_broadcast", True
        self.workspace.post(message)
        await asyncio.sleep(0)  # a loop that talks leaves the server its turn
        return message

    async def slash(self, line: str, channel: Channel) -> "Delivery":
        """Use a slash command, such as ``/roll 2d20``; not in threads, where there are none.

        Raises:
            ValueError: no app here has it.
        """
        self._inside(channel)
        command, _, text = line.partition(" ")
        app = next((app for app in self.workspace.apps if app.offers(command)), None)
        if app is None or not command.startswith("/"):
            raise ValueError(f"{command} is not a valid command")
        delivery = app.command(self, channel, command, text.strip())
        await asyncio.sleep(0)
        return delivery

    async def change(self, *, name: str | None = None, **changes: Any) -> None:
        """Change their profile, or what they are here: ``real_name``, ``tz``, ``locale``, ``is_admin``..."""
        if unknown := changes.keys() - CHANGEABLE:
            raise ValueError(f"{min(unknown)} cannot be changed: {', '.join(sorted(CHANGEABLE))} can")
        if name is not None:
            self.workspace.rename(self, name)
        for attribute, value in changes.items():
            setattr(self, attribute, value)
        self.workspace.update(self)
        await asyncio.sleep(0)

    async def upload(
        self,
        channel: Channel,
        *,
        name: str,
        content: bytes | None = None,
        size: int | None = None,
        text: str = "",
        thread: Message | str | None = None,
    ) -> Message:
        """Share a file, with its bytes or only with a size. It can be fetched from its ``url_private``."""
        workspace = self.workspace
        file = workspace.file(workspace.simulator.new_id("F"), name, self.id, content, size=size or 0)
        message = self._message(channel, workspace.typed(text), thread)
        message.subtype, message.files = "file_share", [file]
        if not text:
            message.blocks = None
        workspace.post(message)
        await asyncio.sleep(0)
        return message

    async def edit(self, message: Message, text: str) -> None:
        """Change what they said."""
        self._own(message)
        typed = self.workspace.typed(text)
        changes: dict[str, Any] = {
            "text": typed,
            "blocks": rich_text(typed, self.workspace.simulator.block_id()),
        }
        self.workspace.change(message, self.id, changes)
        await asyncio.sleep(0)

    async def delete(self, message: Message) -> None:
        """Delete what they said; an admin may delete anybody's."""
        if not self.is_admin:
            self._own(message)
        self.workspace.remove(message)
        await asyncio.sleep(0)

    async def react(self, message: Message, name: str) -> None:
        """Put an emoji on a message; ``name`` is without colons."""
        self._inside(message.channel)
        if not self.workspace.react(message, self.id, name):
            raise ValueError(f"{self.name} has put {name} on it already")
        await asyncio.sleep(0)

    async def unreact(self, message: Message, name: str) -> None:
        """Take an emoji of theirs away again."""
        if not self.workspace.unreact(message, self.id, name):
            raise ValueError(f"{self.name} has not put {name} on it")
        await asyncio.sleep(0)

    async def join(self, channel: Channel) -> None:
        """Join a channel."""
        self.workspace.join(channel, self.id)
        await asyncio.sleep(0)

    async def invite(self, channel: Channel, guest: "User") -> None:
        """Bring somebody (or the bot: ``workspace.app.user``) into a channel."""
        self._inside(channel)
        self.workspace.join(channel, guest.id, inviter=self.id)
        await asyncio.sleep(0)

    async def leave(self, channel: Channel) -> None:
        """Leave a channel."""
        self._inside(channel)
        self.workspace.leave(channel, self.id)
        await asyncio.sleep(0)

    async def remove(self, channel: Channel, guest: "User") -> None:
        """Put somebody (or the bot) out of a channel."""
        self.workspace.leave(channel, guest.id)
        await asyncio.sleep(0)

    def _inside(self, channel: Channel) -> None:
        if self.id not in channel.members:
            raise ValueError(f"{self.name} is not in {channel!r}: `await user.join(channel)` first")

    def _own(self, message: Message) -> None:
        if message.user != self.id or message.deleted:
            raise ValueError(f"{self.name} cannot change a message of {message.user} (or one that is deleted)")

    def _message(self, channel: Channel, text: str, thread: Message | str | None) -> Message:
        self._inside(channel)
        if channel.archived:
            raise ValueError(f"{channel!r} is archived")
        simulator = self.workspace.simulator
        if isinstance(thread, Message):
            thread = thread.thread_ts or thread.ts
        return Message(
            channel,
            simulator.new_ts(),
            self.id,
            text,
            thread_ts=thread,
            client_msg_id=str(uuid.uuid4()),
            team=self.team,
            blocks=rich_text(text, simulator.block_id()),
        )

    def payload(self, locale: bool = False) -> dict[str, Any]:
        """The user object. https://docs.slack.dev/reference/objects/user-object"""
        profile: dict[str, Any] = {
            "title": "",
            "phone": "",
            "skype": "",
            "real_name": self.real_name,
            "real_name_normalized": self.real_name,
            "display_name": self.name,
            "display_name_normalized": self.name,
            "fields": {},
            "status_text": "",
            "status_emoji": "",
            "status_expiration": 0,
            "avatar_hash": "0" * 12,
            "first_name": self.real_name.partition(" ")[0],
            "last_name": self.real_name.partition(" ")[2],
            "team": self.team,
        }
        if self.is_bot:
            profile |= {"api_app_id": self.app_id, "bot_id": self.bot_id, "always_active": True}
        elif self.email:
            profile["email"] = self.email
        user: dict[str, Any] = {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "deleted": self.deleted,
            "color": "9f69e7",
            "real_name": self.real_name,
            "tz": self.tz,
            "tz_label": self.tz,
            "tz_offset": 0,
            "profile": profile,
            "is_admin": self.is_admin,
            "is_owner": self.is_owner,
            "is_primary_owner": False,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": self.updated,
        }
        if self.team != self.workspace.id:
            user["is_stranger"] = True
        if locale:
            user["locale"] = self.locale
        return user
