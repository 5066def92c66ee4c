"""What a message says, who says it, and whether it is said to the bot. Pure."""

from collections.abc import Mapping
from typing import Any

from dragoman import Content, Conversation, FileRef, Person

from .attachments import given_name
from .identity import Identity
from .markdown import Names, mentions, plain, to_commonmark, without_mentions
from .payload import flag, items, mapping, optional, snowflake
from .people import called, read_user
from .places import Places

__all__ = ["names_in", "said", "speaker"]


def speaker(message: Mapping[str, Any], path: str) -> Person:
    """Who wrote it. What a webhook posts, a program wrote
    (https://docs.discord.com/developers/resources/message#message-object)."""
    member = message.get("member")
    return read_user(
        mapping(message, "author", path),
        f"{path}.author",
        member if isinstance(member, Mapping) else None,
        webhook=bool(message.get("webhook_id")),
    )


def said(
    message: Mapping[str, Any], path: str, kind: Conversation, identity: Identity, guild: str, places: Places
) -> tuple[Content, str, bool]:
    """The content, the request (without our own mention), and whether it was said to us.

    It was in a direct message, with a mention of the bot (or of the role that Discord made for it) anywhere in it,
    or as a reply to something that the bot had said. Without the privileged intent Discord leaves the text out of
    everything else (https://docs.discord.com/developers/events/gateway#message-content-intent).
    """
    files = tuple(_file(file, f"{path}.attachments") for file in items(message, "attachments", path))
    text = optional(message, "content", path)
    role = next((role.id for role in places.guild(guild).roles.values() if role.bot == identity.user_id), "")
    mentioned = mentions(text, identity.user_id, role)
    typed = plain(text)
    request = plain(without_mentions(text, identity.user_id, role)) if mentioned else typed.strip()
    content = Content(text=to_commonmark(text, names_in(message, path, guild, places)), plain=typed, files=files)
    return content, request, mentioned or kind == "direct" or _replies(message, identity)


def names_in(message: Mapping[str, Any], path: str, guild: str, places: Places) -> Names:
    """What a message's mentions are called."""
    users = {
        snowflake(user, "id", f"{path}.mentions"): called(user, f"{path}.mentions", _part(user, "member"))
        for user in items(message, "mentions", path)
    }

    def channel(id: str) -> str:
        place = places.get(id)
        return place.name if place else ""

    def role(id: str) -> str:
        found = places.role(guild, id)
        return found.name if found else ""

    return Names(users, channel, role, everyone=flag(message, "mention_everyone"))


def _replies(message: Mapping[str, Any], identity: Identity) -> bool:
    """Whether it is a reply to something of ours: Discord sends that along, unless it could not find it."""
    author = _part(_part(message, "referenced_message") or {}, "author")
    # A forwarded message is referenced, too: https://docs.discord.com/developers/resources/message#message-reference-types
    forwarded = (_part(message, "message_reference") or {}).get("type") == 1
    return author is not None and author.get("id") == identity.user_id and not forwarded


def _part(parent: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    value = parent.get(name)
    return value if isinstance(value, Mapping) else None


def _file(file: Mapping[str, Any], path: str) -> FileRef:
    """https://docs.discord.com/developers/resources/message#attachment-object"""
    size = file.get("size")
    names = {name: optional(file, name, path) for name in ("filename", "title")}
    return FileRef(
        id=snowflake(file, "id", path),
        name=given_name(names),
        media_type=optional(file, "content_type", path),
        size=size if isinstance(size, int) and not isinstance(size, bool) else None,
        url=optional(file, "url", path),
    )
