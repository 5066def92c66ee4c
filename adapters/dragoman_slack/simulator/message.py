"""A message in a conversation, and a file that was shared in one."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .channel import Channel
    from .sockets import Delivery

__all__ = ["File", "Message"]


@dataclass(slots=True, eq=False)
class File:
    """A file: what Slack says of it, and its bytes if the test gave any."""

    id: str
    name: str
    size: int
    mimetype: str
    user: str
    created: int
    url: str
    content: bytes | None = None
    channels: list[str] = field(default_factory=list)
    title: str = ""
    deleted: bool = False
    messages: "list[Message]" = field(default_factory=list)

    def stub(self) -> dict[str, Any]:
        """All that events say of a file from another workspace: https://docs.slack.dev/reference/objects/file-object"""
        return {
            "id": self.id,
            "mode": "file_access",
            "file_access": "check_file_info",
            "created": 0,
            "timestamp": 0,
            "user": "",
        }

    def payload(self, *, shares: bool = False) -> dict[str, Any]:
        """The file object in messages and answers; with ``shares``, the messages that it is in."""
        found = {"shares": self._shares()} if shares else {}
        return {**self._described(), **found}

    def _shares(self) -> dict[str, Any]:
        shares: dict[str, Any] = {}
        for message in self.messages:
            channel = message.channel
            share: dict[str, Any] = {
                "ts": message.ts,
                "channel_name": channel.name,
                "team_id": channel.workspace.id,
                "reply_users": [],
                "reply_users_count": 0,
                "reply_count": 0,
            }
            if message.thread_ts is not None:
                share["thread_ts"] = message.thread_ts
            kind = "public" if channel.kind == "channel" else "private"
            shares.setdefault(kind, {}).setdefault(channel.id, []).append(share)
        return shares

    def _described(self) -> dict[str, Any]:
        kind = self.name.rpartition(".")[2].lower() if "." in self.name else "text"
        return {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": self.mimetype,
            "filetype": kind,
            "pretty_type": kind.upper(),
            "user": self.user,
            "editable": False,
            "size": self.size,
            "mode": "hosted",
            "is_external": False,
            "external_type": "",
            "is_public": True,
            "public_url_shared": False,
            "display_as_bot": False,
            "username": "",
            "url_private": self.url,
            "url_private_download": self.url,
            "permalink": self.url,
            "permalink_public": self.url,
        }


@dataclass(slots=True, eq=False)
class Message:
    """Something that was said.

    Attributes:
        ts: Slack's id of it within its channel.
        text: in Slack's own markup (escaped, mentions as references).
        thread_ts: the ts of the message that the thread hangs on; the same as ``ts`` for that message itself.
        own_blocks: whether an app gave the blocks; otherwise Slack made them of the text.
        reactions: emoji name to the ids of who reacted, in order.
        deliveries: the events about its posting, one for each app and event type.
    """

    channel: "Channel"
    ts: str
    user: str
    text: str
    thread_ts: str | None = None
    subtype: str | None = None
    client_msg_id: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    username: str | None = None
    team: str | None = None
    blocks: list[dict[str, Any]] | None = None
    own_blocks: bool = False
    attachments: list[dict[str, Any]] | None = None
    files: list[File] | None = None
    metadata: dict[str, Any] | None = None
    edited: dict[str, str] | None = None
    inviter: str | None = None
    deleted: bool = False
    broadcast: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)
    replies: "list[Message]" = field(default_factory=list)
    deliveries: "list[Delivery]" = field(default_factory=list)

    @property
    def accepted(self) -> float | None:
        """When the bot had acknowledged every event about the posting of this message; `None` before that."""
        times = [delivery.accepted for delivery in self.deliveries]
        if not times or None in times:
            return None
        return max(time for time in times if time is not None)

    @property
    def is_reply(self) -> bool:
        """Whether it stands in a thread (and is not what the thread hangs on)."""
        return self.thread_ts is not None and self.thread_ts != self.ts

    def payload(self) -> dict[str, Any]:
        """The message object of events and of ``conversations.history`` (without its metadata)."""
        body: dict[str, Any] = {"type": "message"}
        if self.subtype is not None:
            body["subtype"] = self.subtype
        body |= {"user": self.user, "text": self.text, "ts": self.ts}
        for name in (
            "client_msg_id",
            "team",
            "bot_id",
            "app_id",
            "username",
            "blocks",
            "attachments",
            "inviter",
        ):
            value = getattr(self, name)
            if value is not None:
                body[name] = value
        if self.bot_id is not None:
            app = self.channel.workspace.app_of_bot(self.bot_id)
            if app is not None:
                body["bot_profile"] = app.bot_profile
        if self.files is not None:
            elsewhere = self.team is not None and self.team != self.channel.workspace.id
            described = [file.stub() if elsewhere else file.payload() for file in self.files]
            body |= {"files": described, "upload": False}
        if self.edited is not None:
            body["edited"] = self.edited
        if self.thread_ts is not None:
            self._thread(body)
        if self.reactions:
            body["reactions"] = self.reaction_list()
        return body

    def reaction_list(self) -> list[dict[str, Any]]:
        """The reactions as Slack lists them."""
        return [{"name": name, "users": list(users), "count": len(users)} for name, users in self.reactions.items()]

    def _thread(self, body: dict[str, Any]) -> None:
        body["thread_ts"] = self.thread_ts
        if self.is_reply:
            parent = self.channel.find(self.thread_ts or "")
            if parent is not None:
                body["parent_user_id"] = parent.user
        elif self.replies:
            people = list(dict.fromkeys(reply.user for reply in self.replies))
            body |= {
                "reply_count": len(self.replies),
                "reply_users_count": len(people),
                "latest_reply": self.replies[-1].ts,
                "reply_users": people,
                "subscribed": False,
            }
