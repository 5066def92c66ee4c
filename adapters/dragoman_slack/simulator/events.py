"""The events that Slack sends about what happened, exactly as it words them.

Each builder returns the inner ``event`` object. https://docs.slack.dev/reference/events
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .channel import Channel
    from .message import Message
    from .people import User
    from .usergroup import UserGroup

__all__ = [
    "DEFAULT_EVENTS",
    "group_event",
    "group_members_event",
    "member_event",
    "mention_event",
    "message_changed",
    "message_deleted",
    "message_event",
    "reaction_event",
    "subscription",
    "user_event",
]

#: What an app is subscribed to, unless told otherwise: what a chat bot needs.
DEFAULT_EVENTS = frozenset(
    {
        "message.channels",
        "message.groups",
        "message.im",
        "message.mpim",
        "app_mention",
        "reaction_added",
        "reaction_removed",
        "member_joined_channel",
        "subteam_members_changed",
        "subteam_updated",
        "user_change",
    }
)

_SUBSCRIPTIONS = {
    "channel": "message.channels",
    "group": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}


def subscription(channel: "Channel") -> str:
    """The name of the subscription that messages in this conversation come by."""
    return _SUBSCRIPTIONS[channel.kind]


def message_event(message: "Message") -> dict[str, Any]:
    """``message``: something was said. https://docs.slack.dev/reference/events/message"""
    channel = message.channel
    event = message.payload()
    event |= {"channel": channel.id, "event_ts": message.ts, "channel_type": channel.kind}
    home = channel.workspace.id
    if message.team is not None and message.team != home:
        event |= {"user_team": message.team, "source_team": message.team}
    return event


def mention_event(message: "Message") -> dict[str, Any]:
    """``app_mention``. https://docs.slack.dev/reference/events/app_mention"""
    event = message_event(message)
    del event["channel_type"]
    event["type"] = "app_mention"
    return event


def message_changed(message: "Message", previous: dict[str, Any], ts: str) -> dict[str, Any]:
    """``message_changed``. https://docs.slack.dev/reference/events/message/message_changed"""
    return {
        "type": "message",
        "subtype": "message_changed",
        "message": message.payload(),
        "previous_message": previous,
        "channel": message.channel.id,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "channel_type": message.channel.kind,
    }


def message_deleted(message: "Message", previous: dict[str, Any], ts: str) -> dict[str, Any]:
    """``message_deleted``. https://docs.slack.dev/reference/events/message/message_deleted"""
    return {
        "type": "message",
        "subtype": "message_deleted",
        "previous_message": previous,
        "channel": message.channel.id,
        "hidden": True,
        "deleted_ts": message.ts,
        "ts": ts,
        "event_ts": ts,
        "channel_type": message.channel.kind,
    }


def reaction_event(message: "Message", user: str, name: str, ts: str, *, added: bool) -> dict[str, Any]:
    """``reaction_added`` or ``reaction_removed``. https://docs.slack.dev/reference/events/reaction_added"""
    return {
        "type": "reaction_added" if added else "reaction_removed",
        "user": user,
        "reaction": name,
        "item": {"type": "message", "channel": message.channel.id, "ts": message.ts},
        "item_user": message.user,
        "event_ts": ts,
    }


def user_event(user: "User", ts: str) -> dict[str, Any]:
    """``user_change``. https://docs.slack.dev/reference/events/user_change"""
    return {"type": "user_change", "user": user.payload(locale=True), "cache_ts": user.updated, "event_ts": ts}


def group_event(group: "UserGroup", ts: str) -> dict[str, Any]:
    """``subteam_updated``. https://docs.slack.dev/reference/events/subteam_updated"""
    return {"type": "subteam_updated", "subteam": group.payload(users=True, count=True), "event_ts": ts}


def group_members_event(group: "UserGroup", before: list[str], ts: str) -> dict[str, Any]:
    """``subteam_members_changed``. https://docs.slack.dev/reference/events/subteam_members_changed"""
    added = [user for user in group.users if user not in before]
    removed = [user for user in before if user not in group.users]
    return {
        "type": "subteam_members_changed",
        "subteam_id": group.id,
        "team_id": group.workspace.id,
        "date_previous_update": 1_700_000_000,
        "date_update": 1_700_000_001,
        "added_users": added,
        "added_users_count": str(len(added)),
        "removed_users": removed,
        "removed_users_count": str(len(removed)),
        "event_ts": ts,
    }


def member_event(channel: "Channel", user: str, inviter: str | None, ts: str, *, joined: bool) -> dict[str, Any]:
    """``member_joined_channel`` or ``member_left_channel``."""
    event = {
        "type": "member_joined_channel" if joined else "member_left_channel",
        "user": user,
        "channel": channel.id,
        "channel_type": "C" if channel.kind == "channel" else "G",
        "team": channel.workspace.id,
        "event_ts": ts,
    }
    if inviter is not None:
        event["inviter"] = inviter
    return event
