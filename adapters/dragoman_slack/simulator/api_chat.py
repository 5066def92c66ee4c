"""``chat.*`` and ``assistant.threads.*``: what the bot says."""

from typing import Any

from .blocks import check_attachments, check_blocks, check_metadata
from .call import Call, Method, Refused
from .channel import Channel
from .message import Message
from .text import posted, rich_text

__all__ = ["METHODS", "POST_LIMIT", "UPDATE_LIMIT"]

#: Characters in a posted text. https://docs.slack.dev/reference/methods/chat.postMessage#truncating
POST_LIMIT = 40_000
#: An edit may be less long than a post: https://github.com/seratch/ChatGPT-in-Slack/issues/102
UPDATE_LIMIT = 4_000
_MARKDOWN_LIMIT = 12_000


def _content(call: Call, limit: int, *, kept: bool = False) -> dict[str, Any]:
    """The attributes of a message that the arguments ask for. ``kept``: there is something already."""
    args = call.args
    text, markdown = args.get("text"), args.get("markdown_text")
    found: dict[str, Any] = {}
    if markdown:
        if text or args.get("blocks"):
            raise Refused("markdown_text_conflict")
        if len(markdown) > _MARKDOWN_LIMIT:
            raise Refused("msg_too_long")
        text = markdown
    if "blocks" in args:
        found["blocks"] = check_blocks(args["blocks"]) or None
    if "attachments" in args:
        found["attachments"] = check_attachments(args["attachments"]) or None
    if not text and not found.get("blocks") and not found.get("attachments") and not kept:
        raise Refused("no_text")
    if text is not None and len(text) > limit:
        raise Refused("msg_too_long")
    if text is not None or not kept:
        found["text"] = posted(text or "")
    if "metadata" in args:
        found["metadata"] = check_metadata(args["metadata"])
    return found


def _with_blocks(call: Call, found: dict[str, Any]) -> dict[str, Any]:
    """Give a text without blocks the one that Slack makes of it."""
    if found.get("blocks"):
        number = call.simulator.block_id
        found["blocks"] = [{"block_id": number(), **block} for block in found["blocks"]]
        found["own_blocks"] = True
    elif found.get("text"):
        found["blocks"] = rich_text(found["text"], call.simulator.block_id())
        found["own_blocks"] = False
    return found


def _target(call: Call) -> Channel:
    """Where to post: an id, a channel's name, or a person's id, which means their direct messages."""
    name = call.args["channel"]
    person = call.workspace.users.get(name)
    channel = call.workspace.dm(person, call.app) if person is not None else call.workspace.find_channel(name)
    if channel is None:
        raise Refused("channel_not_found")
    if call.app.user_id not in channel.members:
        if channel.kind != "channel":
            raise Refused("channel_not_found")
        if "chat:write.public" not in call.app.scopes:
            raise Refused("not_in_channel")
    if channel.archived:
        raise Refused("is_archived")
    return channel


def _thread(call: Call, channel: Channel) -> str | None:
    ts = call.args.get("thread_ts")
    if not ts:
        return None
    parent = channel.find(ts)
    if parent is None:
        raise Refused("thread_not_found")
    return parent.thread_ts or parent.ts


def _new(call: Call, channel: Channel) -> Message:
    if any(call.args.get(name) for name in ("username", "icon_emoji", "icon_url")):
        call.need("chat:write.customize")
    found = _with_blocks(call, _content(call, POST_LIMIT))
    app = call.app
    return Message(
        channel,
        call.simulator.new_ts(),
        app.user_id,
        thread_ts=_thread(call, channel),
        bot_id=app.bot_id,
        app_id=app.id,
        team=call.workspace.id,
        username=call.args.get("username"),
        **found,
    )


def _post(call: Call) -> dict[str, Any]:
    channel = _target(call)
    message = _new(call, channel)
    if message.is_reply:
        channel.status.pop(message.thread_ts or "", None)
        if call.args.get("reply_broadcast"):
            message.subtype, message.broadcast = "thread_broadcast", True
    call.workspace.post(message)
    return {"channel": channel.id, "ts": message.ts, "message": message.payload()}


def _post_ephemeral(call: Call) -> dict[str, Any]:
    channel = _target(call)
    if call.app.user_id not in channel.members:
        raise Refused("not_in_channel")
    if call.args["user"] not in channel.members:
        raise Refused("user_not_in_channel")
    message = _new(call, channel)
    call.simulator.ephemerals.append((call.args["user"], message))
    return {"message_ts": message.ts}


def _own(call: Call, error: str) -> Message:
    message = call.message(call.channel(), call.args.get("ts") or "")
    if message.bot_id != call.app.bot_id:
        raise Refused(error)
    return message


def _update(call: Call) -> dict[str, Any]:
    message = _own(call, "cant_update_message")
    if message.channel.archived:
        raise Refused("is_inactive")
    kept = bool(message.blocks or message.attachments)
    given = {"text", "blocks", "attachments", "markdown_text", "metadata"} & call.args.keys()
    if not given or (given == {"text"} and not call.args["text"]):
        raise Refused("no_text")
    changes = _content(call, UPDATE_LIMIT, kept=kept)
    if "blocks" in changes or not message.own_blocks:
        changes = _with_blocks(call, changes)
    call.workspace.change(message, call.app.user_id, changes)
    return {
        "channel": message.channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": message.payload(),
    }


def _delete(call: Call) -> dict[str, Any]:
    message = _own(call, "cant_delete_message")
    call.workspace.remove(message)
    return {"channel": message.channel.id, "ts": message.ts}


def _permalink(call: Call) -> dict[str, Any]:
    channel = call.channel()
    message = call.message(channel, call.args["message_ts"])
    link = f"{call.workspace.url}archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def _set_status(call: Call) -> dict[str, Any]:
    channel = call.channel("channel_id", member=True)
    ts, status = call.args["thread_ts"], call.args["status"]
    if channel.find(ts) is None:
        raise Refused("invalid_thread_ts")
    if status:
        channel.status[ts] = status
    else:
        channel.status.pop(ts, None)
    call.simulator.statuses.append((channel, ts, status))
    return {}


_SAYING = "text blocks:json attachments:json link_names:bool parse as_user:bool"
_LOOKS = "username icon_emoji icon_url"
_WRITE = ("chat:write",)

METHODS = (
    Method(
        "chat.postMessage",
        _post,
        f"channel! {_SAYING} {_LOOKS} markdown_text mrkdwn:bool thread_ts:ts reply_broadcast:bool "
        "unfurl_links:bool unfurl_media:bool metadata:json",
        _WRITE,
        json=True,
    ),
    Method(
        "chat.postEphemeral",
        _post_ephemeral,
        f"channel! user! {_SAYING} {_LOOKS} markdown_text thread_ts:ts",
        _WRITE,
        json=True,
    ),
    Method(
        "chat.update",
        _update,
        f"channel! ts:ts! {_SAYING} markdown_text metadata:json",
        _WRITE,
        json=True,
    ),
    Method("chat.delete", _delete, "channel! ts:ts! as_user:bool", _WRITE, json=True),
    Method("chat.getPermalink", _permalink, "channel! message_ts:ts!"),
    Method(
        "assistant.threads.setStatus",
        _set_status,
        f"channel_id! thread_ts:ts! status!? loading_messages:list {_LOOKS}",
        ("chat:write", "assistant:write"),
        json=True,
    ),
)
