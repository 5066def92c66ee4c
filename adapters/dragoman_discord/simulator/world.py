"""Everybody and everything on the simulated Discord, and what follows when something happens there."""

import mimetypes
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .application import Application
from .cdn import Fetched, Signer, cleansed
from .channel import DIRECT, PRIVATE_THREAD, Channel
from .clock import Clock
from .guild import Guild
from .intents import PRIVILEGED
from .interaction import Interaction, begin
from .message import HAS_THREAD, JOIN, STARTER, THREAD_CREATED, Attachment, Message, emoji_of
from .people import User

if TYPE_CHECKING:
    from .session import Session

__all__ = ["World"]

#: What a session is told, made for it; `None`: nothing.
Made = Callable[["Session"], dict[str, Any] | None]


class World:
    """Guilds, people, applications, and the events about them.

    Attributes:
        users, guilds, channels: by id; threads and direct messages are channels too.
        attachments: files by their path, as the links of messages have it.
        fetched: which files were fetched, oldest first.
        attachment_lifetime: seconds for which a file's address can be fetched. Discord's is about a day.
        largest_request: bytes of all files of a call (https://docs.discord.com/developers/resources/message#create-message).
        interactions: uses of commands by id, and by token.
        nonces: what was posted with a nonce (by channel, application and nonce), and when.
        typings: where bots have said that they type, oldest first.
        portal: who owns the applications.
    """

    resume_window: float

    def __init__(self) -> None:
        self.clock = Clock()
        self.users: dict[str, User] = {}
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Channel] = {}
        self.applications: dict[str, Application] = {}
        self.attachments: dict[str, Attachment] = {}
        self.fetched: list[Fetched] = []
        self.attachment_lifetime = 86_400.0
        self.largest_request = 25 * 1024 * 1024
        self.signer = Signer()
        self.interactions: dict[str, Interaction] = {}
        self.nonces: dict[tuple[str, str, str], tuple[Message, float]] = {}
        self.typings: list[tuple[Channel, User]] = []
        self.portal = User(self, self.clock.new_id(), "portal", "Portal")  # type: ignore[arg-type]

    @property
    def origin(self) -> str:
        """``http://host:port``."""
        raise NotImplementedError

    def changed(self) -> None:
        """Something happened: let everything that waits look again."""
        raise NotImplementedError

    def now(self) -> float:
        """Unix seconds; see `Clock.advance`."""
        return self.clock.now()

    # Who is there

    def guild(self, name: str) -> Guild:
        """A new guild, which every application's bot comes into."""
        guild = Guild(self, name)  # type: ignore[arg-type]
        self.guilds[guild.id] = guild
        for app in self.applications.values():
            if app.everywhere:
                app.join(guild)
        return guild

    def person(self, name: str, *, global_name: str | None = None, locale: str = "en-US") -> User:
        """Somebody new, in no guild yet. ``guild.user(name)`` makes somebody who is."""
        if self.find_user(name) is not None:
            raise ValueError(f"somebody is called {name} already")
        user = User(self, self.clock.new_id(), name, global_name or name.title(), locale)  # type: ignore[arg-type]
        self.users[user.id] = user
        return user

    def application(self, name: str, *, privileged: int = PRIVILEGED, everywhere: bool = True) -> Application:
        """The application of that name; a new one if there is none.

        Args:
            privileged: which privileged intents the developer portal gives it; see `intents`.
            everywhere: whether its bot comes into every guild, also those that come later; else ``app.join(guild)``.
        """
        found = next((app for app in self.applications.values() if app.name == name), None)
        if found is not None:
            return found
        user = self.person(name)
        user.is_bot, user.global_name = True, None
        app = Application(self, user, privileged, everywhere=everywhere)  # type: ignore[arg-type]
        self.applications[app.id] = app
        for guild in self.guilds.values() if everywhere else ():
            app.join(guild)
        return app

    def app(self) -> Application:
        """The first application."""
        if not self.applications:
            raise ValueError("there is no application yet: `discord.application(name)` makes one")
        return next(iter(self.applications.values()))

    def app_of(self, token: str) -> Application | None:
        """The application whose bot has that token."""
        return next((app for app in self.applications.values() if app.token == token), None)

    def find_user(self, id_or_name: str) -> User | None:
        """Somebody by id or name."""
        return self.users.get(id_or_name) or self.named().get(id_or_name)

    def named(self) -> dict[str, User]:
        """Everybody by name."""
        return {user.name: user for user in self.users.values()}

    def direct(self, *people: User) -> Channel:
        """The direct messages between two; made if there are none yet."""
        first, second = people
        channel = first.directs.get(second.id)
        if channel is None:
            channel = Channel(self, self.clock.new_id(), "", DIRECT)  # type: ignore[arg-type]
            channel.members = {user.id: user for user in people}
            first.directs[second.id] = second.directs[first.id] = channel
            self.channels[channel.id] = channel
        return channel

    def attach(self, channel: Channel, name: str, content: bytes, description: str | None = None) -> Attachment:
        """A file for a message in a channel; it can be fetched from its ``url``."""
        id = self.clock.new_id()
        clean, title = cleansed(name)
        path = f"/attachments/{channel.id}/{id}/{quote(clean)}"
        type = mimetypes.guess_type(clean)[0] or "application/octet-stream"

        def sign() -> str:
            now = self.now()
            return f"{self.origin}{path}?{self.signer.query(path, now, now + self.attachment_lifetime)}"

        made = Attachment(id, clean, content, type, sign, description, title)
        self.attachments[f"{channel.id}/{id}"] = made
        return made

    # Who is told

    def sessions(self, place: Guild | Channel) -> "list[Session]":
        """The sessions of the apps that see a place."""
        if isinstance(place, Guild):
            apps = [app for app in self.applications.values() if app.user.id in place.members]
        else:
            apps = [app for app in self.applications.values() if place.sees(app.user)]
        return [session for app in apps for session in app.live(self.now() - self.resume_window)]

    def tell(
        self, event: str, place: Guild | Channel, data: dict[str, Any] | Made, *, besides: User | None = None
    ) -> None:
        """Send an event to all sessions that it is for; not to the app whose bot is ``besides``."""
        guild = place if isinstance(place, Guild) else place.guild
        id = None if guild is None else guild.id
        for session in self.sessions(place):
            if session.app.user is besides or not session.wants(event, id):
                continue
            made = data(session) if callable(data) else data
            if made is not None:
                session.send(event, made)
        self.changed()

    def _message(self, event: str, message: Message) -> None:
        """Send a message to all sessions that see it, each with as much of it as it may read."""
        channel, guild = message.channel, message.channel.guild
        member = None if guild is None else guild.members.get(message.author.id)

        def made(session: "Session") -> dict[str, Any]:
            body = message.payload(session.app, content=session.reads)
            body.pop("reactions", None) if event == "MESSAGE_CREATE" else None
            body["channel_type"] = channel.type
            if guild is not None:
                body["guild_id"] = guild.id
                for user in body["mentions"]:
                    if user["id"] in guild.members:
                        user["member"] = guild.members[user["id"]].payload(user=False)
            return body | ({"member": member.payload(user=False)} if member is not None else {})

        self.tell(event, channel, made)

    # What happens

    def post(self, message: Message) -> None:
        """Somebody or some bot said something: keep it and tell the apps that see it."""
        channel = message.channel
        if channel.is_thread:
            if channel.archived:
                channel.archived = False
                self.tell("THREAD_UPDATE", channel, channel.payload())
            self.follow(channel, message.author)
        channel.add(message)
        if message.ephemeral:
            self.changed()
        else:
            self._message("MESSAGE_CREATE", message)

    def change(self, message: Message, *, edited: bool = True) -> None:
        """A message was changed; ``edited``: its text, and people are shown so."""
        if edited:
            message.edited = self.now()
        if message.ephemeral:
            self.changed()
        else:
            self._message("MESSAGE_UPDATE", message)

    def remove(self, message: Message) -> None:
        """A message was deleted."""
        message.deleted = True
        if message.ephemeral:
            self.changed()
            return
        self.tell("MESSAGE_DELETE", message.channel, self._where(message, id=message.id))

    def react(self, message: Message, user: User, name: str) -> bool:
        """Put an emoji on a message; false if that person's is there already."""
        people = message.reactions.setdefault(name, [])
        if user.id in people:
            return False
        people.append(user.id)
        data = self._reaction(message, user, name)
        data["message_author_id"] = message.author.id
        guild = message.channel.guild
        if guild is not None and user.id in guild.members:
            data["member"] = guild.members[user.id].payload()
        self.tell("MESSAGE_REACTION_ADD", message.channel, data)
        return True

    def unreact(self, message: Message, user: User, name: str) -> bool:
        """Take an emoji away; false if that person's is not there."""
        people = message.reactions.get(name, [])
        if user.id not in people:
            return False
        people.remove(user.id)
        if not people:
            del message.reactions[name]
        self.tell("MESSAGE_REACTION_REMOVE", message.channel, self._reaction(message, user, name))
        return True

    def _reaction(self, message: Message, user: User, name: str) -> dict[str, Any]:
        # Discord's gateway leaves out "animated" where there is nothing to animate.
        emoji = {key: value for key, value in emoji_of(name).items() if key != "animated" or value}
        more = {"burst": False, "type": 0}
        return self._where(message, user_id=user.id, message_id=message.id, emoji=emoji, **more)

    def _where(self, message: Message, **more: Any) -> dict[str, Any]:
        guild = message.channel.guild
        return {**more, "channel_id": message.channel.id, **({} if guild is None else {"guild_id": guild.id})}

    def typing(self, channel: Channel, user: User) -> None:
        """Somebody begins to type."""
        data: dict[str, Any] = {"channel_id": channel.id, "user_id": user.id, "timestamp": int(self.now())}
        if channel.guild is not None:
            data["guild_id"] = channel.guild.id
            if user.id in channel.guild.members:
                data["member"] = channel.guild.members[user.id].payload()
        self.tell("TYPING_START", channel, data)

    def start_thread(
        self, channel: Channel, owner: User, name: str, type: int, source: Message | None = None
    ) -> Channel:
        """Somebody starts a thread, from a message (it then has its id) or in the channel.

        https://docs.discord.com/developers/topics/threads
        """
        guild = channel.guild
        if guild is None or channel.is_thread:
            raise ValueError(f"there are no threads in {channel!r}")
        if source is not None and source.thread is not None:
            raise ValueError("it has a thread already: `message.thread`")
        id = source.id if source is not None else self.clock.new_id()
        thread = Channel(self, id, name, type, guild=guild, parent=channel, owner=owner)  # type: ignore[arg-type]
        thread.members[owner.id] = owner
        guild.threads[id] = self.channels[id] = thread
        self.tell("THREAD_CREATE", thread, lambda session: {**thread.payload(session.app), "newly_created": True})
        if source is not None:
            source.thread, source.flags = thread, source.flags | HAS_THREAD
            self.change(source, edited=False)
            starter = Message(thread, self.clock.new_id(), owner, type=STARTER)
            starter.reference, starter.referenced = source.id, source
            self.post(starter)
        elif type != PRIVATE_THREAD:
            self.post(Message(channel, self.clock.new_id(), owner, name, THREAD_CREATED, reference=id))
        return thread

    def follow(self, thread: Channel, user: User) -> None:
        """Somebody begins to follow a thread, as who writes in it does."""
        if user.id in thread.members:
            return
        thread.members[user.id] = user
        guild = thread.guild
        assert guild is not None
        added = {"id": thread.id, "guild_id": guild.id, "member_count": len(thread.members)}
        member = thread.thread_member(user) | {"member": guild.members[user.id].payload(), "presence": None}

        def made(session: "Session") -> dict[str, Any] | None:
            # Others are told of only with the intent for members.
            tells = session.app.user is user or session.intents & (1 << 1)
            return {**added, "added_members": [member], "removed_member_ids": []} if tells else None

        self.tell("THREAD_MEMBERS_UPDATE", thread, made)

    def greet(self, user: User, channel: Channel) -> None:
        """Say in a channel that somebody came into the guild, as a system channel does."""
        self.post(Message(channel, self.clock.new_id(), user, "", JOIN))

    def use(
        self,
        user: User,
        channel: Channel,
        command: str,
        options: dict[str, Any],
        app: Application | None,
        typing: str = "",
    ) -> Interaction:
        """Somebody uses a slash command, or is typing an option. Raises ValueError: it cannot be used so."""
        apps = [app] if app is not None else [each for each in self.applications.values() if channel.sees(each.user)]
        interaction = begin(user, channel, command, options, apps, typing)
        self.interactions[interaction.id] = self.interactions[interaction.token] = interaction
        for session in interaction.app.sessions:
            if session.holds(None if channel.guild is None else channel.guild.id) and not session.over:
                interaction.told = interaction.told or session.socket is not None
                session.send("INTERACTION_CREATE", interaction.payload())
        self.changed()
        return interaction
