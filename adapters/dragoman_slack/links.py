"""Links to messages: https://docs.slack.dev/reference/methods/chat.getPermalink"""

import re
from typing import Final

__all__ = ["read_link"]

#: ``https://acme.slack.com/archives/C1/p1358546515000008``: the message's ``ts`` without its dot. One in a thread has
#: ``?thread_ts=...&cid=...`` behind it, which say nothing more about the message.
LINK: Final = re.compile(r"https://[\w.-]+\.slack\.com/archives/(?P<channel>[A-Z0-9]+)/p(?P<ts>\d{7,})(?:[?#].*)?")


def read_link(link: str) -> tuple[str, str] | None:
    """The channel and the ``ts`` of the message; ``None`` if it is no link to a message in Slack."""
    found = LINK.fullmatch(link.strip())
    if found is None:
        return None
    digits = found["ts"]
    return found["channel"], f"{digits[:-6]}.{digits[-6:]}"
