"""Discord's events, as Dragoman's. Pure.

A payload is what the gateway sends: ``{"op": 0, "t": "MESSAGE_CREATE", "s": 42, "d": {...}}``
(https://docs.discord.com/developers/events/gateway-events#payload-structure).

The key says what happened. Its parts are percent-escaped and joined with ``/``:

============== ========================================================================================
kind           key
============== ========================================================================================
message        ``discord/message/ACCOUNT/TENANT/CHANNEL/ID``
edited         ``discord/edited/ACCOUNT/TENANT/CHANNEL/ID/EDITED_TIMESTAMP``
deleted        ``discord/deleted/ACCOUNT/TENANT/CHANNEL/ID``
reaction       ``discord/reaction/ACCOUNT/TENANT/CHANNEL/ID/USER/EMOJI/added|removed/SESSION/SEQUENCE``
member_joined  ``discord/member_joined/ACCOUNT/TENANT/USER/JOINED_AT``
person_changed ``discord/person_changed/ACCOUNT/TENANT/USER/SESSION/SEQUENCE``
slash          ``discord/slash/ACCOUNT/TENANT/CHANNEL/ID``
============== ========================================================================================

``CHANNEL`` is the payload's own ``channel_id``, which is the thread's in a thread. Where Discord gives an event
neither an id nor a time, it is known by its place in its session: a resumed session repeats events with their
numbers (https://docs.discord.com/developers/events/gateway#resuming).

The tenant is the guild; in direct messages, which have none, it is ``@me``, as in the addresses of Discord's own
clients. A message in a thread has the address of its parent channel, and the thread's id as the thread.

A message is addressed to the bot in a direct message, with a mention of the bot (or of the role that Discord made
for it) anywhere in it, and as a reply to what the bot said.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from pydantic import ValidationError

from dragoman import (
    Address,
    Conversation,
    Deleted,
    Edited,
    Event,
    MemberJoined,
    Message,
    PersonChanged,
    Reaction,
    SlashCommand,
)

from .emoji import shortcode
from .identity import Identity
from .payload import PayloadError, mapping, moment, optional, required, snowflake, spoken_at
from .people import read_member, read_user
from .places import Places
from .slash import CHAT_INPUT, COMMAND, read_used, user_of
from .spoken import said, speaker

__all__ = ["DIRECT", "INTENTS", "READERS", "PayloadError", "normalise"]

#: The tenant of direct messages.
DIRECT: Final = "@me"

#: What the bot asks to be sent: intents, by discord.py's names, with their bits
#: (https://docs.discord.com/developers/events/gateway#list-of-intents).
INTENTS: Final[Mapping[str, int]] = {
    "guilds": 1 << 0,
    "members": 1 << 1,
    "emojis_and_stickers": 1 << 3,
    "guild_messages": 1 << 9,
    "guild_reactions": 1 << 10,
    "dm_messages": 1 << 12,
    "dm_reactions": 1 << 13,
    "message_content": 1 << 15,
}

#: Message types in which somebody says something; all others are Discord's own notices
#: (https://docs.discord.com/developers/resources/message#message-object-message-types).
REPLY: Final = 19
SPOKEN: Final = frozenset({0, REPLY, 20, 23})


@dataclass(frozen=True, slots=True)
class _Dispatch:
    """What the readers share: the payload, and where we are."""

    type: str
    data: Mapping[str, Any]
    sequence: int
    session: str
    identity: Identity
    account: str
    places: Places
    now: float

    @property
    def guild(self) -> str:
        return optional(self.data, "guild_id", "d")

    @property
    def tenant(self) -> str:
        return self.guild or DIRECT

    @property
    def conversation(self) -> Conversation:
        place = self.places.get(optional(self.data, "channel_id", "d"))
        if place is not None and place.type == 3:
            return "group"
        return "channel" if self.guild else "direct"

    def address(self, channel: str) -> Address:
        place = self.places.get(channel)
        thread = place is not None and place.thread
        return Address(
            account=self.account,
            tenant=self.tenant,
            channel=place.parent if place is not None and thread else channel,
            thread=channel if thread else None,
        )

    def channel_name(self, channel: str) -> str:
        place = self.places.get(channel)
        if place is not None and place.thread:
            place = self.places.get(place.parent)
        return place.name if place is not None and self.guild else ""

    def key(self, kind: str, *parts: str) -> str:
        return "/".join(quote(part, safe="") for part in ("discord", kind, self.account, self.tenant, *parts))

    @property
    def place_in_session(self) -> tuple[str, str]:
        # The session's id goes with the token to whoever would resume it: its digest says as much here.
        return hashlib.sha256(self.session.encode(errors="replace")).hexdigest()[:16], str(self.sequence)


def normalise(
    payload: Mapping[str, Any],
    identity: Identity,
    account: str,
    places: Places | None = None,
    *,
    session: str = "",
    now: float = 0.0,
) -> tuple[Event, ...]:
    """The events in a payload; none if it has none of ours, which the bot's own doing is not.

    Args:
        places: what is known of guilds and channels.
        session: the gateway session that it came in.
        now: unix seconds, for what Discord does not give a time.

    Raises:
        PayloadError: a field that Discord documents is missing or of the wrong type.
    """
    kind = required(payload, "t", "")
    reader = READERS.get(kind)
    if reader is None:
        return ()
    sequence = payload.get("s")
    number = sequence if isinstance(sequence, int) else 0
    data = mapping(payload, "d", "")
    try:
        return reader(_Dispatch(kind, data, number, session, identity, account, places or Places(), now))
    except ValidationError as error:
        # Such as an id that is longer than any platform's.
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise PayloadError("d", f"cannot be read: {place}: {first['msg']}") from None


def _message(dispatch: _Dispatch) -> tuple[Event, ...]:
    found = _spoken(dispatch)
    if found is None:
        return ()
    channel, id = snowflake(dispatch.data, "channel_id", "d"), found["id"]
    key, answered = dispatch.key("message", channel, id), _answered(dispatch.data)
    return (Message(key=key, occurred=spoken_at(id), replies_to=answered, **found),)


def _answered(data: Mapping[str, Any]) -> str | None:
    """The message that a reply answers (https://docs.discord.com/developers/resources/message#message-reference)."""
    reference = data.get("message_reference")
    if data.get("type") != REPLY or not isinstance(reference, Mapping):
        return None
    return optional(reference, "message_id", "d.message_reference") or None


def _edited(dispatch: _Dispatch) -> tuple[Event, ...]:
    """An edit, if somebody edited: Discord also says "updated" when it has fetched a link's preview."""
    data = dispatch.data
    if data.get("edited_timestamp") is None or data.get("author") is None or (found := _spoken(dispatch)) is None:
        return ()
    channel, when = snowflake(data, "channel_id", "d"), required(data, "edited_timestamp", "d")
    key = dispatch.key("edited", channel, found["id"], when)
    return (Edited(key=key, occurred=moment(data, "edited_timestamp", "d"), **found),)


def _spoken(dispatch: _Dispatch) -> dict[str, Any] | None:
    """What a message and its edit have in common; nothing if the bot said it, or Discord itself."""
    data = dispatch.data
    person, kind = speaker(data, "d"), data.get("type", 0)
    if person.id == dispatch.identity.user_id or not isinstance(kind, int) or kind not in SPOKEN:
        return None
    channel = snowflake(data, "channel_id", "d")
    content, request, addressed = said(
        data, "d", dispatch.conversation, dispatch.identity, dispatch.guild, dispatch.places
    )
    return {
        "address": dispatch.address(channel),
        "channel_name": dispatch.channel_name(channel),
        "conversation": dispatch.conversation,
        "person": person,
        "addressed": addressed,
        "id": snowflake(data, "id", "d"),
        "content": content,
        "request": request,
    }


def _deleted(dispatch: _Dispatch) -> tuple[Event, ...]:
    """Discord says neither who deleted it nor whose it was."""
    data = dispatch.data
    channel = snowflake(data, "channel_id", "d")
    if dispatch.type == "MESSAGE_DELETE":
        ids = [snowflake(data, "id", "d")]
    else:
        found = data.get("ids")
        ids = [snowflake({"id": id}, "id", "d.ids") for id in found] if isinstance(found, list) else []
    return tuple(
        Deleted(
            key=dispatch.key("deleted", channel, id),
            address=dispatch.address(channel),
            channel_name=dispatch.channel_name(channel),
            conversation=dispatch.conversation,
            occurred=dispatch.now or spoken_at(id),
            id=id,
        )
        for id in ids
    )


def _reaction(dispatch: _Dispatch) -> tuple[Event, ...]:
    data = dispatch.data
    user = snowflake(data, "user_id", "d")
    if user == dispatch.identity.user_id:
        return ()
    channel, id = snowflake(data, "channel_id", "d"), snowflake(data, "message_id", "d")
    # The name of a guild's own emoji may be gone with it: then it has only its id.
    emoji = mapping(data, "emoji", "d")
    name = optional(emoji, "name", "d.emoji") or snowflake(emoji, "id", "d.emoji")
    added = dispatch.type == "MESSAGE_REACTION_ADD"
    member = data.get("member")
    person = read_user({"id": user}, "d")
    if isinstance(member, Mapping) and isinstance(member.get("user"), Mapping):
        person = read_user({**member["user"], "id": user}, "d.member.user", member)
    how = "added" if added else "removed"
    identifier = optional(emoji, "id", "d.emoji") or name
    return (
        Reaction(
            key=dispatch.key("reaction", channel, id, user, identifier, how, *dispatch.place_in_session),
            address=dispatch.address(channel),
            channel_name=dispatch.channel_name(channel),
            conversation=dispatch.conversation,
            person=person,
            occurred=dispatch.now,
            id=id,
            emoji=name if emoji.get("id") else shortcode(name),
            added=added,
        ),
    )


def _joined(dispatch: _Dispatch) -> tuple[Event, ...]:
    """Somebody joined a guild. The channel is where Discord itself says so, else the direct one with them."""
    data = dispatch.data
    guild = snowflake(data, "guild_id", "d")
    person = read_member(data, "d", dispatch.places.guild(guild))
    if person.id == dispatch.identity.user_id:
        return ()
    welcome = dispatch.places.guild(guild).welcome
    return (
        MemberJoined(
            key=dispatch.key("member_joined", person.id, required(data, "joined_at", "d")),
            address=dispatch.address(welcome or f"@{person.id}"),
            channel_name=dispatch.channel_name(welcome),
            conversation="channel" if welcome else "direct",
            person=person,
            occurred=moment(data, "joined_at", "d"),
        ),
    )


def _changed(dispatch: _Dispatch) -> tuple[Event, ...]:
    """It happened in no conversation: the address is the direct one with that person, to be opened if need be."""
    data = dispatch.data
    guild = snowflake(data, "guild_id", "d")
    person = read_member(data, "d", dispatch.places.guild(guild))
    if person.id == dispatch.identity.user_id:
        return ()
    return (
        PersonChanged(
            key=dispatch.key("person_changed", person.id, *dispatch.place_in_session),
            address=dispatch.address(f"@{person.id}"),
            conversation="direct",
            person=person,
            occurred=dispatch.now,
        ),
    )


def _interaction(dispatch: _Dispatch) -> tuple[Event, ...]:
    data = dispatch.data
    if data.get("type") != COMMAND:
        return ()
    used = mapping(data, "data", "d")
    if used.get("type", CHAT_INPUT) != CHAT_INPUT:
        return ()
    channel, id = snowflake(data, "channel_id", "d"), snowflake(data, "id", "d")
    name, options = read_used(used)
    return (
        SlashCommand(
            key=dispatch.key("slash", channel, id),
            address=dispatch.address(channel),
            channel_name=dispatch.channel_name(channel),
            conversation=dispatch.conversation,
            person=user_of(data),
            addressed=True,
            occurred=spoken_at(id),
            name=name,
            options=options,
        ),
    )


#: What we read, by the type of the dispatch (https://docs.discord.com/developers/events/gateway-events#receive-events).
READERS: Final[Mapping[str, Callable[[_Dispatch], tuple[Event, ...]]]] = {
    "MESSAGE_CREATE": _message,
    "MESSAGE_UPDATE": _edited,
    "MESSAGE_DELETE": _deleted,
    "MESSAGE_DELETE_BULK": _deleted,
    "MESSAGE_REACTION_ADD": _reaction,
    "MESSAGE_REACTION_REMOVE": _reaction,
    "GUILD_MEMBER_ADD": _joined,
    "GUILD_MEMBER_UPDATE": _changed,
    "INTERACTION_CREATE": _interaction,
}
