"""What Discord can do, as `DiscordAdapter.capabilities` declares it."""

from typing import Final

from dragoman import Capabilities, no, yes

__all__ = ["CAPABILITIES"]

CAPABILITIES: Final = Capabilities(
    messages=yes("with the Message Content intent; without it only what is said to the bot"),
    direct=yes(),
    groups=no("bots are in no group conversations"),
    threads=yes("one is started where there is none yet"),
    edits=yes(),
    deletions=yes("neither who deleted it nor whose it was"),
    reactions=yes(),
    joins=yes("of servers, with the Server Members intent"),
    profiles=yes("of the members of servers, with the same intent"),
    bots=yes(),
    attachments=yes(),
    slash=yes("a form with typed options, in threads as well; kept up to date by itself"),
    people=yes("name; the roles owner, admin, member; no time zone: `[bot] timezone` stands for it"),
    again=yes("a session that is resumed repeats what was missed, and histories are read when it is over"),
    sends=yes("2,000 characters"),
    changes=yes(),
    takes_back=yes(),
    reacts=yes("with the server's own emoji as well"),
    uploads=yes("10 for a message, 20 MiB each; more become further messages"),
    typing=yes("it ends by itself"),
    once=yes("Discord knows the key of the action for some minutes; after that, the history is searched"),
    by_name=yes(),
)
