"""How Slack writes text: escaping, mentions, links and the rich text block that it makes of them.

https://docs.slack.dev/messaging/formatting-message-text
"""

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["escape", "escaped", "posted", "rich_text", "typed", "unescape"]

_TOKEN = re.compile(r"<(?:@[UW][A-Z0-9]+(?:\|[^<>]*)?|#C[A-Z0-9]+(?:\|[^<>]*)?|![a-z^]+(?:[|^][^<>]*)?)>")
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")
_SPECIAL = re.compile(r"[&<>@#]|://")
_NAMED = re.compile(r"(?<![\w@#/&])([@#])([\w][\w.\-]*)")
_LINK = re.compile(r"https?://[^\s<>|]+")
_PARTS = re.compile(r"<([^<>]+)>")
_CONTROL = re.compile(r"[&<>]")
_WRITTEN = re.compile(r"<(?:[@#!]|[A-Za-z][A-Za-z0-9+.\-]*:)[^<>]+>")
_AMPERSAND = re.compile(r"&(?!amp;|lt;|gt;)")
_BROADCASTS = frozenset({"here", "channel", "everyone"})


def escape(text: str) -> str:
    """Replace the three characters that Slack uses as control characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Undo `escape`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def posted(text: str) -> str:
    """What Slack makes of a text that an app posted: stray control characters are escaped, the rest stays."""
    if not _CONTROL.search(text):
        return text
    out: list[str] = []
    at = 0
    for token in _WRITTEN.finditer(text):
        out += (_stray(text[at : token.start()]), token.group())
        at = token.end()
    out.append(_stray(text[at:]))
    return "".join(out)


def _stray(text: str) -> str:
    return _AMPERSAND.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def typed(text: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """What Slack makes of a text that a person typed.

    ``people`` and ``channels`` map names to ids: a known ``@name`` or ``#name`` becomes a reference.
    References that are there already stay; everything else is escaped, and addresses become links.
    """
    if not _SPECIAL.search(text):
        return text
    out: list[str] = []
    at = 0
    for token in _TOKEN.finditer(text):
        out += (_plain(text[at : token.start()], people, channels), token.group())
        at = token.end()
    out.append(_plain(text[at:], people, channels))
    return "".join(out)


def escaped(text: str, names: Mapping[str, str]) -> str:
    """A typed text as a slash command has it: mentions with names, ``<@U1|ann>``.

    https://docs.slack.dev/interactivity/implementing-slash-commands/#creating_commands
    """
    return _MENTION.sub(lambda found: f"<@{found[1]}|{names[found[1]]}>" if found[1] in names else found[0], text)


def _plain(text: str, people: Mapping[str, str], channels: Mapping[str, str]) -> str:
    def reference(found: re.Match[str]) -> str:
        sign, name = found.groups()
        trimmed = name.rstrip(".-")
        for candidate in (name, trimmed):
            rest = name[len(candidate) :]
            if sign == "@" and candidate in people:
                return f"<@{people[candidate]}>{rest}"
            if sign == "@" and candidate in _BROADCASTS:
                return f"<!{candidate}>{rest}"
            if sign == "#" and candidate in channels:
                return f"<#{channels[candidate]}|{candidate}>{rest}"
        return found.group()

    out: list[str] = []
    at = 0
    for link in _LINK.finditer(text):
        out += (_NAMED.sub(reference, escape(text[at : link.start()])), f"<{escape(link.group())}>")
        at = link.end()
    out.append(_NAMED.sub(reference, escape(text[at:])))
    return "".join(out)


def rich_text(text: str, block_id: str) -> list[dict[str, Any]]:
    """The block that Slack shows a plain text as. Marks such as ``*bold*`` are left in the text."""
    elements: list[dict[str, Any]] = []
    if "<" not in text:
        elements.append({"type": "text", "text": unescape(text) if "&" in text else text})
    else:
        at = 0
        for part in _PARTS.finditer(text):
            if part.start() > at:
                elements.append({"type": "text", "text": unescape(text[at : part.start()])})
            elements.append(_element(part.group(1)))
            at = part.end()
        if at < len(text):
            elements.append({"type": "text", "text": unescape(text[at:])})
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": block_id, "elements": [section]}]


def _element(inside: str) -> dict[str, Any]:
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        return {"type": "user", "user_id": target[1:]}
    if target.startswith("#"):
        return {"type": "channel", "channel_id": target[1:]}
    if target.startswith("!") and target[1:] in _BROADCASTS:
        return {"type": "broadcast", "range": target[1:]}
    if target.startswith("!"):
        return {"type": "text", "text": unescape(label)}
    link: dict[str, Any] = {"type": "link", "url": unescape(target)}
    return {**link, "text": unescape(label)} if label else link
