"""``conversations.*`` and ``users.conversations``: where people talk, and what was said there."""

import base64
import binascii
from typing import Any

from .call import Call, Method, Refused
from .channel import Channel
from .message import Message

__all__ = ["METHODS"]

_TYPES = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
_SCOPE_OF_TYPE = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}
_MOST_PEOPLE = 8


def _info(call: Call) -> dict[str, Any]:
    channel = call.channel()
    call.need_for(channel, "read")
    described = channel.payload(call.app.user_id)
    if call.args.get("include_num_members") and channel.kind != "im":
        described["num_members"] = len(channel.members)
    if call.args.get("include_locale"):
        described["locale"] = "en-US"
    return {"channel": described}


def _wanted(call: Call) -> set[str]:
    wanted = call.args.get("types") or ["public_channel"]
    for name in wanted:
        if name not in _TYPES:
            raise Refused("invalid_types")
        call.need(f"{_SCOPE_OF_TYPE[name]}:read")
    return {_TYPES[name] for name in wanted}


def _listed(call: Call, found: list[Channel]) -> dict[str, Any]:
    page, cursor = call.page(found)
    described = [channel.payload(call.app.user_id) for channel in page]
    return {"channels": described, "response_metadata": {"next_cursor": cursor}}


def _list(call: Call) -> dict[str, Any]:
    wanted, me = _wanted(call), call.app.user_id
    hidden = bool(call.args.get("exclude_archived"))
    found = [
        channel
        for channel in call.workspace_asked().channels.values()
        if channel.kind in wanted
        and (channel.kind == "channel" or me in channel.members)
        and not (hidden and channel.archived)
    ]
    return _listed(call, found)


def _users_conversations(call: Call) -> dict[str, Any]:
    wanted, me = _wanted(call), call.app.user_id
    user = call.user().id if call.args.get("user") else me
    hidden = bool(call.args.get("exclude_archived"))
    found = [
        channel
        for channel in call.workspace.channels.values()
        if channel.kind in wanted
        and user in channel.members
        and (channel.kind == "channel" or me in channel.members)
        and not (hidden and channel.archived)
    ]
    return _listed(call, found)


def _cursor(call: Call) -> str:
    """The ts at which the page begins, or empty for the first page."""
    given = call.args.get("cursor")
    if not given:
        return ""
    try:
        digits = base64.b64decode(given, validate=True).removeprefix(b"next_ts:").decode()
    except (ValueError, binascii.Error):
        raise Refused("invalid_cursor") from None
    if not digits.isdigit() or len(digits) < 7:
        raise Refused("invalid_cursor")
    return f"{digits[:-6]}.{digits[-6:]}"


def _limit(call: Call) -> int:
    limit = call.args.get("limit") or 100
    if not 1 <= limit <= 999:
        raise Refused("invalid_limit")
    return int(limit)


def _paged(found: list[Message], limit: int) -> tuple[list[Message], dict[str, Any]]:
    more = len(found) > limit
    around: dict[str, Any] = {"has_more": more}
    if more:
        cursor = base64.b64encode(f"next_ts:{found[limit].ts.replace('.', '')}".encode()).decode()
        around["response_metadata"] = {"next_cursor": cursor}
    return found[:limit], around


def _described(call: Call, messages: list[Message]) -> list[dict[str, Any]]:
    metadata = call.args.get("include_all_metadata")
    found = []
    for message in messages:
        body = message.payload()
        if metadata and message.metadata is not None:
            body["metadata"] = message.metadata
        found.append(body)
    return found


def _readable(call: Call) -> Channel:
    channel = call.channel(member=True)
    call.need_for(channel, "history")
    return channel


def _history(call: Call) -> dict[str, Any]:
    channel, limit = _readable(call), _limit(call)
    args = call.args
    latest, inclusive = args.get("latest") or "", bool(args.get("inclusive"))
    begin = _cursor(call)
    found: list[Message] = []
    for message in channel.between(args.get("oldest") or "", begin or latest, inclusive or bool(begin)):
        if not message.is_reply or message.broadcast:
            found.append(message)
            if len(found) > limit:
                break
    if begin and not inclusive and (oldest := args.get("oldest")):
        found = [message for message in found if message.ts > oldest]
    page, around = _paged(found, limit)
    return {
        "messages": _described(call, page),
        "pin_count": 0,
        "channel_actions_ts": None,
        "channel_actions_count": 0,
        **around,
    }


