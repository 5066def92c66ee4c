"""What is newer than Slack's published specification (of 2021), each with the page that documents it.

The tests hold the simulator to the specification and to this table: nothing else is accepted or answered.
"""

from dataclasses import dataclass

__all__ = ["ARGUMENTS", "FIELDS", "METHODS", "Addition"]

_DOCS = "https://docs.slack.dev/reference"


@dataclass(frozen=True, slots=True)
class Addition:
    """Something new: ``name`` within ``where``, documented at ``page``."""

    where: str
    name: str
    page: str


def _method(name: str) -> Addition:
    return Addition("", name, f"{_DOCS}/methods/{name}")


def _argument(method: str, name: str) -> Addition:
    return Addition(method, name, f"{_DOCS}/methods/{method}")


def _field(schema: str, name: str, page: str) -> Addition:
    return Addition(schema, name, page if page.startswith("https:") else f"{_DOCS}/{page}")


#: Methods that the specification does not have.
METHODS = (
    _method("apps.connections.open"),
    _method("assistant.threads.setStatus"),
    _method("auth.teams.list"),
    _method("files.completeUploadExternal"),
    _method("files.getUploadURLExternal"),
)

#: Arguments that it does not have for a method that it does.
ARGUMENTS = (
    _argument("bots.info", "team_id"),
    _argument("chat.postEphemeral", "markdown_text"),
    _argument("chat.postMessage", "markdown_text"),
    _argument("chat.postMessage", "metadata"),
    _argument("chat.update", "markdown_text"),
    _argument("chat.update", "metadata"),
    _argument("conversations.history", "include_all_metadata"),
    _argument("conversations.list", "team_id"),
    _argument("conversations.replies", "include_all_metadata"),
    _argument("usergroups.list", "team_id"),
    _argument("users.conversations", "team_id"),
    _argument("users.list", "team_id"),
)

#: Fields of answers that it does not have: ``where`` is one of its definitions, or a method.
FIELDS = (
    _field("objs_message", "app_id", "events/message"),
    _field("objs_message", "edited", "events/message"),
    _field("objs_message", "metadata", "https://docs.slack.dev/messaging/message-metadata"),
    _field("objs_conversation", "locale", "objects/conversation-object"),
    _field("conversations.history", "response_metadata", "methods/conversations.history"),
    _field("conversations.replies", "response_metadata", "methods/conversations.replies"),
    _field("conversations.replies", "has_more", "methods/conversations.replies"),
)
