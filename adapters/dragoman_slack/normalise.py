"""Slack's events, as Dragoman's. Pure.

A payload is the ``payload`` of a Socket Mode envelope of type ``events_api``: ``{"type": "event_callback",
"team_id": ..., "event": {...}, "event_id": ..., "authorizations": [...]}``
(https://docs.slack.dev/apis/events-api/#callback-field).

The key says what happened. Its parts are percent-escaped and joined with ``/``:

============== ===================================================================================
kind           key
============== ===================================================================================
message        ``slack/message/ACCOUNT/TENANT/CHANNEL/TS``; ``app_mention`` has the same one
edited         ``slack/edited/ACCOUNT/TENANT/CHANNEL/TS/EDITED_TS``
deleted        ``slack/deleted/ACCOUNT/TENANT/CHANNEL/DELETED_TS/EVENT_TS``
reaction       ``slack/reaction/ACCOUNT/TENANT/CHANNEL/ITEM_TS/USER/EMOJI/added|removed/EVENT_TS``
member_joined  ``slack/member_joined/ACCOUNT/TENANT/CHANNEL/USER/EVENT_TS`` (``EVENT_ID`` without one)
person_changed ``slack/person_changed/ACCOUNT/TENANT/USER/EVENT_TS`` (``EVENT_ID`` without one)
============== ===================================================================================

The tenant is the installation that the event is for: the organisation if the app is installed for all of it,
else the workspace (https://docs.slack.dev/apis/events-api/#authorizations).
"""

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
    Person,
    PersonChanged,
    Reaction,
)

from .identity import Identity
from .payload import PayloadError, items, mapping, number, optional, required, timestamp
from .people import read_person
from .spoken import other_team, said, speaker, thread_of

__all__ = ["SUBSCRIPTIONS", "Identity", "PayloadError", "conversation", "normalise", "person_changed"]

#: Every bot event that we subscribe to: the event's type as it arrives, and the scopes that it needs
#: (https://docs.slack.dev/reference/events). The app manifest is made from this.
SUBSCRIPTIONS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "app_mention": ("app_mention", ("app_mentions:read",)),
    "message.channels": ("message", ("channels:history",)),
    "message.groups": ("message", ("groups:history",)),
    "message.im": ("message", ("im:history",)),
    "message.mpim": ("message", ("mpim:history",)),
    "reaction_added": ("reaction_added", ("reactions:read",)),
    "reaction_removed": ("reaction_removed", ("reactions:read",)),
    "member_joined_channel": ("member_joined_channel", ("channels:read", "groups:read")),
    "user_change": ("user_change", ("users:read",)),
    # These two are read by `dragoman_slack.groups`: one of them may be about many people.
    "subteam_members_changed": ("subteam_members_changed", ("usergroups:read",)),
    "subteam_updated": ("subteam_updated", ("usergroups:read",)),
}

#: Message subtypes in which somebody says something. All others are Slack's own notices (a topic was set,
#: somebody left) and are ignored (https://docs.slack.dev/reference/events/message#subtypes).
SPOKEN: Final = frozenset({"", "bot_message", "file_share", "me_message", "thread_broadcast"})

# https://docs.slack.dev/reference/events/message#message_types
CHANNEL_TYPES: Final[Mapping[str, Conversation]] = {
    "im": "direct",
    "mpim": "group",
    "channel": "channel",
    "group": "channel",
    "app_home": "direct",
    # member_joined_channel says one letter only.
    "C": "channel",
    "G": "channel",
}


@dataclass(frozen=True, slots=True)
class _Envelope:
    """What the readers share: the event, what is around it, and where we are."""

    event: Mapping[str, Any]
    outer: Mapping[str, Any]
    identity: Identity
    account: str
    tenant: str
    kinds: Mapping[str, Conversation]

    def address(self, channel: str, thread: str | None = None) -> Address:
        return Address(account=self.account, tenant=self.tenant, channel=channel, thread=thread)

    def key(self, kind: str, *parts: str) -> str:
        return "/".join(quote(part, safe="") for part in ("slack", kind, self.account, self.tenant, *parts))

    def ours(self, actor: Mapping[str, Any]) -> bool:
        """Whether the bot itself did it: by bot id and by user id."""
        bot_id, user = actor.get("bot_id"), actor.get("user")
        return (bool(bot_id) and bot_id == self.identity.bot_id) or (bool(user) and user == self.identity.bot_user_id)


