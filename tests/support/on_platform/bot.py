"""`dragoman.testing.Bot`, whose people and whose answers go over a real platform.

The test keeps its own names: what happens gets the platform's ids on its way there, and the event that the adapter
has made of it gets the test's names back. What the bot does is done by the test's platform in memory and by the real
adapter, and must be seen there.
"""

import itertools
import re
from collections.abc import Callable
from typing import Any, Final

from dragoman import (
    Action,
    ActionBase,
    Delete,
    Deleted,
    Edit,
    Edited,
    EventBase,
    MemberJoined,
    Message,
    React,
    Reaction,
    Send,
    Sent,
    SlashCommand,
    Target,
    Typing,
)
from dragoman.testing import Bot
from dragoman.testing.platform import Platform, Replies

from .ground import Ground

__all__ = ["OnPlatform"]

#: Channels of different tests are different channels.
ROUNDS: Final = itertools.count(1)
LINK: Final = re.compile(r"\[[^\]]*\]\(dragoman:(user|channel)/([^)]+)\)")
#: What platforms write in different ways: emoji, and the digits of keycaps.
EMOJI: Final = re.compile(r":[a-z0-9_+-]+:|[0-9]\ufe0f?\u20e3|\U0001f51f")
MENTION: Final = re.compile(r"<@([^>]+)>")


class Names:
    """The test's names and the platform's ids."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._round = next(ROUNDS)
        self._ids: dict[tuple[str, str], str] = {}
        self._names: dict[str, str] = {}

    def id(self, kind: str, name: str, make: Callable[[], str]) -> str:
        if (kind, name) not in self._ids:
            self.put(kind, name, make())
        return self._ids[kind, name]

    def put(self, kind: str, name: str, id: str) -> None:
        self._ids[kind, name] = id
        self._names[id] = name

    def find(self, kind: str, name: str) -> str | None:
        return self._ids.get((kind, name))

    def person(self, name: str, *, program: bool = False) -> str:
        return self.id("person", name, lambda: (self.ground.program if program else self.ground.person)(name))

    def channel(self, name: str) -> str:
        if name.startswith("D-"):
            return self.id("channel", name, lambda: self.ground.direct(name.removeprefix("D-")))
        return self.id("channel", name, lambda: self.ground.channel(f"{name}-{self._round}"))

    def linked(self, kind: str, name: str) -> str:
        return self.person(name) if kind == "user" else self.channel(name)

    def thread(self, channel: str, name: str | None) -> str | None:
        if name is None or not self.ground.threads:
            return None
        return self.id("thread", name, lambda: self.ground.thread(self.channel(channel)))

    def back(self, text: str) -> str:
        """A text with the test's names for the platform's ids."""
        for id in sorted(self._names, key=len, reverse=True):
            if len(id) > 3:
                text = text.replace(id, self._names[id])
        return text


class Mirror(Platform):
    """The test's platform, with everything done on the real one as well."""

    def __init__(self, plain: Platform, names: Names) -> None:
        super().__init__(plain._sent)
        self._known = names

    def perform(self, action: Action) -> Sent:
        sent = super().perform(action)
        ground, names = self._known.ground, self._known
        here = action.address
        there = here.model_copy(
            update={
                "account": "here",
                "tenant": ground.tenant,
                "channel": names.channel(here.channel),
                "thread": names.thread(here.channel, here.thread),
            }
        )
        changes: dict[str, Any] = {"address": there}
        if isinstance(action, Edit | Delete | React):
            target = names.find("message", self._id(action.target))
            assert target is not None, f"nobody on {ground.name} has seen {action.target}"
            changes["target"] = Target(id=target)
        if isinstance(action, Send | Edit):
            text = LINK.sub(
                lambda found: f"[x](dragoman:{found[1]}/{names.linked(*found.groups())})", action.content.text
            )
            changes["content"] = action.content.model_copy(update={"text": text})
        done = ground.perform(action.model_copy(update=changes))
        if isinstance(action, Send):
            names.put("message", sent.ids[0], done.ids[0])
        self._verify(action, there.channel, sent)
        return sent

    def _verify(self, action: ActionBase, channel: str, sent: Sent) -> None:
        """What the test believes is what people see."""
        if isinstance(action, Typing):
            return
        ground, names = self._known.ground, self._known
        name = sent.ids[0] if isinstance(action, Send) else self._id(action.target)  # type: ignore[attr-defined]
        id = names.find("message", name)
        assert id is not None
        shown, reply = ground.shown(channel, id), self.find(name)
        if isinstance(action, Delete):
            assert shown is None, f"{ground.name} still shows {shown}"
            return
        assert shown is not None, f"{ground.name} does not show {reply or name}"
        marks = [emoji for message, emoji in self.reactions if message == name]
        if reply is not None:  # Otherwise somebody else has said it.
            marks = reply.reactions
            thread = names.thread(reply.address.channel, reply.address.thread)
            assert shown.thread == thread, f"{ground.name} shows {reply} in the thread {shown.thread}, not {thread}"
        if isinstance(action, Send | Edit):
            seen, meant = words(names.back(shown.text)), words(action.content.text)
            assert seen == meant, f"{ground.name} shows {seen}, and {meant} was said"
        meant = sorted(ground.emoji(emoji) for emoji in marks)
        assert sorted(shown.reactions) == meant, f"{ground.name} shows reactions {sorted(shown.reactions)}, not {meant}"


