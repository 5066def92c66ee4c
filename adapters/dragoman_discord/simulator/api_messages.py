"""Messages and reactions. https://docs.discord.com/developers/resources/message"""

from typing import Any

from .call import Answer, Call, Method
from .channel import Channel
from .message import REPLY, Message
from .permissions import bits
from .posting import check, put
from .refused import Problems, Refused

__all__ = ["METHODS"]

_CHANNEL = "/channels/{channel_id}"
_MESSAGE = "/channels/{channel_id}/messages/{message_id}"
_REACTION = f"{_MESSAGE}/reactions/{{emoji_name}}"
#: The most different emoji on a message.
_MOST_REACTIONS = 20


def shown(call: Call, message: Message) -> dict[str, Any]:
    """A message as this app sees it. Its nonce is not kept: https://github.com/Rapptz/discord.py/issues/2451"""
    body = message.payload(call.app, content=call.app.reads)
    body.pop("nonce", None)
    return body


def _postable(call: Call) -> Channel:
    channel = call.channel()
    may = channel.may(call.app.user)
    if channel.type in (4, 15):
        raise Refused(50024)
    needs = "SEND_MESSAGES_IN_THREADS" if channel.is_thread else "SEND_MESSAGES"
    if not may & bits(needs):
        raise Refused(50013)
    if channel.is_thread and channel.archived and channel.locked and not may & bits("MANAGE_THREADS"):
        raise Refused(50083)
    if any(user.refuses_dms for user in channel.members.values()) and channel.is_direct:
        raise Refused(50007)
    return channel


def _create(call: Call) -> Answer:
    channel, body, problems = _postable(call), call.form, Problems()
    check(call, body, problems)
    problems.done()
    message = Message(channel, call.simulator.clock.new_id(), call.app.user, tts=bool(body.get("tts")))
    message.nonce = body.get("nonce")
    if body.get("enforce_nonce") and message.nonce is not None:
        same = _same(call, channel, message.nonce)
        if same is not None:
            return Answer(same.payload(call.app))
    reference = body.get("message_reference")
    if reference is not None:
        _refer(message, reference, problems)
    put(call, message, body)
    if message.nonce is not None:
        call.simulator.nonces[(channel.id, call.app.id, str(message.nonce))] = (message, call.simulator.now())
    call.simulator.post(message)
    return Answer(message.payload(call.app))


def _same(call: Call, channel: Channel, nonce: str | int) -> Message | None:
    """The message that the same bot has posted lately with that nonce."""
    since = call.simulator.now() - call.simulator.nonce_window
    known = call.simulator.nonces.get((channel.id, call.app.id, str(nonce)))
    if known is not None and known[1] >= since:
        return known[0]
    return None


def _refer(message: Message, reference: dict[str, Any], problems: Problems) -> None:
    found = message.channel.find(str(reference["message_id"]))
    if found is not None:
        message.type, message.reference, message.referenced = REPLY, found.id, found
    elif reference.get("fail_if_not_exists", True):
        problems.add("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
        problems.done()


def _get(call: Call) -> Answer:
    return Answer(shown(call, call.message(call.channel("READ_MESSAGE_HISTORY"))))


def _list(call: Call) -> Answer:
    channel = call.channel()
    limit = call.number("limit", 50, 1, 100)
    where = {name: call.id(name) for name in ("around", "before", "after")}
    if sum(map(bool, where.values())) > 1:
        raise Refused(
            50035,
            errors={
                "_errors": [
                    {"code": "MUTUALLY_EXCLUSIVE", "message": "around, before, and after are mutually exclusive"}
                ]
            },
        )
    if not (channel.is_direct or channel.may(call.app.user) & bits("READ_MESSAGE_HISTORY")):
        return Answer([])
    return Answer([shown(call, message) for message in channel.page(**where, limit=limit)])


def _edit(call: Call) -> Answer:
    channel, body, problems = call.channel(), call.form, Problems()
    message = call.message(channel)
    if message.author is not call.app.user:
        raise Refused(50005)
    if channel.archived:
        raise Refused(50083)
    check(call, body, problems)
    problems.done()
    put(call, message, body)
    call.simulator.change(message)
    return Answer(shown(call, message))


def _delete(call: Call) -> Answer:
    channel = call.channel()
    message = call.message(channel)
    if message.author is not call.app.user:
        if channel.is_direct:
            raise Refused(50003)
        if not channel.may(call.app.user) & bits("MANAGE_MESSAGES"):
            raise Refused(50013)
    if message.type == 21:
        raise Refused(50021)
    call.simulator.remove(message)
    return Answer()


def _emoji(call: Call) -> str:
    """The emoji that the path names: a character, or ``name:id`` of one that the bot can use."""
    name = call.ids["emoji_name"]
    own, _, id = name.removeprefix("a:").partition(":")
    if id:
        known = [emoji for guild in call.app.guilds() for emoji in guild.emoji.values()]
        found = next((emoji for emoji in known if emoji.id == id), None)
        if found is None:
            raise Refused(10014)
        return found.reaction
    if not own or own.isascii() or any(char.isalpha() for char in own):
        raise Refused(10014)
    return own


def _react(call: Call) -> Answer:
    channel = call.channel("READ_MESSAGE_HISTORY")
    message, emoji = call.message(channel), _emoji(call)
    if channel.archived:
        raise Refused(50083)
    if emoji not in message.reactions:
        if not (channel.is_direct or channel.may(call.app.user) & bits("ADD_REACTIONS")):
            raise Refused(50013)
        if len(message.reactions) >= _MOST_REACTIONS:
            raise Refused(30010)
    call.simulator.react(message, call.app.user, emoji)
    return Answer()


def _unreact(call: Call) -> Answer:
    message, emoji = call.message(call.channel()), _emoji(call)
    user = call.app.user if "user_id" not in call.ids else call.user()
    if user is not call.app.user:
        call.channel("MANAGE_MESSAGES")
    call.simulator.unreact(message, user, emoji)
    return Answer()


def _reacted(call: Call) -> Answer:
    message, emoji = call.message(call.channel()), _emoji(call)
    limit, after = call.number("limit", 25, 1, 100), call.id("after")
    ids = sorted((id for id in message.reactions.get(emoji, []) if not after or int(id) > int(after)), key=int)
    return Answer([call.simulator.users[id].payload() for id in ids[:limit]])


METHODS = (
    Method("POST", f"{_CHANNEL}/messages", _create),
    Method("GET", f"{_CHANNEL}/messages", _list),
    Method("GET", _MESSAGE, _get),
    Method("PATCH", _MESSAGE, _edit),
    Method("DELETE", _MESSAGE, _delete),
    Method("PUT", f"{_REACTION}/@me", _react),
    Method("DELETE", f"{_REACTION}/@me", _unreact),
    Method("DELETE", f"{_REACTION}/{{user_id}}", _unreact),
    Method("GET", _REACTION, _reacted),
)
