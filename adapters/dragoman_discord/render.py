"""Dragoman's actions, as calls of Discord's REST API. Pure.

========  ==============================================================================================
action    calls
========  ==============================================================================================
send      ``POST /channels/ID/messages`` for each part of the text; files go with the last one
edit      ``PATCH /channels/ID/messages/ID`` with the first part; what does not fit follows as new messages
delete    ``DELETE /channels/ID/messages/ID``
react     ``PUT`` or ``DELETE /channels/ID/messages/ID/reactions/EMOJI/@me``
typing    ``POST /channels/ID/typing``; it ends by itself, so an empty status does nothing
========  ==============================================================================================

A thread is a channel with an id of its own (https://docs.discord.com/developers/topics/threads). One that was
started from a message has that message's id: so an address whose thread is a message that has none yet can be
answered, after `start_thread`.

A file that has a ``blob`` is uploaded (`dragoman_discord.uploads`), the others are links below the text. More files
than one message takes make further messages. An edit keeps the files that are there, and adds those that it has.

Every message is posted with a nonce made from the action's key, which Discord enforces: the same one again within
a few minutes makes no second message (https://docs.discord.com/developers/resources/message#create-message).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import quote, unquote

from dragoman import ActionBase, Content, Delete, DeliveryError, Edit, FileRef, React, Send, Target, Typing, literal

from .attachments import batches, described, shown_name
from .compose import compose
from .emoji import reaction
from .normalise import DIRECT
from .spelling import allowed_mentions

__all__ = ["PAGE", "Call", "calls", "event_of", "lookup", "nonce", "place_of", "response", "start_thread"]

#: https://docs.discord.com/developers/resources/message#message-object-message-flags
SUPPRESS_EMBEDS: Final = 1 << 2
#: The most messages in a page: https://docs.discord.com/developers/resources/message#get-channel-messages
PAGE: Final = 100
#: https://docs.discord.com/developers/resources/message#create-message: a nonce's most characters.
LONGEST_NONCE: Final = 25
LONGEST_NAME: Final = 100
#: Discord's epoch in milliseconds: https://docs.discord.com/developers/reference#snowflakes
EPOCH: Final = 1_420_070_400_000
#: A message cannot be empty; this one looks so.
NOTHING: Final = "\u200b"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the REST API.

    Attributes:
        path: with the names of ``ids`` in braces.
        body: the JSON, or ``None``.
        part: which part of a text it posts (0: none).
        files: whose bytes go with it, as ``files[0]`` and so on.
    """

    method: str
    path: str
    ids: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | Sequence[Any] | None = None
    part: int = 0
    query: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[FileRef, ...] = ()

    def __repr__(self) -> str:
        # The ids of some have a token among them.
        return f"<Call {self.method} {self.path}>"

    def shown(self) -> dict[str, Any]:
        """As data for people to read: ``{"method", "path", "query", "json", "files"}``; files by their names."""
        ids = {name: quote(id, safe="@") for name, id in self.ids.items()}
        found: dict[str, Any] = {"method": self.method, "path": self.path.format_map(ids)}
        if self.query:
            found["query"] = dict(self.query)
        if self.body is not None:
            found["json"] = self.body
        if self.files:
            found["files"] = [shown_name(file) for file in self.files]
        return found


def calls(
    action: ActionBase, *, unfurl: bool = False, replies: bool = True, emoji: Mapping[str, str] | None = None
) -> tuple[Call, ...]:
    """The calls that perform an action, in order; none if there is nothing to do (an empty text).

    Args:
        replies: the first thing that is said to a message in a guild is shown as a reply to it.
        emoji: the guild's own, ``name:id`` by name.

    Raises:
        DeliveryError: Discord has no such action, or its target is not resolved.
    """
    place = place_of(action)
    match action:
        case Send():
            messages = _messages(action.content, unfurl, emoji or {})
            posts = [_post(action, body, files, part) for part, (body, files) in enumerate(messages, start=1)]
            return _as_reply(action, posts) if replies else tuple(posts)
        case Edit():
            first, *rest = _messages(action.content, unfurl, emoji or {}) or [({}, ())]
            body = {"content": NOTHING, **first[0]} if not first[1] else {"content": "", **first[0]}
            ids = {"channel_id": place, "message_id": _id(action.target)}
            edit = Call("PATCH", "/channels/{channel_id}/messages/{message_id}", ids, body, files=first[1])
            return (edit, *(_post(action, body, files, part) for part, (body, files) in enumerate(rest, start=2)))
        case Delete():
            ids = {"channel_id": place, "message_id": _id(action.target)}
            return (Call("DELETE", "/channels/{channel_id}/messages/{message_id}", ids),)
        case React():
            name = reaction(action.emoji, emoji or {})
            ids = {"channel_id": place, "message_id": _id(action.target), "emoji": name}
            path = "/channels/{channel_id}/messages/{message_id}/reactions/{emoji}/@me"
            return (Call("DELETE" if action.remove else "PUT", path, ids),)
        case Typing():
            return (Call("POST", "/channels/{channel_id}/typing", {"channel_id": place}),) if action.status else ()
        case _:
            kind = getattr(action, "kind", type(action).__name__)
            raise DeliveryError(f"Discord cannot perform an action of kind {kind!r}", code="unknown_action")


