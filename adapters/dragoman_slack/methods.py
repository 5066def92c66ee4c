"""Every method of Slack's Web API that the adapter calls, and the scopes that it needs.

https://docs.slack.dev/reference/methods. The app manifest is made from these tables.
"""

from collections.abc import Mapping
from typing import Final

__all__ = ["DIRECTORY", "FILES", "LOOKUPS", "METHODS", "OPTIONAL_SCOPES", "POST", "READING"]

#: What must not be done twice.
POST: Final = "chat.postMessage"

#: What an action may become. ``assistant.threads.setStatus`` takes ``chat:write`` since March 2026
#: (https://docs.slack.dev/changelog/2026/03/05/set-status-scope-update).
METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.delete": ("chat:write",),
    "reactions.add": ("reactions:write",),
    "reactions.remove": ("reactions:write",),
    "assistant.threads.setStatus": ("chat:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
}

#: What tells of a file where it is; see `dragoman_slack.uploads` and `dragoman_slack.downloads`. The download itself
#: takes the same scope (https://docs.slack.dev/reference/objects/file-object).
FILES: Final[Mapping[str, tuple[str, ...]]] = {"files.info": ("files:read",)}

HISTORY: Final = ("channels:history", "groups:history", "im:history", "mpim:history")
#: What finds out whether an action was performed already; see `dragoman_slack.render.lookup`.
LOOKUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "conversations.history": HISTORY,
    "conversations.replies": HISTORY,
}

#: What tells who and where is meant; see `dragoman_slack.directory`.
DIRECTORY: Final[Mapping[str, tuple[str, ...]]] = {
    "auth.teams.list": (),
    "conversations.info": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "conversations.list": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "usergroups.list": ("usergroups:read",),
    "users.conversations": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "users.info": ("users:read",),
}

#: These take no JSON: their arguments go into the query.
READING: Final = frozenset({*LOOKUPS, *DIRECTORY, *FILES, "files.getUploadURLExternal"} - {"conversations.open"})

#: Without these the bot runs, and lacks only what each is for.
OPTIONAL_SCOPES: Final[Mapping[str, str]] = {
    "commands": "slash commands do not work",
    "files:read": "attached files cannot be fetched",
    "files:write": "files cannot be sent",
    "usergroups:read": "user groups are no roles",
}
