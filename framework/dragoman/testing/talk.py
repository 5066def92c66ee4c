"""What people (and programs) do in a test: each makes an event, as an adapter would."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..address import NOWHERE, Address
from ..content import Content
from ..event import Deleted, Edited, EventBase, MemberJoined, Message, Person, Reaction, SlashCommand, Webhook
from ..people import User
from ..skill import Skill
from .platform import Platform, Replies, Reply

__all__ = ["TENANT", "Talk"]

#: The tenant of everything in a test.
TENANT: Final = "T1"


class Talk(ABC):
    """What can be done to a bot. `Bot` says what comes of it."""

    skills: Mapping[str, Skill]
    platform: Platform
    #: What happened last, and what came of it, in a sentence.
    story: str
    _now: float
    _numbers: Iterator[int]
    _people: dict[str, Person]

    @abstractmethod
    def deliver(self, event: EventBase) -> Replies:
        """Any event at all; what the bot says to it."""

    @property
    def now(self) -> datetime:
        """What time it is, in UTC."""
        return datetime.fromtimestamp(self._now, UTC)

    @property
    def replies(self) -> Replies:
        """All that the bot has said and not taken back, the oldest first."""
        return Replies([reply for reply in self.platform.replies if not reply.deleted], self.story)

    @property
    def reactions(self) -> list[str]:
        """The emoji that the bot has put on messages of people, the oldest first."""
        return [emoji for _, emoji in self.platform.reactions]

    def say(
        self,
        text: str,
        *,
        by: str | Person | User = "ann",
        on: str = "test",
        channel: str = "general",
        thread: str | None = None,
        direct: bool = False,
        to_bot: bool = True,
        files: Mapping[str, bytes] | None = None,
    ) -> Replies:
        """Somebody says something; what the bot says to it.

        Args:
            by: who; a name will do.
            on: the platform, such as ``slack``: replies are rendered for it.
            direct: in a direct conversation with the bot.
            to_bot: whether the bot was mentioned; without it only patterns and prefixes count.
            files: what is attached: bytes by name.
        """
        message = self.platform.message_id()
        return self.deliver(
            Message(
                **self._where(on, by, channel, thread, direct),
                key=f"{on}/message/{message}",
                id=message,
                addressed=to_bot or direct,
                content=Content(
                    text=text,
                    plain=text,
                    files=tuple(self.platform.file(name, data) for name, data in (files or {}).items()),
                ),
                request=text,
            )
        )

    def slash(
        self,
        name: str,
        text: str = "",
        *,
        options: Mapping[str, str] | None = None,
        by: str | Person | User = "ann",
        on: str = "test",
        channel: str = "general",
    ) -> Replies:
        """Somebody uses a slash command, typed (``text``) or with a form (``options``)."""
        number = next(self._numbers)
        return self.deliver(
            SlashCommand(
                **self._where(on, by, channel, None, False),
                key=f"{on}/slash/{number}",
                addressed=True,
                name=name,
                text=text,
                options=dict(options) if options is not None else None,
            )
        )

    def react(
        self,
        emoji: str,
        *,
        to: Reply | str | None = None,
        by: str | Person | User = "ann",
        remove: bool = False,
        on: str = "test",
        channel: str = "general",
        thread: str | None = None,
    ) -> Replies:
        """Somebody puts an emoji on a message: the bot's last one, if left out. The bot's own know where they are."""
        if to is None:
            if not self.replies:
                raise AssertionError("the bot has said nothing yet that somebody could react to")
            to = self.replies[-1]
        where = self._where(on, by, channel, thread, False)
        if isinstance(to, Reply):
            where["address"] = to.address.in_thread(None)
        return self.deliver(
            Reaction(
                **where,
                key=f"{on}/reaction/{next(self._numbers)}",
                id=to.id if isinstance(to, Reply) else to,
                emoji=emoji.strip(":"),
                added=not remove,
            )
        )

    def edit(
        self,
        message: str,
        text: str,
        *,
        by: str | Person | User = "ann",
        on: str = "test",
        channel: str = "general",
        thread: str | None = None,
    ) -> Replies:
        """Somebody changes what they have said; ``message`` is its id."""
        return self.deliver(
            Edited(
                **self._where(on, by, channel, thread, False),
                key=f"{on}/edited/{next(self._numbers)}",
                id=message,
                content=Content(text=text, plain=text),
                request=text,
            )
        )

    def delete(
        self,
        message: str,
        *,
        by: str | Person | User = "ann",
        on: str = "test",
        channel: str = "general",
        thread: str | None = None,
    ) -> Replies:
        """Somebody deletes what they have said."""
        where = self._where(on, by, channel, thread, False)
        return self.deliver(Deleted(**where, key=f"{on}/deleted/{next(self._numbers)}", id=message))

    def join(self, by: str | Person | User, *, on: str = "test", channel: str = "general") -> Replies:
        """Somebody joins a channel."""
        where = self._where(on, by, channel, None, False)
        return self.deliver(MemberJoined(**where, key=f"{on}/joined/{next(self._numbers)}"))

    def webhook(self, skill: Skill | str, path: str = "", *, body: str = "", data: Any = None) -> Replies:
        """Another program calls a skill's path; ``data`` is sent as JSON."""
        name = skill if isinstance(skill, str) else skill.name
        handler = next(
            (
                handler.name
                for handler in self.skills[name].handlers.values()
                if handler.trigger.kind == "webhook" and getattr(handler.trigger, "path", None) == path
            ),
            None,
        )
        if handler is None:
            raise AssertionError(f"the skill {name!r} has no webhook {path!r}")
        return self.deliver(
            Webhook(
                key=f"webhook/{next(self._numbers)}",
                address=NOWHERE,
                conversation="channel",
                occurred=self._now,
                skill=name,
                handler=handler,
                path=path,
                media_type="application/json" if data is not None else "text/plain",
                body=json.dumps(data) if data is not None else body,
            )
        )

    def _where(
        self, on: str, by: str | Person | User, channel: str, thread: str | None, direct: bool
    ) -> dict[str, Any]:
        if isinstance(by, str):
            person = self._people.get(by) or Person(id=by, name=by.capitalize())
        else:
            person = by if isinstance(by, Person) else Person(id=by.id, name=by.name)
        place = f"D-{person.id}" if direct else channel.removeprefix("#")
        return {
            "address": Address(account=on, tenant=TENANT, channel=place, thread=thread),
            "channel_name": "" if direct else place,
            "conversation": "direct" if direct else "channel",
            "person": person,
            "occurred": self._now,
        }