def conversation(channel: str, channel_type: str, kinds: Mapping[str, Conversation]) -> Conversation:
    """What kind of conversation that is.

    Some events do not say (``app_mention``, ``reaction_added``). Then an id that starts with ``D`` is a
    direct message; ``C`` and ``G`` may each be a channel or a group of people, so it is what ``kinds``
    remembers from events that did say, else a channel (https://docs.slack.dev/reference/events/member_joined_channel).
    """
    known = CHANNEL_TYPES.get(channel_type) if len(channel_type) > 1 else None
    if known is not None:
        return known
    return "direct" if channel.startswith("D") else kinds.get(channel, "channel")


def normalise(
    payload: Mapping[str, Any],
    identity: Identity,
    account: str,
    kinds: Mapping[str, Conversation] | None = None,
) -> Event | None:
    """The event in a payload, or ``None`` if it is none of ours.

    That is the bot's own doing, an unfurled link, or a kind that we did not subscribe to.

    ``kinds`` are conversations whose kind is known though their ids do not tell; see `conversation`.

    Raises:
        PayloadError: a field that Slack documents is missing or of the wrong type.
    """
    event = mapping(payload, "event", "")
    reader = READERS.get(required(event, "type", "event"))
    if reader is None:
        return None
    try:
        return reader(_Envelope(event, payload, identity, account, _tenant(payload), kinds or {}))
    except ValidationError as error:
        # Such as an id that is longer than any platform's.
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise PayloadError("event", f"cannot be read: {place}: {first['msg']}") from None


def _tenant(payload: Mapping[str, Any]) -> str:
    authorizations = items(payload, "authorizations", "")
    if authorizations:
        first = authorizations[0]
        if first.get("is_enterprise_install") is True:
            return required(first, "enterprise_id", "authorizations.0")
        if team := optional(first, "team_id", "authorizations.0"):
            return team
    return required(payload, "team_id", "")


def _message(envelope: _Envelope) -> Event | None:
    event = envelope.event
    subtype = optional(event, "subtype", "event")
    if subtype == "message_changed":
        return _changed(envelope)
    if subtype == "message_deleted":
        return _deleted(envelope)
    if subtype not in SPOKEN or envelope.ours(event) or event.get("hidden") is True:
        return None
    channel = required(event, "channel", "event")
    ts = timestamp(event, "ts", "event")
    kind = conversation(channel, optional(event, "channel_type", "event"), envelope.kinds)
    content, request, addressed = said(event, "event", kind, envelope.identity)
    return Message(
        key=envelope.key("message", channel, ts),
        address=envelope.address(channel, thread_of(event, "event")),
        conversation=kind,
        person=speaker(event, "event", envelope.tenant),
        addressed=addressed,
        occurred=float(ts),
        id=ts,
        content=content,
        request=request,
    )


def _changed(envelope: _Envelope) -> Event | None:
    """An edit, if somebody edited.

    Slack also says "changed" when it unfurls a link, counts a reply or guesses a language
    (https://docs.slack.dev/reference/events/message/message_changed).
    """
    event = envelope.event
    channel = required(event, "channel", "event")
    path = "event.message"
    message = mapping(event, "message", "event")
    ts = timestamp(message, "ts", path)
    kind = conversation(channel, optional(event, "channel_type", "event"), envelope.kinds)
    if optional(message, "subtype", path) == "tombstone":
        # A deleted message that has replies stays as a stone.
        return _removed(envelope, channel, ts, kind, event.get("previous_message") or message)
    edited = message.get("edited")
    if edited is None or envelope.ours(message):
        return None
    edited = mapping(message, "edited", path)
    edited_ts = timestamp(edited, "ts", f"{path}.edited")
    previous = event.get("previous_message")
    if isinstance(previous, Mapping) and previous.get("edited") == edited:
        return None
    content, request, addressed = said(message, path, kind, envelope.identity)
    person = speaker(message, path, envelope.tenant)
    editor = optional(edited, "user", f"{path}.edited")
    if editor == envelope.identity.bot_user_id:
        return None
    return Edited(
        key=envelope.key("edited", channel, ts, edited_ts),
        address=envelope.address(channel, thread_of(message, path)),
        conversation=kind,
        person=person if editor in ("", person.id) else Person(id=editor),
        addressed=addressed,
        occurred=float(edited_ts),
        id=ts,
        content=content,
        request=request,
    )


