"""Channels, direct messages, threads, typing. https://docs.discord.com/developers/resources/channel"""

from .call import Answer, Call, Method
from .channel import ANNOUNCEMENT, ANNOUNCEMENT_THREAD, PRIVATE_THREAD, PUBLIC_THREAD, THREADS
from .permissions import bits
from .refused import Problems, Refused

__all__ = ["METHODS"]

_CHANNEL = "/channels/{channel_id}"
#: Minutes: https://docs.discord.com/developers/resources/channel#channel-object-channel-structure
_ARCHIVE = (60, 1440, 4320, 10080)


def _get(call: Call) -> Answer:
    return Answer(call.channel().payload(call.app))


def _change(call: Call) -> Answer:
    """Name, topic; a thread's archiving. https://docs.discord.com/developers/resources/channel#modify-channel"""
    channel, body, problems = call.channel(), call.form, Problems()
    if channel.is_direct:
        raise Refused(50003)
    own = channel.owner is call.app.user
    if not own and not channel.may(call.app.user) & bits("MANAGE_THREADS" if channel.is_thread else "MANAGE_CHANNELS"):
        raise Refused(50013)
    if body.get("name") is not None:
        channel.name = problems.text("name", body["name"], 100, 1)
    if "auto_archive_duration" in body:
        problems.choice("auto_archive_duration", body["auto_archive_duration"], _ARCHIVE)
    problems.done()
    channel.archive_after = body.get("auto_archive_duration", channel.archive_after)
    channel.topic = body.get("topic", channel.topic)
    channel.archived = bool(body.get("archived", channel.archived))
    channel.locked = bool(body.get("locked", channel.locked))
    event = "THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE"
    call.simulator.tell(event, channel, channel.payload())
    return Answer(channel.payload(call.app))


def _typing(call: Call) -> Answer:
    channel = call.channel()
    if not channel.may(call.app.user) & bits("SEND_MESSAGES"):
        raise Refused(50013)
    call.simulator.typings.append((channel, call.app.user))
    call.simulator.typing(channel, call.app.user)
    return Answer()


def _direct(call: Call) -> Answer:
    """https://docs.discord.com/developers/resources/user#create-dm"""
    problems = Problems()
    id = call.form.get("recipient_id")
    if id is None:
        problems.required("recipient_id")
    else:
        problems.snowflake("recipient_id", id)
    problems.done()
    user = call.simulator.users.get(str(id))
    if user is None or user.is_bot:
        raise Refused(50033 if user is None else 50007)
    return Answer(call.simulator.direct(user, call.app.user).payload(call.app))


def _start(call: Call) -> Answer:
    """A thread from a message, or without one; the path says which."""
    channel, body, problems = call.channel(), call.form, Problems()
    name = problems.text("name", body.get("name"), 100, 1)
    minutes = body.get("auto_archive_duration")
    if minutes is not None:
        problems.choice("auto_archive_duration", minutes, _ARCHIVE)
    source = call.message(channel) if "message_id" in call.ids else None
    kind = ANNOUNCEMENT_THREAD if channel.type == ANNOUNCEMENT else PUBLIC_THREAD
    if source is None:
        # "defaults to PRIVATE_THREAD ... in order to match the behavior when thread documentation was first published":
        # https://docs.discord.com/developers/resources/channel#start-thread-without-message
        kind = PRIVATE_THREAD if body.get("type") is None else body["type"]
        problems.choice("type", kind, THREADS)
    problems.done()
    if channel.is_direct or channel.is_thread or channel.type not in (0, ANNOUNCEMENT):
        raise Refused(50024)
    if source is not None and source.thread is not None:
        raise Refused(160004)
    if not channel.may(call.app.user) & bits(
        "CREATE_PRIVATE_THREADS" if kind == PRIVATE_THREAD else "CREATE_PUBLIC_THREADS"
    ):
        raise Refused(50013)
    thread = call.simulator.start_thread(channel, call.app.user, name, kind, source)
    thread.archive_after = minutes or thread.archive_after
    return Answer(thread.payload(call.app), 201)


def _follow(call: Call) -> Answer:
    channel = call.channel()
    if not channel.is_thread:
        raise Refused(50024)
    if channel.archived:
        raise Refused(50083)
    call.simulator.follow(channel, call.app.user)
    return Answer()


METHODS = (
    Method("GET", _CHANNEL, _get),
    Method("PATCH", _CHANNEL, _change),
    Method("POST", f"{_CHANNEL}/typing", _typing),
    Method("POST", f"{_CHANNEL}/messages/{{message_id}}/threads", _start),
    Method("POST", f"{_CHANNEL}/threads", _start),
    Method("PUT", f"{_CHANNEL}/thread-members/@me", _follow),
    Method("POST", "/users/@me/channels", _direct),
)
