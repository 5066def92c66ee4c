"""A platform that exists only in a test: it performs actions on a list, and remembers what was said."""

from __future__ import annotations

import itertools
import mimetypes
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from ..action import Action, Delete, Edit, Fetch, LookUp, React, Send, Sent, Target, Typing
from ..adapter import Adapter
from ..address import Address
from ..content import FileRef
from ..errors import DeliveryError, PluginError
from ..handle import Handle
from ..plugins import load_adapters

__all__ = ["Platform", "Replies", "Reply"]


@dataclass(eq=False)
class Reply:
    """Something that the bot said.

    Attributes:
        text: what it says now, as CommonMark.
        address: where.
        id: of the message, on the platform.
        reactions: the emoji that the bot has put on it.
        deleted: whether the bot has taken it back.
        files: what is attached; `dragoman.testing.Bot.read` reads one.
        rendered: the calls of the platform's API that said it, where the platform was named (``on="slack"``).
    """

    text: str
    address: Address
    id: str
    handle: Handle
    reactions: list[str] = field(default_factory=list)
    deleted: bool = False
    files: tuple[FileRef, ...] = ()
    rendered: list[dict[str, Any]] = field(default_factory=list)

    def __contains__(self, text: str) -> bool:
        return text in self.text

    def __repr__(self) -> str:
        more = [f"in {self.address}"]
        if self.reactions:
            more.append("with " + " ".join(f":{emoji}:" for emoji in self.reactions))
        if self.deleted:
            more.append("deleted")
        return f"<Reply {self.text!r} {', '.join(more)}>"


class Replies(list[Reply]):
    """What the bot has said. One that is not there is an error that says what happened instead."""

    def __init__(self, replies: Iterable[Reply], explanation: str) -> None:
        super().__init__(replies)
        self._explanation = explanation

    @property
    def texts(self) -> list[str]:
        """Only what they say."""
        return [reply.text for reply in self]

    def __getitem__(self, place: Any) -> Any:
        try:
            return super().__getitem__(place)
        except IndexError:
            said = f"the bot has said {len(self)} things: {self.texts}" if self else "the bot has said nothing"
            raise IndexError(f"{said}; {self._explanation}") from None


class Platform:
    """Performs actions in the test's own memory.

    Args:
        sent: what the ledger knows of an action that was performed earlier.
    """

    def __init__(self, sent: Callable[[str], Sent | None]) -> None:
        self._sent = sent
        self._numbers = itertools.count(1)
        self._adapters: dict[str, Adapter | None] = {}
        self.replies: list[Reply] = []
        #: (message, emoji) of what the bot has put on messages of people.
        self.reactions: list[tuple[str, str]] = []
        self.statuses: list[str] = []
        self._attached: dict[str, bytes] = {}

    def file(self, name: str, data: bytes) -> FileRef:
        """A file for somebody to attach."""
        id = f"F{next(self._numbers)}"
        self._attached[id] = data
        kind = mimetypes.guess_type(name)[0] or ""
        return FileRef(id=id, name=name, media_type=kind, size=len(data), url=f"https://files.test/{id}")

    def download(self, file: FileRef) -> bytes:
        """What somebody attached.

        Raises:
            DeliveryError: there is no such file.
        """
        if file.id not in self._attached:
            raise DeliveryError(f"there is no file {file.id!r}", code="no_file")
        return self._attached[file.id]

    def message_id(self) -> str:
        """A new one."""
        return f"m{next(self._numbers)}"

    def resolved(self, action: Action) -> Action:
        """Its target by the platform's id, and the thread that it goes to.

        Raises:
            DeliveryError: nothing was sent with its key.
        """
        if isinstance(action, Edit | Delete | React):
            return action.model_copy(update={"target": Target(id=self._id(action.target))})
        if isinstance(action, Send) and action.below is not None:
            root = self.find(self._id(action.below))
            thread = root.address.thread if root is not None else None
            address = action.address.in_thread(thread or self._id(action.below))
            return action.model_copy(update={"address": address, "below": None})
        return action

    def perform(self, action: Action) -> Sent:
        """What an adapter does.

        Raises:
            DeliveryError: the message is not there.
        """
        match action:
            case Send():
                reply = Reply(
                    text=action.content.text,
                    address=action.address,
                    id=self.message_id(),
                    handle=Handle(action.address, action.key),
                    files=action.content.files,
                    rendered=self._rendered(action),
                )
                self.replies.append(reply)
                return Sent(ids=(reply.id,))
            case Edit():
                found = self._said(action.target)
                found.text = action.content.text
                found.rendered = self._rendered(action)
            case Delete():
                self._said(action.target).deleted = True
            case React():
                self._react(action)
            case Typing():
                self.statuses.append(action.status)
            case LookUp() | Fetch():
                pass
        return Sent()

    def find(self, message: str) -> Reply | None:
        """The bot's message of that id."""
        return next((reply for reply in self.replies if reply.id == message and not reply.deleted), None)

    def _react(self, action: React) -> None:
        message = self._id(action.target)
        reply = self.find(message)
        if reply is None:
            mark = (message, action.emoji)
            if action.remove and mark in self.reactions:
                self.reactions.remove(mark)
            elif not action.remove and mark not in self.reactions:
                self.reactions.append(mark)
        elif action.remove and action.emoji in reply.reactions:
            reply.reactions.remove(action.emoji)
        elif not action.remove and action.emoji not in reply.reactions:
            reply.reactions.append(action.emoji)
        self._rendered(action)

    def _said(self, target: Target) -> Reply:
        reply = self.find(self._id(target))
        if reply is None:
            raise DeliveryError(f"there is no message {target}", code="message_not_found")
        return reply

    def _id(self, target: Target) -> str:
        if target.id is not None:
            return target.id
        assert target.key is not None
        sent = self._sent(target.key)
        if sent is None or not sent.ids:
            raise DeliveryError(f"no message was sent with the key {target.key}", code="target_not_found")
        return sent.ids[0]

    def _rendered(self, action: Action) -> list[dict[str, Any]]:
        adapter = self._adapter(action.address.account)
        return adapter.render(action) if adapter is not None else []

    def _adapter(self, platform: str) -> Adapter | None:
        """The real adapter, for its rendering; it never connects, so it needs no token."""
        if platform not in self._adapters:
            try:
                kind = load_adapters([platform])[platform]
            except PluginError:
                self._adapters[platform] = None  # A platform that only this test knows.
            else:
                self._adapters[platform] = kind(platform, kind.Settings.model_construct(None, **_made_up(kind)))
        return self._adapters[platform]


def _made_up(kind: type[Adapter]) -> dict[str, Any]:
    """A value for each required setting."""
    return {
        name: SecretStr("") if setting.annotation is SecretStr else kind.platform
        for name, setting in kind.Settings.model_fields.items()
        if setting.is_required()
    }