class OnPlatform(Bot):
    """A bot on a ground."""

    def __init__(self, ground: Ground, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._names = Names(ground)
        self._mirror = Mirror(self.platform, self._names)
        self.platform = self._mirror
        self._happens = False

    def say(self, *args: Any, **kwargs: Any) -> Replies:
        self._happens = True
        return super().say(*args, **kwargs)

    def react(self, *args: Any, **kwargs: Any) -> Replies:
        self._happens = True
        return super().react(*args, **kwargs)

    def deliver(self, event: EventBase) -> Replies:
        # What a test delivers itself (out of order, say) does not happen: it only comes.
        happens, self._happens = self._happens, False
        if isinstance(event, SlashCommand | Edited | Deleted | MemberJoined):
            raise NotImplementedError(f"nobody can make a {event.kind} happen on {self._names.ground.name} yet")
        return super().deliver(self._there_and_back(event) if happens else event)

    def _there_and_back(self, event: EventBase) -> EventBase:
        names, here, person = self._names, event.address, event.person
        ground = names.ground
        assert person is not None
        channel, thread = names.channel(here.channel), names.thread(here.channel, here.thread)
        names.person(person.id, program=person.bot)
        direct = event.conversation == "direct"
        match event:
            case Message():
                for mentioned in MENTION.findall(event.request):
                    names.person(mentioned)
                to_bot = event.addressed and not direct
                came = ground.say(person.id, channel, thread, event.request, to_bot=to_bot)
                assert isinstance(came, Message)
                names.put("message", event.id, came.id)
                content = came.content.model_copy(
                    update={"text": names.back(came.content.text), "plain": names.back(came.content.plain)}
                )
                changes: dict[str, Any] = {"content": content, "request": names.back(came.request)}
                if ground.threads:
                    # In a terminal everything is said to the bot, in private.
                    assert (came.addressed, came.conversation) == (event.addressed, event.conversation)
                if ground.programs:
                    assert came.person is not None
                    assert came.person.bot is person.bot
            case Reaction():
                target = names.find("message", event.id)
                if target is None:
                    return event  # There is no such message to put it on.
                came = ground.react(person.id, channel, target, event.emoji, added=event.added)
                assert isinstance(came, Reaction)
                changes = {"emoji": came.emoji, "added": came.added}
            case _:
                raise AssertionError(f"nobody says or reacts with a {event.kind}")
        assert came.person is not None
        assert names.back(came.person.id) == person.id
        assert came.address.channel == channel
        if isinstance(came, Message):
            assert came.address.thread == thread
        return event.model_copy(update={**changes, "key": came.key, "addressed": came.addressed})


def words(text: str) -> list[str]:
    """What is said, without what platforms mark up in different ways."""
    text = LINK.sub(r" <@\2> ", text)
    text = EMOJI.sub(" ", text)
    return re.findall(r"\w+", text.replace("_", " "))
