"""What a message says, and who says it. Pure.

``message`` and ``app_mention`` events about one message make the same of it, so only what stands in both is
read: people's names do not, the directory knows them.
"""

from collections.abc import Mapping
from typing import Any, Final

from dragoman import Content, Conversation, FileRef, Person

from .identity import Identity
from .mrkdwn import mentions, plain, to_commonmark, without_mentions
from .payload import PayloadError, items, optional, required

__all__ = ["SLACKBOT", "other_team", "said", "speaker", "thread_of"]

SLACKBOT: Final = "USLACKBOT"


def thread_of(message: Mapping[str, Any], path: str) -> str | None:
    """The thread of a reply; the message that a thread hangs on is in the channel itself."""
    thread = optional(message, "thread_ts", path)
    return thread if thread and thread != message["ts"] else None


def speaker(message: Mapping[str, Any], path: str, tenant: str) -> Person:
    user = optional(message, "user", path)
    bot_id = optional(message, "bot_id", path)
    if not user and not bot_id:
        raise PayloadError(f"{path}.user", "is missing")
    name = ""
    if bot_id:
        profile = message.get("bot_profile")
        name = optional(message, "username", path) or (
            optional(profile, "name", f"{path}.bot_profile") if isinstance(profile, Mapping) else ""
        )
    team = (
        optional(message, "user_team", path)
        or optional(message, "source_team", path)
        or optional(message, "team", path)
    )
    return Person(
        id=user or bot_id,
        name=name,
        tenant=other_team(team, tenant),
        bot=bool(bot_id) or user == SLACKBOT,
    )


def other_team(team: str, tenant: str) -> str | None:
    return team if team and team != tenant else None


def said(message: Mapping[str, Any], path: str, kind: Conversation, identity: Identity) -> tuple[Content, str, bool]:
    """The content, the request (without our own mention), and whether it was said to us.

    It was in a direct message, or with a mention anywhere in it.
    """
    files = tuple(_file(file, f"{path}.files.{index}") for index, file in enumerate(items(message, "files", path)))
    # Other bots may have only blocks or attachments, people may send only a file.
    wordless = files or message.get("bot_id") or message.get("blocks") or message.get("attachments")
    text = optional(message, "text", path)
    if not text and "text" not in message and not wordless:
        raise PayloadError(f"{path}.text", "is missing")
    typed = plain(text)
    mentioned = mentions(text, identity.bot_user_id)
    request = plain(without_mentions(text, identity.bot_user_id)) if mentioned else typed.strip()
    return Content(text=to_commonmark(text), plain=typed, files=files), request, mentioned or kind == "direct"


def _file(file: Mapping[str, Any], path: str) -> FileRef:
    """Of a file from another workspace there may be only the id
    (https://docs.slack.dev/reference/objects/file-object)."""
    size = file.get("size")
    return FileRef(
        id=required(file, "id", path),
        name=optional(file, "name", path) or optional(file, "title", path),
        media_type=optional(file, "mimetype", path),
        size=size if isinstance(size, int) and not isinstance(size, bool) else None,
        url=optional(file, "url_private_download", path) or optional(file, "url_private", path),
    )
