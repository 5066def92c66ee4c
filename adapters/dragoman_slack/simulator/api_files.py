"""``files.*``: what is shared, and how an app uploads.

An upload has three steps (https://docs.slack.dev/messaging/working-with-files): a ticket, the bytes to the
ticket's address, and the end, which shares it. Slack shares later than it answers; see `Workspace.scanning`.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from .call import Call, Method, Refused
from .channel import Channel
from .message import File, Message
from .text import posted

__all__ = ["METHODS", "Ticket"]


@dataclass(slots=True)
class Ticket:
    """An upload that has begun.

    Attributes:
        app: the id of the app whose it is.
        length: how many bytes were promised.
        content: the bytes, when they have come.
    """

    id: str
    app: str
    name: str
    length: int
    content: bytes | None = None


def _info(call: Call) -> dict[str, Any]:
    file = call.workspace.files.get(call.args.get("file") or "")
    if file is None:
        raise Refused("file_not_found")
    if file.deleted:
        raise Refused("file_deleted")
    return {"file": file.payload(shares=True), "comments": [], "response_metadata": {"next_cursor": ""}}


def _get_upload_url(call: Call) -> dict[str, Any]:
    workspace, length = call.workspace, call.args["length"]
    # "Typically only occurs when the length provided is 0."
    if length <= 0:
        raise Refused("missing_argument")
    if workspace.uploads_disabled:
        raise Refused("file_uploads_disabled")
    if length > workspace.file_limit:
        raise Refused("file_upload_size_restricted")
    ticket = Ticket(call.simulator.new_id("F"), call.app.id, call.args["filename"], length)
    secret = secrets.token_hex(12)
    workspace.tickets[secret] = ticket
    return {"upload_url": f"{call.simulator.origin}/upload/v1/{workspace.id}/{secret}", "file_id": ticket.id}


def _complete_upload(call: Call) -> dict[str, Any]:
    workspace, given = call.workspace, call.args["files"]
    if not isinstance(given, list) or not given or not all(isinstance(file, dict) for file in given):
        raise Refused("invalid_arguments")
    channel = call.channel("channel_id", member=True) if call.args.get("channel_id") else None
    if channel is not None and channel.archived:
        raise Refused("is_archived")
    waiting = {ticket.id: secret for secret, ticket in workspace.tickets.items() if ticket.app == call.app.id}
    found = [waiting.get(str(file.get("id"))) for file in given]
    tickets = [workspace.tickets[secret] for secret in found if secret is not None]
    if len(tickets) < len(given) or any(ticket.content is None for ticket in tickets):
        raise Refused("file_not_found")
    files = []
    for secret, ticket, file in zip(found, tickets, given, strict=True):
        del workspace.tickets[secret or ""]
        files.append(workspace.file(ticket.id, ticket.name, call.app.user_id, ticket.content, title=file.get("title")))
    if channel is not None:
        workspace.share(_message(call, channel, files))
    return {"files": [{"id": file.id, "title": file.title or file.name} for file in files]}


def _message(call: Call, channel: Channel, files: list[File]) -> Message:
    app = call.app
    parent = channel.find(call.args.get("thread_ts") or "")
    return Message(
        channel,
        "",
        app.user_id,
        posted(call.args.get("initial_comment") or ""),
        thread_ts=(parent.thread_ts or parent.ts) if parent is not None else None,
        subtype="file_share",
        bot_id=app.bot_id,
        app_id=app.id,
        team=call.workspace.id,
        files=files,
    )


_WRITE = ("files:write",)

METHODS = (
    Method("files.info", _info, "file! count page cursor limit:int", ("files:read",)),
    Method("files.getUploadURLExternal", _get_upload_url, "filename! length:int! snippet_type alt_txt", _WRITE),
    Method(
        "files.completeUploadExternal",
        _complete_upload,
        "files:json! channel_id channels thread_ts:ts initial_comment blocks:json",
        _WRITE,
        json=True,
    ),
)
