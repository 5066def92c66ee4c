"""A workspace: who and what is in it, and what follows when something happens there."""

import mimetypes
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from . import events
from .api_files import Ticket
from .app import App
from .channel import Channel, Kind
from .message import File, Message
from .people import User
from .text import escaped, typed
from .usergroup import UserGroup

if TYPE_CHECKING:
    from .server import SlackSimulator

__all__ = ["Workspace"]


class Workspace:
    """A Slack workspace (a team) with people, conversations and installed apps.

    Attributes:
        app: the first installed app, whose bot is a member of new channels.
        file_limit: bytes that an uploaded file may have.
        uploads_disabled: whether nobody may upload.
        scanning: whether what apps upload is still being looked through: it is shared by `scanned`.
    """

    def __init__(self, simulator: "SlackSimulator", name: str, domain: str, bot: str) -> None:
        self.simulator = simulator
        self.id = simulator.new_id("T")
        self.name = name
        self.domain = domain
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, File] = {}
        self.emoji: dict[str, str] = {}
        self.usergroups: dict[str, UserGroup] = {}
        self.tickets: dict[str, Ticket] = {}
        self.file_limit = 1_000_000_000
        self.uploads_disabled = False
        self.scanning = False
        self._unscanned: list[Message] = []
        self.apps: list[App] = []
        self._ids: dict[str, str] = {}
        self._channel_ids: dict[str, str] = {}
        self.app = self.install(bot)

    def __repr__(self) -> str:
        return f"<Workspace {self.name} {self.id}>"

    @property
    def url(self) -> str:
        """What ``auth.test`` and permalinks call the workspace."""
        return f"https://{self.domain}.slack.com/"

    # Who and what is here

    def install(self, name: str, *, scopes: Iterable[str] | None = None, events: Iterable[str] | None = None) -> App:
        """Install an app with a bot user of that name; see `App` for what can be set on it."""
        new = self.simulator.new_id
        bot_id, app_id = new("B"), new("A")
        user = self._person(User(self, new("U"), name, name.title(), "", "en-US", "UTC", self.id, self.simulator.now()))
        user.app_id, user.bot_id = app_id, bot_id
        app = App(self, app_id, user, scopes=scopes, events=events)
        self.apps.append(app)
        self.simulator.keep_tokens(app)
        return app

    def app_of_bot(self, bot_id: str) -> App | None:
        """The app whose bot has that id."""
        return next((app for app in self.apps if app.bot_id == bot_id), None)

    def user(
        self,
        name: str,
        *,
        real_name: str | None = None,
        email: str | None = None,
        locale: str = "en-US",
        tz: str = "Europe/Amsterdam",
        admin: bool = False,
        owner: bool = False,
        guest: bool = False,
        team: str | None = None,
    ) -> User:
        """Somebody new, in every open channel. ``team`` is another workspace's id for a guest from there."""
        if name in self._ids:
            raise ValueError(f"there is a {name} already in {self!r}")
        user = User(
            self,
            self.simulator.new_id("U"),
            name,
            real_name or name.title(),
            f"{name}@{self.domain}.example" if email is None else email,
            locale,
            tz,
            team or self.id,
            self.simulator.now(),
            is_admin=admin or owner,
            is_owner=owner,
            is_restricted=guest,
        )
        for channel in self.channels.values():
            if channel.open:
                channel.members[user.id] = None
        return self._person(user)

    def _person(self, user: User) -> User:
        self.users[user.id] = user
        self._ids[user.name] = user.id
        return user

    def rename(self, user: User, name: str) -> None:
        """Call somebody otherwise."""
        if self._ids.get(name, user.id) != user.id:
            raise ValueError(f"there is a {name} already in {self!r}")
        del self._ids[user.name]
        user.name = name
        self._ids[name] = user.id

    def usergroup(self, handle: str, *people: User, name: str = "") -> UserGroup:
        """A new user group; see `UserGroup.change`."""
        group = UserGroup(
            self, self.simulator.new_id("S"), handle, name or handle.title(), [user.id for user in people]
        )
        self.usergroups[group.id] = group
        return group

    def file(
        self, id: str, name: str, user: str, content: bytes | None, *, size: int = 0, title: str | None = None
    ) -> File:
        """A new file, with its bytes or only with a size; it is in no message yet."""
        simulator = self.simulator
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        url = f"{simulator.origin}/files-pri/{self.id}-{id}/{quote(name, safe='')}"
        length = len(content) if content is not None else size
        file = File(id, name, length, kind, user, simulator.now(), url, content, title=title or "")
        self.files[id] = file
        return file

    def channel(
        self, name: str, *, private: bool = False, members: Iterable[User] | None = None, bot: bool = True
    ) -> Channel:
        """A new channel. Without ``members`` everybody is in it, also people who come later."""
        if name in self._channel_ids:
            raise ValueError(f"there is a #{name} already in {self!r}")
        people = [user for user in self.users.values() if not user.is_bot] if members is None else list(members)
        inside = [user.id for user in people] + ([self.app.user_id] if bot else [])
        channel = self._conversation("C", name, "group" if private else "channel", inside)
        channel.open = members is None
        self._channel_ids[name] = channel.id
        return channel

    def dm(self, user: User, app: App | None = None) -> Channel:
        """The direct messages between somebody and a bot."""
        return self._among("D", "", "im", [user.id, (app or self.app).user_id])

    def group(self, *people: User, app: App | None = None) -> Channel:
        """A group direct message of these people and a bot."""
        inside = [*(user.id for user in people), (app or self.app).user_id]
        name = "mpdm-" + "--".join(self.users[id].name for id in inside) + "-1"
        return self._among("G", name, "mpim", inside)

    def _among(self, prefix: str, name: str, kind: Kind, members: list[str]) -> Channel:
        wanted = set(members)
        for channel in self.channels.values():
            if channel.kind == kind and channel.members.keys() == wanted:
                return channel
        return self._conversation(prefix, name, kind, members)

    def _conversation(self, prefix: str, name: str, kind: Kind, members: list[str]) -> Channel:
        creator = members[0] if members else self.app.user_id
        channel = Channel(self, self.simulator.new_id(prefix), name, kind, creator)
        channel.members = dict.fromkeys(members)
        self.channels[channel.id] = channel
        return channel

    def find_user(self, id_or_name: str) -> User | None:
        """Somebody by id or name."""
        return self.users.get(self._ids.get(id_or_name, id_or_name))

    def find_channel(self, id_or_name: str) -> Channel | None:
        """A conversation by id or by its name with or without ``#``."""
        name = id_or_name.removeprefix("#")
        return self.channels.get(self._channel_ids.get(name, id_or_name))

    def typed(self, text: str) -> str:
        """What Slack makes of a text that a person typed here."""
        return typed(text, self._ids, self._channel_ids)

    def escaped(self, text: str) -> str:
        """What Slack makes of the text of a slash command: like `typed`, with the names of people."""
        return escaped(self.typed(text), {user.id: user.name for user in self.users.values()})

    # What happens here

    def post(self, message: Message) -> None:
        """Somebody or some bot said something: keep it and tell the apps that listen."""
        channel = message.channel
        channel.add(message)
        for file in message.files or ():
            file.messages.append(message)
            file.channels.append(channel.id)
        wanted = events.subscription(channel)
        event: dict[str, Any] | None = None
        for app in self.apps:
            if app.user_id not in channel.members:
                continue
            if wanted in app.events:
                event = event or events.message_event(message)
                message.deliveries.append(app.deliver(event))
            if "app_mention" in app.events and app.is_mentioned(message):
                message.deliveries.append(app.deliver(events.mention_event(message)))
        self.simulator.changed()

    def share(self, message: Message) -> None:
        """Post a message with files as soon as nothing is `scanning`."""
        self._unscanned.append(message)
        if not self.scanning:
            self.scanned()

    def scanned(self) -> None:
        """The files were looked through: share them."""
        self.scanning = False
        messages, self._unscanned = self._unscanned, []
        for message in messages:
            message.ts = self.simulator.new_ts()
            self.post(message)

    def change(self, message: Message, by: str, changes: dict[str, Any]) -> None:
        """Somebody changed a message; ``changes`` are attributes of it."""
        previous = message.payload()
        for name, value in changes.items():
            setattr(message, name, value)
        ts = self.simulator.new_ts()
        message.edited = {"user": by, "ts": ts}
        self._tell(
            message.channel,
            events.subscription(message.channel),
            events.message_changed(message, previous, ts),
        )

    def remove(self, message: Message) -> None:
        """Somebody deleted a message. If there are replies to it, a tombstone stays."""
        previous = message.payload()
        ts = self.simulator.new_ts()
        make = events.message_changed if message.channel.remove(message) else events.message_deleted
        self._tell(message.channel, events.subscription(message.channel), make(message, previous, ts))

    def react(self, message: Message, user: str, name: str) -> bool:
        """Put an emoji on a message; false if that person's is there already."""
        users = message.reactions.setdefault(name, [])
        if user in users:
            return False
        users.append(user)
        event = events.reaction_event(message, user, name, self.simulator.new_ts(), added=True)
        self._tell(message.channel, "reaction_added", event)
        return True

    def unreact(self, message: Message, user: str, name: str) -> bool:
        """Take an emoji away; false if that person's is not there."""
        users = message.reactions.get(name, [])
        if user not in users:
            return False
        users.remove(user)
        if not users:
            del message.reactions[name]
        event = events.reaction_event(message, user, name, self.simulator.new_ts(), added=False)
        self._tell(message.channel, "reaction_removed", event)
        return True

    def join(self, channel: Channel, user: str, inviter: str | None = None) -> None:
        """Somebody comes into a channel, and the channel says so."""
        if user in channel.members:
            raise ValueError(f"{user} is in {channel!r} already")
        channel.members[user] = None
        event = events.member_event(channel, user, inviter, self.simulator.new_ts(), joined=True)
        self._tell(channel, "member_joined_channel", event)
        self._notice(channel, user, "channel_join", "has joined the channel", inviter)

    def leave(self, channel: Channel, user: str) -> None:
        """Somebody goes out of a channel, and the channel says so."""
        del channel.members[user]
        event = events.member_event(channel, user, None, self.simulator.new_ts(), joined=False)
        self._tell(channel, "member_left_channel", event)
        self._notice(channel, user, "channel_leave", "has left the channel", None)

    def update(self, user: User) -> None:
        """Somebody's profile has changed: tell the apps that listen, wherever their bots are."""
        user.updated = self.simulator.now()
        event = events.user_event(user, self.simulator.new_ts())
        for app in self.apps:
            if "user_change" in app.events and "users:read" in app.scopes:
                app.deliver(event)
        self.simulator.changed()

    def tell_groups(self, *found: dict[str, Any]) -> None:
        """Something happened to a user group: tell the apps that listen."""
        for event in found:
            for app in self.apps:
                if event["type"] in app.events and "usergroups:read" in app.scopes:
                    app.deliver(event)
        self.simulator.changed()

    def _notice(self, channel: Channel, user: str, subtype: str, text: str, inviter: str | None) -> None:
        ts = self.simulator.new_ts()
        self.post(Message(channel, ts, user, f"<@{user}> {text}", subtype=subtype, inviter=inviter))

    def _tell(self, channel: Channel, wanted: str, event: dict[str, Any]) -> None:
        for app in self.apps:
            if wanted in app.events and app.user_id in channel.members:
                app.deliver(event)
        self.simulator.changed()
