"""Dragoman's actions, as calls of Slack's Web API. Pure.

========  ==========================================================================================
action    calls
========  ==========================================================================================
send      ``chat.postMessage`` for each part of the text
edit      ``chat.update`` with the first part; what does not fit follows as new messages
delete    ``chat.delete``
react     ``reactions.add`` or ``reactions.remove``
typing    ``assistant.threads.setStatus``; nothing outside threads, where Slack has no such thing
========  ==========================================================================================

Every posted message carries the action's key as metadata, so that a gateway that must know whether it was
sent already finds it (https://docs.slack.dev/messaging/message-metadata): ``{"event_type": "dragoman_action",
"event_payload": {"key": KEY, "part": N, "parts": COUNT}}`` with N from 1. What each method needs: ``methods``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dragoman import ActionBase, Content, Delete, DeliveryError, Edit, React, Send, Target, Typing

from .compose import compose
from .mrkdwn import literal

__all__ = ["METADATA", "Call", "calls", "lookup"]

METADATA: Final = "dragoman_action"

#: The most messages that Slack gives in one page: 999, "no more than 200" recommended
#: (https://docs.slack.dev/reference/methods/conversations.history).
PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the method, its arguments without the token, and which part of a text it posts (0: none)."""

    method: str
    arguments: Mapping[str, Any]
    part: int = 0


def calls(action: ActionBase, *, unfurl: bool = False) -> tuple[Call, ...]:
    """The calls that perform an action, in order; none if there is nothing to do (an empty text).

    Raises:
        DeliveryError: Slack has no such action, or its target is not resolved.
    """
    channel = action.address.channel
    match action:
        case Send():
            parts = compose(_text(action.content))
            return tuple(_post(action, part, number, len(parts), unfurl) for number, part in enumerate(parts, start=1))
        case Edit():
            parts = compose(_text(action.content)) or ("",)
            # Unlike chat.postMessage, chat.update would guess at links and names by default:
            # https://docs.slack.dev/reference/methods/chat.update
            update = {"channel": channel, "ts": _id(action.target), "text": parts[0], "parse": "none"}
            rest = (_post(action, part, number, len(parts), unfurl) for number, part in enumerate(parts[1:], start=2))
            return (Call("chat.update", update), *rest)
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


def _text(content: Content) -> str:
    """The text; files (which are not uploaded here) as links below it."""
    if not content.files:
        return content.text
    links = []
    for file in content.files:
        name = literal(file.name or file.id)
        links.append(f"[{name}](<{file.url}>)" if file.url else name)
    return "\n\n".join(filter(None, (content.text, "\n".join(links))))


def _id(target: Target) -> str:
    if target.id is None:
        raise DeliveryError("the target message has no id: it was never sent", code="unresolved_target")
    return target.id
