"""What Slack can do, as `SlackAdapter.capabilities` declares it."""

from typing import Final

from dragoman import Capabilities, yes

__all__ = ["CAPABILITIES"]

CAPABILITIES: Final = Capabilities(
    messages=yes("where the bot is a member"),
    direct=yes(),
    groups=yes(),
    threads=yes(),
    edits=yes(),
    deletions=yes("not who deleted it"),
    reactions=yes("not in which thread"),
    joins=yes("of channels"),
    profiles=yes(),
    bots=yes(),
    attachments=yes("with the scope `files:read`"),
    slash=yes("the line as it was typed; once the app's manifest has it"),
    people=yes("name, time zone, language; the roles owner, admin, member, guest, and user groups"),
    again=yes("what is not acknowledged is sent up to three times more, and after a gap histories are read"),
    sends=yes("4,000 characters"),
    changes=yes(),
    takes_back=yes(),
    reacts=yes(),
    uploads=yes("with the scope `files:write`; they are a message of their own, below the words"),
    typing=yes("in threads, if the app is an assistant; nothing is shown elsewhere"),
    once=yes("each message carries the key of its action, and the conversation is searched for it"),
    by_name=yes("private channels if the bot is in them"),
)