def _deleted(envelope: _Envelope) -> Event | None:
    event = envelope.event
    channel = required(event, "channel", "event")
    kind = conversation(channel, optional(event, "channel_type", "event"), envelope.kinds)
    deleted = timestamp(event, "deleted_ts", "event")
    return _removed(envelope, channel, deleted, kind, event.get("previous_message"))


def _removed(envelope: _Envelope, channel: str, deleted: str, kind: Conversation, previous: object) -> Event | None:
    """Slack does not say who deleted it: its author, or an administrator."""
    event = envelope.event
    message: Mapping[str, Any] = previous if isinstance(previous, Mapping) else {}
    if envelope.ours(message):
        return None
    event_ts = timestamp(event, "event_ts" if "event_ts" in event else "ts", "event")
    thread = optional(message, "thread_ts", "event.previous_message")
    return Deleted(
        key=envelope.key("deleted", channel, deleted, event_ts),
        address=envelope.address(channel, thread if thread not in ("", deleted) else None),
        conversation=kind,
        occurred=float(event_ts),
        id=deleted,
    )


def _reaction(envelope: _Envelope) -> Event | None:
    event = envelope.event
    item = mapping(event, "item", "event")
    if required(item, "type", "event.item") != "message" or envelope.ours(event):
        return None
    user = required(event, "user", "event")
    channel = required(item, "channel", "event.item")
    ts = timestamp(item, "ts", "event.item")
    emoji = required(event, "reaction", "event")
    event_ts = timestamp(event, "event_ts", "event")
    added = event["type"] == "reaction_added"
    how = "added" if added else "removed"
    return Reaction(
        key=envelope.key("reaction", channel, ts, user, emoji, how, event_ts),
        address=envelope.address(channel),
        conversation=conversation(channel, optional(item, "channel_type", "event.item"), envelope.kinds),
        person=Person(id=user),
        occurred=float(event_ts),
        id=ts,
        emoji=emoji,
        added=added,
    )


def _member_joined(envelope: _Envelope) -> Event | None:
    event = envelope.event
    if envelope.ours(event):
        return None
    user = required(event, "user", "event")
    channel = required(event, "channel", "event")
    what, occurred = _when(envelope)
    return MemberJoined(
        key=envelope.key("member_joined", channel, user, what),
        address=envelope.address(channel),
        conversation=conversation(channel, optional(event, "channel_type", "event"), envelope.kinds),
        person=Person(id=user, tenant=other_team(optional(event, "team", "event"), envelope.tenant)),
        occurred=occurred,
        invited_by=optional(event, "inviter", "event") or None,
    )


def _user_changed(envelope: _Envelope) -> Event | None:
    """A user object that is new (https://docs.slack.dev/reference/events/user_change).

    It happened in no conversation: the address is the direct one with that person, to be opened if a skill
    has something to say.
    """
    user = mapping(envelope.event, "user", "event")
    return _person_changed(envelope, read_person(user, "event.user", envelope.tenant))


def person_changed(
    payload: Mapping[str, Any], identity: Identity, account: str, person: Person
) -> PersonChanged | None:
    """The event that a person has changed, made of another one that says so, such as a user group's.

    Raises:
        PayloadError: a field that Slack documents is missing or of the wrong type.
    """
    event = mapping(payload, "event", "")
    return _person_changed(_Envelope(event, payload, identity, account, _tenant(payload), {}), person)


def _person_changed(envelope: _Envelope, person: Person) -> PersonChanged | None:
    if person.id == envelope.identity.bot_user_id:
        return None
    what, occurred = _when(envelope)
    return PersonChanged(
        key=envelope.key("person_changed", person.id, what),
        address=envelope.address(f"@{person.id}"),
        conversation="direct",
        person=person,
        occurred=occurred,
    )


def _when(envelope: _Envelope) -> tuple[str, float]:
    """What tells this event from others, and its time: ``event_ts``, or id and time of the wrapper."""
    event_ts = optional(envelope.event, "event_ts", "event")
    if event_ts:
        return event_ts, number(event_ts, "event.event_ts")
    event_time = envelope.outer.get("event_time")
    return required(envelope.outer, "event_id", ""), float(event_time) if isinstance(event_time, int | float) else 0.0


READERS: Final[Mapping[str, Callable[[_Envelope], Event | None]]] = {
    "message": _message,
    "app_mention": _message,
    "reaction_added": _reaction,
    "reaction_removed": _reaction,
    "member_joined_channel": _member_joined,
    "user_change": _user_changed,
}
