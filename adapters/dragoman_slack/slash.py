"""Slash commands, as Dragoman's. Pure.

A payload is the ``payload`` of a Socket Mode envelope of type ``slash_commands``: ``{"command": "/roll",
"text": "2d20", "user_id": ..., "channel_id": ..., "channel_name": ..., "team_id": ..., "trigger_id": ...}``
(https://docs.slack.dev/interactivity/implementing-slash-commands/#app_command_handling).

The key is ``slack/slash/ACCOUNT/TENANT/CHANNEL/USER/TRIGGER_ID``, percent-escaped: there is a trigger id for
each time that somebody presses return.

The app manifest has "Escape channels, users, and links" on (``should_escape``), so the text is written as
messages are: mentions are ``<@U1|ann>`` and ``<#C1|general>``, ``&``, ``<`` and ``>`` are entities.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from pydantic import ValidationError

from dragoman import Address, Conversation, Person, SlashCommand

from .mrkdwn import plain
from .payload import PayloadError, optional, required

__all__ = ["read_slash"]

#: What Slack says instead of a name: where people are among themselves.
NAMELESS: Final = frozenset({"directmessage", "privategroup"})
#: How the names of conversations of several people begin.
GROUP: Final = "mpdm-"


def read_slash(
    payload: Mapping[str, Any], account: str, *, at: float, kinds: Mapping[str, Conversation] | None = None
) -> SlashCommand:
    """The command in a payload.

    Args:
        at: unix seconds: Slack does not say when it was.
        kinds: conversations whose kind is known though their ids do not tell.

    Raises:
        PayloadError: a field that Slack documents is missing or of the wrong type.
    """
    # https://docs.slack.dev/enterprise/developing-for-enterprise-orgs: the flag is a text here.
    organisation = str(payload.get("is_enterprise_install")).lower() == "true"
    tenant = required(payload, "enterprise_id" if organisation else "team_id", "")
    channel = required(payload, "channel_id", "")
    user = required(payload, "user_id", "")
    trigger = required(payload, "trigger_id", "")
    name = required(payload, "command", "").removeprefix("/").lower()
    called = optional(payload, "channel_name", "")
    kind: Conversation = (kinds or {}).get(channel, "channel")
    if channel.startswith("D") or called == "directmessage":
        kind = "direct"
    elif called.startswith(GROUP):
        kind = "group"
    try:
        return SlashCommand(
            key="/".join(quote(part, safe="") for part in ("slack", "slash", account, tenant, channel, user, trigger)),
            address=Address(account=account, tenant=tenant, channel=channel),
            channel_name="" if called in NAMELESS else called,
            conversation=kind,
            person=Person(id=user),
            addressed=True,
            occurred=at,
            name=name,
            text=plain(optional(payload, "text", "")),
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise PayloadError("command", f"cannot be read: {place}: {first['msg']}") from None
