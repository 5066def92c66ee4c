"""The table of all methods of the Web API that are simulated, and the names of the retired ones."""

from . import api_chat, api_conversations, api_files, api_people
from .call import Method

__all__ = ["METHODS", "is_retired"]

#: Every simulated method by name. Slack has more; calling one of those gives ``unknown_method`` here.
METHODS: dict[str, Method] = {
    method.name: method for family in (api_chat, api_conversations, api_files, api_people) for method in family.METHODS
}

#: https://docs.slack.dev/changelog/2020-01-deprecating-antecedents-to-the-conversations-api
_RETIRED_FAMILIES = ("channels.", "groups.", "im.", "mpim.")
#: https://docs.slack.dev/changelog/2024-04-a-better-way-to-upload-files-is-here-to-stay and
#: https://docs.slack.dev/changelog/2021-10-rtm-start-to-stop
_RETIRED = frozenset({"files.upload", "rtm.start"})


def is_retired(name: str) -> bool:
    """Whether Slack had a method of that name and answers ``method_deprecated`` today."""
    return name in _RETIRED or name.startswith(_RETIRED_FAMILIES)
