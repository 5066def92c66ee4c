"""A conversation: a public or private channel, a direct message or a group of people."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from .message import Message

if TYPE_CHECKING:
    from .people import User
    from .workspace import Workspace

__all__ = ["Channel", "Kind"]

#: As Slack names it in ``channel_type``: a private channel is a ``group``.
Kind = Literal["channel", "group", "im", "mpim"]


class Channel:
    """One conversation and everything that was said in it.

    Attributes:
        members: the ids of who is in it, in the order in which they came.
        open: whether everybody in the workspace is a member, also people who come later.
        archived: nothing can be posted there.
        status: what ``assistant.threads.setStatus`` set, by thread.
    """

    def __init__(self, workspace: "Workspace", id: str, name: str, kind: Kind, creator: str) -> None:
        self.workspace = workspace
        self.id = id
        self.name = name
        self.kind: Kind = kind
        self.creator = creator
        self.created = workspace.simulator.now()
        self.members: dict[str, None] = {}
        self.open = False
        self.archived = False
        self.topic = ""
        self.purpose = ""
        self.status: dict[str, str] = {}
        self._messages: dict[str, Message] = {}
        self._order: list[str] = []
        self._said: list[Message] = []

    def __repr__(self) -> str:
        return f"<Channel {self.name or self.kind} {self.id}>"

    @property
    def messages(self) -> list[Message]:
        """Everything said here that was not deleted, replies in threads too, oldest first."""
        return [message for message in self._messages.values() if not message.deleted]

    @property
    def said(self) -> list[Message]:
        """What bots said here, oldest first."""
        return [message for message in self._said if not message.deleted and message.bot_id is not None]

    @property
    def people(self) -> "list[User]":
        """The members that are not bots."""
        users = (self.workspace.users[id] for id in self.members)
        return [user for user in users if not user.is_bot]

    def add(self, message: Message) -> None:
        """Keep a new message; its ts must be later than every other one's."""
        self._messages[message.ts] = message
        self._order.append(message.ts)
        if message.bot_id is not None:
            self._said.append(message)
        if message.is_reply:
            parent = self._messages.get(message.thread_ts or "")
            if parent is not None:
                parent.thread_ts = parent.ts
                parent.replies.append(message)

    def remove(self, message: Message) -> bool:
        """Delete a message; says whether a tombstone stays, because there are replies to it."""
        if message.replies:
            message.subtype, message.text, message.user = (
                "tombstone",
                "This message was deleted.",
                "USLACKBOT",
            )
            message.blocks = message.files = message.attachments = message.metadata = message.bot_id = None
            message.app_id = message.client_msg_id = message.username = None
            message.reactions.clear()
            return True
        message.deleted = True
        if message.is_reply:
            parent = self._messages.get(message.thread_ts or "")
            if parent is not None:
                parent.replies.remove(message)
        return False

    def find(self, ts: str) -> Message | None:
        """The message with that ts, unless it was deleted."""
        message = self._messages.get(ts)
        return None if message is None or message.deleted else message

    def between(self, oldest: str, latest: str, inclusive: bool) -> Iterator[Message]:
        """Messages between two times, latest first."""
        order = self._order
        low = (bisect_left if inclusive else bisect_right)(order, oldest) if oldest else 0
        high = (bisect_right if inclusive else bisect_left)(order, latest) if latest else len(order)
        for at in range(high - 1, low - 1, -1):
            message = self._messages[order[at]]
            if not message.deleted:
                yield message

    def replies_to(self, message: Message) -> list[Message]:
        """What bots said after ``message``: in its thread, or beside it in the channel."""
        thread = message.thread_ts or message.ts
        start = bisect_right(self._said, message.ts, key=lambda said: said.ts)
        return [
            said
            for said in self._said[start:]
            if not said.deleted
            and (said.thread_ts == thread or (said.thread_ts in (None, said.ts) and not message.is_reply))
        ]

    async def reply_to(self, message: Message, timeout: float = 10.0) -> Message:
        """Wait for the first thing that a bot said after ``message``, in its thread or beside it.

        Raises:
            TimeoutError: the bot said nothing; the error tells what it did say here.
        """
        await self.workspace.simulator.until(
            lambda: self.replies_to(message), timeout, waiting_for=f"a reply to {message.text!r} in {self!r}"
        )
        return self.replies_to(message)[0]

    def payload(self, viewer: str) -> dict[str, Any]:
        """The conversation object, as the member with the id ``viewer`` sees it."""
        if self.kind == "im":
            other = next((member for member in self.members if member != viewer), viewer)
            return {
                "id": self.id,
                "created": self.created,
                "is_archived": False,
                "is_im": True,
                "is_org_shared": False,
                "user": other,
                "is_user_deleted": False,
                "priority": 0,
            }
        described = {"value": "", "creator": "", "last_set": 0}
        return {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "created": self.created,
            "creator": self.creator,
            "is_archived": self.archived,
            "is_channel": self.kind != "mpim",
            "is_group": False,
            "is_im": False,
            "is_mpim": self.kind == "mpim",
            "is_private": self.kind != "channel",
            "is_general": self.kind == "channel" and self.name == "general",
            "is_member": viewer in self.members,
            "is_shared": False,
            "is_org_shared": False,
            "is_ext_shared": False,
            "is_pending_ext_shared": False,
            "pending_shared": [],
            "shared_team_ids": [self.workspace.id],
            "parent_conversation": None,
            "unlinked": 0,
            "previous_names": [],
            "topic": {**described, "value": self.topic},
            "purpose": {**described, "value": self.purpose},
        }
