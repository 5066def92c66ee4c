"""What can happen on a platform, and the one event that every adapter makes of it.

The events are the same on all platforms but for what only a platform can know: `comparable` takes that away. That is
the address, ids and keys, the time, and what a person is called there (the directory completes it).
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from ...event import Deleted, Edited, EventBase, Message, Person, Reaction

__all__ = ["ABILITIES", "GARBAGE", "NOTHING", "SCENARIOS", "Scenario", "comparable"]

#: A link that mentions somebody; what it shows is for people.
MENTION: Final = re.compile(r"\[[^\]]*\]\(dragoman:(user|channel)/[^)]+\)")
ID: Final = re.compile(r"<([@#])[^>]+>")


@dataclass(frozen=True)
class Scenario:
    """Something that happens.

    Attributes:
        told: what happens, for who writes the payload.
        event: what every adapter makes of it, as `comparable` has it.
        thread: whether it is in a thread; ``None`` if platforms differ in that.
    """

    told: str
    event: dict[str, Any]
    thread: bool | None = False


ANN: Final = {"bot": False}


def _said(kind: str, text: str, plain: str | None = None, **more: Any) -> dict[str, Any]:
    typed = text if plain is None else plain
    return {
        "kind": kind,
        "conversation": "channel",
        "addressed": False,
        "person": ANN,
        "content": {"text": text, "plain": typed, "files": []},
        "request": typed,
        **more,
    }


SCENARIOS: Final[dict[str, Scenario]] = {
    "message": Scenario("Ann says in a channel: Hello, world!", _said("message", "Hello, world!")),
    "mention_in_a_thread": Scenario(
        "Ann says in a thread of a channel, with a mention of the bot in front: roll 2d6",
        _said("message", "[@](dragoman:user/) roll 2d6", "<@> roll 2d6", request="roll 2d6", addressed=True),
        thread=True,
    ),
    "reply_in_a_direct_message": Scenario(
        "Ann replies in her direct messages to something that the bot has said: yes, please",
        _said("message", "yes, please", conversation="direct", addressed=True),
        thread=None,
    ),
    "edit": Scenario(
        "Ann changes what she said in a channel to: On Tuesday, I mean", _said("edited", "On Tuesday, I mean")
    ),
    "delete": Scenario(
        "A message is deleted in a channel",
        {"kind": "deleted", "conversation": "channel", "addressed": False, "person": None},
    ),
    "reaction": Scenario(
        "Ann puts a waving hand on a message in a channel",
        {
            "kind": "reaction",
            "conversation": "channel",
            "addressed": False,
            "person": ANN,
            "emoji": "wave",
            "added": True,
        },
    ),
    "reaction_removed": Scenario(
        "Ann takes it away again",
        {
            "kind": "reaction",
            "conversation": "channel",
            "addressed": False,
            "person": ANN,
            "emoji": "wave",
            "added": False,
        },
    ),
    "attachment": Scenario(
        "Ann says in a channel: The report, and attaches report.pdf of 1,024 bytes, application/pdf",
        _said(
            "message",
            "The report",
            content={
                "text": "The report",
                "plain": "The report",
                "files": [{"name": "report.pdf", "media_type": "application/pdf", "size": 1024}],
            },
        ),
    ),
    "code_block": Scenario(
        "Ann says in a channel a code block of two lines: line one, line two",
        _said("message", "```\nline one\nline two\n```"),
    ),
    "bot_message": Scenario(
        "Another program says in a channel: The build is broken",
        _said("message", "The build is broken", person={"bot": True}),
    ),
}

#: The capability that each of them needs.
ABILITIES: Final[dict[str, str]] = {
    "message": "messages",
    "mention_in_a_thread": "threads",
    "reply_in_a_direct_message": "direct",
    "edit": "edits",
    "delete": "deletions",
    "reaction": "reactions",
    "reaction_removed": "reactions",
    "attachment": "attachments",
    "code_block": "messages",
    "bot_message": "bots",
}

#: What makes no event.
NOTHING: Final[dict[str, str]] = {
    "self_message": "The bot itself says something in a channel",
    "self_reaction": "The bot itself puts an emoji on a message",
    "unknown_event": "Something of a kind that the platform has added since",
}

#: What no platform sends. It may be blamed (a ValueError), and makes no event.
GARBAGE: Final[tuple[Any, ...]] = (
    {},
    {"type": None, "event": None, "t": None, "d": None},
    {"type": 5, "event": [], "t": 5, "d": []},
    {"type": "event_callback", "event": "text", "t": "MESSAGE_CREATE", "d": "text"},
    {"type": "event_callback", "event": {"type": "message"}, "t": "MESSAGE_CREATE", "d": {}},
)


def comparable(event: EventBase) -> dict[str, Any]:
    """An event without what only its platform can know."""
    found: dict[str, Any] = {
        "kind": event.kind,
        "conversation": event.conversation,
        "addressed": event.addressed,
        "person": _person(event.person),
    }
    match event:
        case Message() | Edited():
            found["content"] = {
                "text": MENTION.sub(r"[@](dragoman:\1/)", event.content.text),
                "plain": ID.sub(r"<\1>", event.content.plain),
                "files": [
                    {"name": file.name, "media_type": file.media_type, "size": file.size}
                    for file in event.content.files
                ],
            }
            found["request"] = ID.sub(r"<\1>", event.request)
        case Reaction():
            found |= {"emoji": event.emoji, "added": event.added}
        case Deleted():
            pass
    return found


def _person(person: Person | None) -> dict[str, Any] | None:
    return None if person is None else {"bot": person.bot}
