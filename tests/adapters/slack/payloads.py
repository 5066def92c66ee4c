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
