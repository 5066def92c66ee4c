"""Payloads of the shapes that Discord documents (https://docs.discord.com/developers/events/gateway-events)."""

from typing import Any

from dragoman_discord.identity import Identity
from dragoman_discord.places import Places

__all__ = [
    "APP",
    "BOT",
    "GENERAL",
    "GUILD",
    "IDENTITY",
    "THREAD",
    "dispatch",
    "guild",
    "interaction",
    "message",
    "places",
]

GUILD, GENERAL, FORUM, THREAD = "100", "200", "201", "300"
BOT, APP, ANN, BOB = "10", "11", "20", "21"
IDENTITY = Identity(user_id=BOT, application_id=APP, name="dragoman")

#: https://docs.discord.com/developers/reference#snowflakes: the example there, of 2016-04-30 11:18:25.796 UTC.
SNOWFLAKE = "175928847299117063"
AT = 1462015105.796


def dispatch(kind: str, data: dict[str, Any], sequence: int = 7) -> dict[str, Any]:
    return {"op": 0, "t": kind, "s": sequence, "d": data}


def user(id: str = ANN, name: str = "ann", **more: Any) -> dict[str, Any]:
    return {"id": id, "username": name, "discriminator": "0", "avatar": None, "global_name": name.title(), **more}


def member(**more: Any) -> dict[str, Any]:
    return {"nick": None, "roles": [], "joined_at": "2020-01-01T00:00:00+00:00", "deaf": False, "mute": False, **more}


def message(content: str = "hello", **more: Any) -> dict[str, Any]:
    """``d`` of ``MESSAGE_CREATE``, as Ann says it in #general."""
    return {
        "id": SNOWFLAKE,
        "type": 0,
        "channel_id": GENERAL,
        "guild_id": GUILD,
        "author": user(),
        "member": member(),
        "content": content,
        "timestamp": "2016-04-30T11:18:25.796000+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        **more,
    }


def direct(content: str = "hello", **more: Any) -> dict[str, Any]:
    found = message(content, channel_id="250", **more)
    del found["guild_id"], found["member"]
    return found


def interaction(name: str = "roll", options: list[dict[str, Any]] | None = None, **more: Any) -> dict[str, Any]:
    """``d`` of ``INTERACTION_CREATE``, as Ann uses a command in #general."""
    return {
        "id": SNOWFLAKE,
        "application_id": APP,
        "type": 2,
        "token": "a-token",
        "version": 1,
        "guild_id": GUILD,
        "channel_id": GENERAL,
        "channel": {"id": GENERAL, "type": 0, "name": "general"},
        "member": {**member(), "user": user(), "permissions": "0"},
        "locale": "de",
        "guild_locale": "en-US",
        "data": {"id": "900", "name": name, "type": 1, "options": options or []},
        **more,
    }


def guild() -> dict[str, Any]:
    """``d`` of ``GUILD_CREATE``."""
    return {
        "id": GUILD,
        "name": "Acme",
        "owner_id": BOB,
        "system_channel_id": GENERAL,
        "preferred_locale": "en-US",
        "roles": [
            {"id": GUILD, "name": "@everyone", "permissions": "0"},
            {"id": "401", "name": "Bosses", "permissions": str(1 << 3)},
            {"id": "402", "name": "Admin", "permissions": "0"},
            {"id": "403", "name": "dragoman", "permissions": "0", "tags": {"bot_id": BOT}},
            {"id": "404", "name": "Ops", "permissions": "0"},
        ],
        "emojis": [{"id": "500", "name": "party"}, {"id": "501", "name": "dance", "animated": True}],
        "channels": [
            {"id": GENERAL, "type": 0, "name": "general", "last_message_id": "1"},
            {"id": FORUM, "type": 15, "name": "help"},
        ],
        "threads": [{"id": THREAD, "type": 11, "name": "a thread", "parent_id": GENERAL, "guild_id": GUILD}],
        "members": [],
    }


def places() -> Places:
    found = Places()
    found.tell("GUILD_CREATE", guild())
    return found
