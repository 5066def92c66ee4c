"""What an app says, from the body of a call: checked as Discord checks it, and put on a message.

https://docs.discord.com/developers/resources/message#create-message
"""

from collections.abc import Mapping
from typing import Any, Final

from .call import Call
from .channel import Channel
from .message import SUPPRESS_EMBEDS, Attachment, Message
from .permissions import bits
from .refused import Problems, Refused
from .text import Told, mentions

__all__ = ["LONGEST", "check", "put", "upload"]

#: Characters of a message, of all its embeds together, and how many there may be.
LONGEST: Final = 2_000
_EMBEDS, _EMBED_TEXT, _FILES, _NAMES = 10, 6_000, 10, 100
#: Flags that an app may set: https://docs.discord.com/developers/resources/message#message-object-message-flags
_FLAGS: Final = SUPPRESS_EMBEDS | 1 << 12 | 1 << 13 | 1 << 15
_EMBED: Final = {"title": 256, "description": 4096}


def check(call: Call, body: Mapping[str, Any], problems: Problems, dot: str = "") -> None:
    """Whether the fields of a message are as they should be; ``dot`` is the path before them."""
    content = body.get("content")
    if content is not None:
        problems.text(f"{dot}content", content, LONGEST)
    embeds = body.get("embeds")
    if embeds is not None and (not isinstance(embeds, list) or not all(isinstance(each, dict) for each in embeds)):
        problems.add(f"{dot}embeds", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    elif embeds:
        _check_embeds(embeds, problems, f"{dot}embeds")
    nonce = body.get("nonce")
    if nonce is not None and (isinstance(nonce, bool) or not isinstance(nonce, str | int)):
        problems.add(f"{dot}nonce", "NONCE_TYPE_INVALID", "Nonce must be an integer or a string.")
    elif isinstance(nonce, str):
        problems.length(f"{dot}nonce", nonce, 25)
    if body.get("allowed_mentions") is not None:
        _check_mentions(body["allowed_mentions"], problems, f"{dot}allowed_mentions")
    flags = body.get("flags")
    if flags is not None and (isinstance(flags, bool) or not isinstance(flags, int)):
        problems.add(f"{dot}flags", "NUMBER_TYPE_COERCE", f'Value "{flags}" is not int.')
    reference = body.get("message_reference")
    if reference is not None:
        if not isinstance(reference, dict):
            problems.add(f"{dot}message_reference", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        elif reference.get("message_id") is None:
            problems.required(f"{dot}message_reference.message_id")
        else:
            problems.snowflake(f"{dot}message_reference.message_id", reference["message_id"])
    if len(call.files) > _FILES:
        problems.add(f"{dot}attachments", "BASE_TYPE_BAD_LENGTH", f"Must be between 0 and {_FILES} in length.")


def _check_embeds(embeds: list[dict[str, Any]], problems: Problems, path: str) -> None:
    if len(embeds) > _EMBEDS:
        problems.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between 0 and {_EMBEDS} in length.")
    size = 0
    for number, embed in enumerate(embeds):
        for name, most in _EMBED.items():
            size += len(str(embed.get(name) or ""))
            problems.length(f"{path}.{number}.{name}", str(embed.get(name) or ""), most)
        for at, field in enumerate(embed.get("fields") or ()):
            for name, most in (("name", 256), ("value", 1024)):
                size += len(str(field.get(name) or ""))
                problems.text(f"{path}.{number}.fields.{at}.{name}", field.get(name), most, 1)
    if size > _EMBED_TEXT:
        problems.add(path, "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {_EMBED_TEXT}")


def _check_mentions(allowed: Any, problems: Problems, path: str) -> None:
    """https://docs.discord.com/developers/resources/message#allowed-mentions-object"""
    if not isinstance(allowed, dict):
        problems.add(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return
    parse = allowed.get("parse") or []
    for number, kind in enumerate(parse):
        problems.choice(f"{path}.parse.{number}", kind, ("users", "roles", "everyone"))
    for name in ("users", "roles"):
        ids = allowed.get(name) or []
        if len(ids) > _NAMES:
            problems.add(f"{path}.{name}", "BASE_TYPE_BAD_LENGTH", f"Must be between 0 and {_NAMES} in length.")
        for number, id in enumerate(ids):
            problems.snowflake(f"{path}.{name}.{number}", id)
        if ids and name in parse:
            problems.add(
                path,
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{name}"] and {name}: [ids...] are mutually exclusive.',
            )


def put(call: Call, message: Message, body: Mapping[str, Any]) -> None:
    """Put what the body says on a message; what it does not say stays.

    Raises:
        Refused: nothing would be left, or something is not permitted.
    """
    if "content" in body:
        message.content = str(body["content"] or "")
    if "embeds" in body:
        message.embeds = [{"type": "rich", **embed} for embed in body["embeds"] or ()]
    if "components" in body:
        message.components = list(body["components"] or ())
    if "flags" in body:
        message.flags = message.flags & ~_FLAGS | (body["flags"] or 0) & _FLAGS
    if "attachments" in body or call.files:
        message.attachments = _attachments(call, message, body)
    if not (message.content.strip() or message.embeds or message.attachments or message.components):
        raise Refused(50006)
    if {"content", "allowed_mentions"} & body.keys():
        _told(call, message, body.get("allowed_mentions")).put(message)


def _attachments(call: Call, message: Message, body: Mapping[str, Any]) -> list[Attachment]:
    """Files that were kept by their ids, and those that are uploaded now (``files[n]`` has the id n)."""
    given = body.get("attachments")
    said: dict[str, Any] = {}
    problems = Problems()
    for number, each in enumerate(given or ()):
        if not isinstance(each, dict) or each.get("id") is None:
            problems.required(f"attachments.{number}.id")
        else:
            said[problems.snowflake(f"attachments.{number}.id", each["id"])] = each
    problems.done()
    kept = [file for file in message.attachments if given is None or file.id in said]
    new = []
    for file in call.files:
        more = said.get(file.field.removeprefix("files[").removesuffix("]"), {})
        name, description = str(more.get("filename") or file.name), more.get("description")
        new.append(upload(call, message.channel, name, file.content, description))
    if len(kept) + len(new) > _FILES:
        problems.add("attachments", "BASE_TYPE_BAD_LENGTH", f"Must be between 0 and {_FILES} in length.")
    if unknown := said.keys() - {file.id for file in kept} - {file.field[6:-1] for file in call.files}:
        number = list(said).index(min(unknown))
        problems.add(
            f"attachments.{number}", "ATTACHMENT_NOT_FOUND", f"The attachment {min(unknown)} was not uploaded."
        )
    problems.done()
    return kept + new


def upload(call: Call, channel: Channel, name: str, content: bytes, description: str | None = None) -> Attachment:
    """Keep a file, if the bot may attach any there."""
    if not channel.may(call.app.user) & bits("ATTACH_FILES"):
        raise Refused(50013)
    return call.simulator.attach(channel, name, content, description)


def _told(call: Call, message: Message, allowed: Any) -> Told:
    """Whom the message tells: who is mentioned and, with ``allowed_mentions``, may be."""
    told = mentions(message.content, message.channel)
    replied = message.referenced.author if message.referenced is not None and message.type == 19 else None
    if allowed is not None:
        parse, users, roles = (allowed.get(name) or [] for name in ("parse", "users", "roles"))
        told.users = [id for id in told.users if "users" in parse or id in map(str, users)]
        told.roles = [id for id in told.roles if "roles" in parse or id in map(str, roles)]
        told.everyone = told.everyone and "everyone" in parse
    may = message.channel.may(call.app.user) & bits("MENTION_EVERYONE")
    told.everyone = bool(told.everyone and may)
    guild = message.channel.guild
    told.roles = [id for id in told.roles if may or (guild and guild.roles[id].mentionable)]
    if replied is not None and (allowed is None or allowed.get("replied_user")) and replied.id not in told.users:
        told.users.append(replied.id)
    return told
