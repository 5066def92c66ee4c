"""Payloads in the shapes of https://docs.slack.dev/reference/events, for the tests."""

from typing import Any

from dragoman_slack.identity import Identity

BOT = Identity(bot_user_id="UBOT", bot_id="BBOT", tenant="T1", app_id="A1", name="dragoman", team="Acme")
TS = "1355517523.000005"


def outer(event: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The event in its wrapper."""
    return {
        "token": "verification",
        "team_id": "T1",
        "api_app_id": "A1",
        "event": event,
        "type": "event_callback",
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": "T1",
                "user_id": "UBOT",
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "event_id": "Ev1",
        "event_time": 1355517523,
        **more,
    }


def message(text: str = "hello", **more: Any) -> dict[str, Any]:
    """A message event in a channel."""
    return {
        "type": "message",
        "channel": "C1",
        "user": "U1",
        "text": text,
        "ts": TS,
        "event_ts": TS,
        "channel_type": "channel",
        "team": "T1",
        **more,
    }


def mention(text: str = "<@UBOT> hello", **more: Any) -> dict[str, Any]:
    """The app_mention event about the same message: it does not say the channel's type."""
    event = {**message(text, **more), "type": "app_mention"}
    del event["channel_type"]
    return event


def changed(**more: Any) -> dict[str, Any]:
    """An edit."""
    return {
        "type": "message",
        "subtype": "message_changed",
        "hidden": True,
        "channel": "C1",
        "channel_type": "channel",
        "ts": "1358878755.000001",
        "event_ts": "1358878755.000001",
        "message": {
            "type": "message",
            "user": "U1",
            "text": "Hello, world!",
            "ts": TS,
            "edited": {"user": "U1", "ts": "1358878755.000000"},
            **more,
        },
        "previous_message": {"type": "message", "user": "U1", "text": "Hello", "ts": TS},
    }


def deleted(**more: Any) -> dict[str, Any]:
    """A deletion."""
    return {
        "type": "message",
        "subtype": "message_deleted",
        "hidden": True,
        "channel": "C1",
        "channel_type": "channel",
        "ts": "1358878755.000001",
        "event_ts": "1358878755.000001",
        "deleted_ts": TS,
        "previous_message": {"type": "message", "user": "U1", "text": "Hello", "ts": TS, **more},
    }


def reaction(kind: str = "reaction_added", **more: Any) -> dict[str, Any]:
    """A reaction to a message."""
    return {
        "type": kind,
        "user": "U1",
        "reaction": "thumbsup",
        "item_user": "U2",
        "item": {"type": "message", "channel": "C1", "ts": TS},
        "event_ts": "1360782804.083113",
        **more,
    }


def user(**more: Any) -> dict[str, Any]:
    """A user object (https://docs.slack.dev/reference/objects/user-object)."""
    return {
        "id": "U1",
        "team_id": "T1",
        "name": "sherlock",
        "deleted": False,
        "real_name": "Sherlock Holmes",
        "tz": "Europe/London",
        "tz_label": "Greenwich Mean Time",
        "tz_offset": 0,
        "profile": {"display_name": "Sherlock", "real_name": "Sherlock Holmes"},
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": False,
        "updated": 1648596421,
        "locale": "en-GB",
        **more,
    }


def user_change(**more: Any) -> dict[str, Any]:
    """Somebody's profile has changed (https://docs.slack.dev/reference/events/user_change)."""
    return {
        "type": "user_change",
        "user": user(**more),
        "cache_ts": 1648596421,
        "event_ts": "1648596712.000001",
    }


def slash(text: str = "2d20", **more: Any) -> dict[str, Any]:
    """A slash command (https://docs.slack.dev/interactivity/implementing-slash-commands/)."""
    return {
        "token": "verification",
        "team_id": "T1",
        "team_domain": "acme",
        "channel_id": "C1",
        "channel_name": "general",
        "user_id": "U1",
        "user_name": "sherlock",
        "command": "/roll",
        "text": text,
        "api_app_id": "A1",
        "is_enterprise_install": "false",
        "response_url": "https://hooks.slack.com/commands/1234/5678",
        "trigger_id": "13345224609.738474920.8088930838d88f008e0",
        **more,
    }


def joined(**more: Any) -> dict[str, Any]:
    """Somebody came into a channel."""
    return {
        "type": "member_joined_channel",
        "user": "U1",
        "channel": "C1",
        "channel_type": "C",
        "team": "T1",
        "inviter": "U9",
        "event_ts": "1360782804.083113",
        **more,
    }