def _replies(call: Call) -> dict[str, Any]:
    channel, limit = _readable(call), _limit(call)
    args = call.args
    asked = channel.find(args["ts"])
    parent = channel.find(asked.thread_ts) if asked is not None and asked.thread_ts else asked
    if parent is None:
        raise Refused("thread_not_found")
    begin = _cursor(call)
    oldest, latest, inclusive = args.get("oldest") or "", args.get("latest") or "", args.get("inclusive")

    def within(ts: str) -> bool:
        if inclusive:
            return (not oldest or ts >= oldest) and (not latest or ts <= latest)
        return (not oldest or ts > oldest) and (not latest or ts < latest)

    thread = [parent, *(reply for reply in parent.replies if within(reply.ts))]
    page, around = _paged([message for message in thread if message.ts >= begin], limit)
    return {"messages": _described(call, page), **around}


def _open(call: Call) -> dict[str, Any]:
    users = call.args.get("users") or []
    if call.args.get("channel"):
        channel = call.channel()
        if channel.kind not in ("im", "mpim"):
            raise Refused("method_not_supported_for_channel_type")
    elif not users:
        raise Refused("users_list_not_supplied")
    else:
        channel = _opened(call, users)
    described = channel.payload(call.app.user_id) if call.args.get("return_im") else {"id": channel.id}
    return {"channel": described}


def _opened(call: Call, users: list[str]) -> Channel:
    call.need("im:write" if len(users) == 1 else "mpim:write")
    if len(users) > _MOST_PEOPLE:
        raise Refused("too_many_users")
    people = [call.workspace.users.get(id) for id in users]
    found = [person for person in people if person is not None]
    if len(found) < len(people):
        raise Refused("user_not_found")
    if any(person.deleted for person in found):
        raise Refused("user_disabled")
    if len(found) == 1:
        return call.workspace.dm(found[0], call.app)
    return call.workspace.group(*found, app=call.app)


def _members(call: Call) -> dict[str, Any]:
    channel = call.channel()
    call.need_for(channel, "read")
    page, cursor = call.page(list(channel.members))
    return {"members": list(page), "response_metadata": {"next_cursor": cursor}}


def _join(call: Call) -> dict[str, Any]:
    channel = call.channel()
    if channel.kind != "channel":
        raise Refused("method_not_supported_for_channel_type")
    if channel.archived:
        raise Refused("is_archived")
    me = call.app.user_id
    if me in channel.members:
        warned = "already_in_channel"
        return {
            "channel": channel.payload(me),
            "warning": warned,
            "response_metadata": {"warnings": [warned]},
        }
    call.workspace.join(channel, me)
    return {"channel": channel.payload(me)}


def _leave(call: Call) -> dict[str, Any]:
    channel = call.channel()
    if channel.kind in ("im", "mpim"):
        raise Refused("method_not_supported_for_channel_type")
    if call.app.user_id not in channel.members:
        return {"not_in_channel": True}
    call.workspace.leave(channel, call.app.user_id)
    return {}


_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
_PAGES = "cursor limit:int"
_SPAN = f"latest:ts oldest:ts inclusive:bool include_all_metadata:bool {_PAGES}"

METHODS = (
    Method("conversations.info", _info, "channel! include_locale:bool include_num_members:bool", _READ),
    Method("conversations.list", _list, f"types:list exclude_archived:bool team_id {_PAGES}", _READ),
    Method("conversations.history", _history, f"channel! {_SPAN}", _HISTORY),
    Method("conversations.replies", _replies, f"channel! ts:ts! {_SPAN}", _HISTORY),
    Method(
        "conversations.open",
        _open,
        "channel users:list return_im:bool",
        ("im:write", "mpim:write"),
        json=True,
    ),
    Method("conversations.members", _members, f"channel! {_PAGES}", _READ),
    Method("conversations.join", _join, "channel!", ("channels:join",), json=True),
    Method("conversations.leave", _leave, "channel!", ("channels:manage", "channels:join"), json=True),
    Method(
        "users.conversations",
        _users_conversations,
        f"user types:list exclude_archived:bool team_id {_PAGES}",
        _READ,
    ),
)