def place_of(action: ActionBase) -> str:
    """The id of the channel or thread that it goes to."""
    return action.address.thread or action.address.channel


def nonce(key: str, part: int) -> str:
    """What marks one part of what an action says."""
    return hashlib.sha256(f"{part}|{key}".encode()).hexdigest()[:LONGEST_NONCE]


def event_of(action: ActionBase) -> tuple[str, tuple[str, ...]]:
    """The key of the event that an action answers, and that key's parts; nothing if it answers none of Discord's."""
    key, bar, _ = action.key.partition("|")
    parts = tuple(map(unquote, key.split("/")))
    return (key, parts) if bar and parts[0] == "discord" else ("", ())


def start_thread(action: ActionBase) -> Call:
    """The call that starts the thread of the message whose id the address has as its thread.

    https://docs.discord.com/developers/resources/channel#start-thread-from-message
    """
    text = action.content.text if isinstance(action, Send) else ""
    words = " ".join("".join(char if char.isalnum() else " " for char in text).split())
    ids = {"channel_id": action.address.channel, "message_id": action.address.thread or ""}
    name = words[:LONGEST_NAME].strip() or "Thread"
    return Call("POST", "/channels/{channel_id}/messages/{message_id}/threads", ids, {"name": name})


def response(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a message, as an interaction's response or follow-up, which has no nonce and is no reply
    (https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-response-object)."""
    return {name: body[name] for name in ("content", "allowed_mentions", "flags", "attachments") if name in body}


def lookup(action: ActionBase, after: str = "", *, slack: float = 60.0) -> Call:
    """The call that finds what an action has already posted: a page of messages, the oldest ``after`` an id.

    Without an id it looks back to the first hop of the action, less ``slack`` seconds for clocks that differ;
    without hops, at the latest page only.
    """
    if not after and action.hops:
        after = str(max(0, int((action.hops[0][1] - slack) * 1000) - EPOCH) << 22)
    query: dict[str, Any] = {"limit": PAGE}
    if after:
        query["after"] = after
    return Call("GET", "/channels/{channel_id}/messages", {"channel_id": place_of(action)}, query=query)


def _messages(
    content: Content, unfurl: bool, emoji: Mapping[str, str]
) -> list[tuple[dict[str, Any], tuple[FileRef, ...]]]:
    """What each message says, and the files that go with it."""
    composed = compose(_text(content), emoji=emoji)
    flags = {} if unfurl else {"flags": SUPPRESS_EMBEDS}
    said: list[tuple[dict[str, Any], tuple[FileRef, ...]]] = [
        ({"content": part, "allowed_mentions": allowed_mentions(part, composed.named), **flags}, ())
        for part in composed.parts
    ]
    for number, files in enumerate(batches(content.files)):
        body = said.pop()[0] if said and number == 0 else {}
        said.append(({**body, "attachments": described(files)}, files))
    return said


def _post(action: ActionBase, body: Mapping[str, Any], files: tuple[FileRef, ...], part: int) -> Call:
    full = {**body, "nonce": nonce(action.key, part), "enforce_nonce": True}
    return Call("POST", "/channels/{channel_id}/messages", {"channel_id": place_of(action)}, full, part, files=files)


def _as_reply(action: ActionBase, posts: list[Call]) -> tuple[Call, ...]:
    _, parts = event_of(action)
    if (
        posts
        and action.ordinal == 0
        and len(parts) >= 6
        and parts[1] in ("message", "edited")
        and parts[4] == place_of(action)
        and action.address.tenant != DIRECT
    ):
        # Should it be gone by now, this is a message like any other.
        reference = {"message_id": parts[5], "fail_if_not_exists": False}
        body = posts[0].body if isinstance(posts[0].body, Mapping) else {}
        posts[0] = replace(posts[0], body={**body, "message_reference": reference})
    return tuple(posts)


def _text(content: Content) -> str:
    """The text; files that have no bytes here as links below it."""
    links = []
    for file in content.files:
        if file.blob:
            continue
        name = literal(file.name or file.id)
        links.append(f"[{name}](<{file.url}>)" if file.url else name)
    return "\n\n".join(filter(None, (content.text, "\n".join(links))))


def _id(target: Target) -> str:
    if target.id is None:
        raise DeliveryError("the target message has no id: it was never sent", code="unresolved_target")
    return target.id
