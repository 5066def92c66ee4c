"""Dragoman's actions, as calls of Slack's Web API. Pure.

========  ==========================================================================================
action    calls
========  ==========================================================================================
send      ``chat.postMessage`` for each part of the text; files: see below
edit      ``chat.update`` with the first part; what does not fit follows as new messages
delete    ``chat.delete``
react     ``reactions.add`` or ``reactions.remove``
typing    ``assistant.threads.setStatus``; nothing outside threads, where Slack has no such thing
========  ==========================================================================================

Every posted message carries the action's key as metadata, so that a gateway that must know whether it was
sent already finds it (https://docs.slack.dev/messaging/message-metadata): ``{"event_type": "dragoman_action",
"event_payload": {"key": KEY, "part": N, "parts": COUNT}}`` with N from 1. What each method needs: ``methods``.

Files that are in the bot's keeping follow the text, all of them in one message: ``files.getUploadURLExternal`` for
each, and ``files.completeUploadExternal``, which shares them (`dragoman_slack.uploads`). That message is a part too,
the last one. The text is not its comment, since such a message has no metadata and no ``ts`` at once: the text can be
found and edited all the same. Other files are links below the text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dragoman import ActionBase, Content, Delete, DeliveryError, Edit, FileRef, React, Send, Target, Typing

from .compose import compose
from .mrkdwn import literal

__all__ = ["METADATA", "SHARE", "TICKET", "Call", "calls", "file_name", "lookup", "told"]

METADATA: Final = "dragoman_action"
TICKET: Final = "files.getUploadURLExternal"
SHARE: Final = "files.completeUploadExternal"

#: The most messages that Slack gives in one page: 999, "no more than 200" recommended
#: (https://docs.slack.dev/reference/methods/conversations.history).
PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        arguments: without the token, and without what only the calls before tell: the ids and sizes of files.
        part: which part of what is said it posts, from 1; 0 if none.
        files: what it uploads, or shares.
    """

    method: str
    arguments: Mapping[str, Any]
    part: int = 0
    files: tuple[FileRef, ...] = ()


def calls(action: ActionBase, *, unfurl: bool = False) -> tuple[Call, ...]:
    """The calls that perform an action, in order; none if there is nothing to do (an empty text).

    Raises:
        DeliveryError: Slack has no such action, or its target is not resolved.
    """
    channel = action.address.channel
    match action:
        case Send():
            parts = compose(_text(action.content))
            posts = (_post(action, part, number, len(parts), unfurl) for number, part in enumerate(parts, start=1))
            return (*posts, *_shared(action, action.content, len(parts) + 1))
        case Edit():
            parts = compose(_text(action.content)) or ("",)
            # Unlike chat.postMessage, chat.update would guess at links and names by default:
            # https://docs.slack.dev/reference/methods/chat.update
            update = {"channel": channel, "ts": _id(action.target), "text": parts[0], "parse": "none"}
            rest = (_post(action, part, number, len(parts), unfurl) for number, part in enumerate(parts[1:], start=2))
            return (Call("chat.update", update), *rest, *_shared(action, action.content, len(parts) + 1))
        case Delete():
            return (Call("chat.delete", {"channel": channel, "ts": _id(action.target)}),)
        case React():
            where = {"channel": channel, "timestamp": _id(action.target), "name": action.emoji.strip(":")}
            return (Call("reactions.remove" if action.remove else "reactions.add", where),)
        case Typing():
            if action.address.thread is None:
                return ()
            # https://docs.slack.dev/reference/methods/assistant.threads.setStatus
            status = {"channel_id": channel, "thread_ts": action.address.thread, "status": action.status}
            return (Call("assistant.threads.setStatus", status),)
        case _:
            kind = getattr(action, "kind", type(action).__name__)
            raise DeliveryError(f"Slack cannot perform an action of kind {kind!r}", code="unknown_action")


def lookup(action: ActionBase, *, slack: float = 60.0) -> Call:
    """The call that finds what an action has already posted (its results are paged by ``cursor``).

    It looks back to the first hop of the action, less ``slack`` seconds for clocks that differ; without hops,
    at the latest page only (no ``oldest``).
    """
    address = action.address
    arguments: dict[str, Any] = {"channel": address.channel, "limit": PAGE, "include_all_metadata": True}
    if action.hops:
        arguments["oldest"] = f"{max(0.0, action.hops[0][1] - slack):.6f}"
    if address.thread is None:
        return Call("conversations.history", arguments)
    return Call("conversations.replies", {**arguments, "ts": address.thread})


def _post(action: ActionBase, text: str, part: int, parts: int, unfurl: bool) -> Call:
    arguments: dict[str, Any] = {
        "channel": action.address.channel,
        "text": text,
        "mrkdwn": True,
        "unfurl_links": unfurl,
        "unfurl_media": unfurl,
        "metadata": {
            "event_type": METADATA,
            "event_payload": {"key": action.key, "part": part, "parts": parts},
        },
    }
    if action.address.thread is not None:
        arguments["thread_ts"] = action.address.thread
    return Call("chat.postMessage", arguments, part)


def _shared(action: ActionBase, content: Content, part: int) -> tuple[Call, ...]:
    """https://docs.slack.dev/reference/methods/files.completeUploadExternal"""
    files = tuple(file for file in content.files if file.blob)
    if not files:
        return ()
    tickets = []
    for file in files:
        size = {} if file.size is None else {"length": file.size}
        tickets.append(Call(TICKET, {"filename": file_name(file), **size}, files=(file,)))
    arguments: dict[str, Any] = {
        "files": [{"title": file_name(file)} for file in files],
        "channel_id": action.address.channel,
    }
    if action.address.thread is not None:
        arguments["thread_ts"] = action.address.thread
    return (*tickets, Call(SHARE, arguments, part, files))


def file_name(file: FileRef) -> str:
    """The name without any folders, in one line."""
    name = file.name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "".join(char for char in name if char.isprintable()).strip() or file.id


def told(content: Content) -> str:
    """All of it as a text, for where no file can be sent: files are links, or only named."""
    return _text(content, uploaded=False)


def _text(content: Content, *, uploaded: bool = True) -> str:
    """The text; files that are not uploaded as links below it."""
    links = []
    for file in content.files:
        if file.blob and uploaded:
            continue
        name = literal(file.name or file.id)
        links.append(f"[{name}](<{file.url}>)" if file.url else name)
    return "\n\n".join(filter(None, (content.text, "\n".join(links))))


def _id(target: Target) -> str:
    if target.id is None:
        raise DeliveryError("the target message has no id: it was never sent", code="unresolved_target")
    return target.id
