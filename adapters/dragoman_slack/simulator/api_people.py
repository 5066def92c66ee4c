"""People, user groups, reactions, and the families that have but one or two methods: ``auth``, ``team``, ``bots``..."""

import re
import secrets
from typing import Any

from .call import Call, Method, Refused
from .message import Message

__all__ = ["METHODS"]

_EMOJI = re.compile(r"[\w+'\-]+(::skin-tone-[2-6])?", re.ASCII)
_ICON = "https://a.slack-edge.com/80588/img/avatars-teams/ava_0001-{}.png"


def _api_test(call: Call) -> dict[str, Any]:
    args = {name: str(value) for name, value in call.args.items()}
    if error := args.get("error"):
        raise Refused(error, args=args)
    return {"args": args} if args else {}


def _auth_test(call: Call) -> dict[str, Any]:
    workspace, app = call.workspace, call.app
    organisation = {"enterprise_id": app.organisation} if app.organisation else {}
    return {
        "url": workspace.url,
        "team": workspace.name,
        "user": app.user.name,
        "team_id": workspace.id,
        "user_id": app.user_id,
        "bot_id": app.bot_id,
        "is_enterprise_install": bool(organisation),
        **organisation,
    }


def _teams(call: Call) -> dict[str, Any]:
    """https://docs.slack.dev/reference/methods/auth.teams.list"""
    page, cursor = call.page(call.app.teams)
    teams = [{"id": workspace.id, "name": workspace.name} for workspace in page]
    return {"teams": teams, "response_metadata": {"next_cursor": cursor}}


def _open_connection(call: Call) -> dict[str, Any]:
    ticket = secrets.token_hex(16)
    call.simulator.tickets[ticket] = call.app
    address = f"ws://{call.simulator.host}:{call.simulator.port}/link/?ticket={ticket}&app_id={call.app.id}"
    return {"url": address}


def _user_info(call: Call) -> dict[str, Any]:
    return {"user": call.user().payload(bool(call.args.get("include_locale")))}


def _user_list(call: Call) -> dict[str, Any]:
    users = list(call.workspace.users.values())
    page, cursor = call.page(users, default=1000)
    locale = bool(call.args.get("include_locale"))
    return {
        "members": [user.payload(locale) for user in page],
        "cache_ts": call.simulator.now(),
        "response_metadata": {"next_cursor": cursor},
    }


def _user_by_email(call: Call) -> dict[str, Any]:
    email = call.args["email"].lower()
    for user in call.workspace.users.values():
        if user.email and user.email.lower() == email and not user.deleted:
            return {"user": user.payload()}
    raise Refused("users_not_found")


def _group_list(call: Call) -> dict[str, Any]:
    users, count = bool(call.args.get("include_users")), bool(call.args.get("include_count"))
    hidden = not call.args.get("include_disabled")
    groups = [group for group in call.workspace_asked().usergroups.values() if not (hidden and group.disabled)]
    return {"usergroups": [group.payload(users=users, count=count) for group in groups]}


def _team_info(call: Call) -> dict[str, Any]:
    workspace = call.workspace
    if call.args.get("team") not in (None, "", workspace.id):
        raise Refused("team_not_found")
    icon = {f"image_{size}": _ICON.format(size) for size in (34, 44, 68, 88, 102, 132, 230)}
    team = {
        "id": workspace.id,
        "name": workspace.name,
        "domain": workspace.domain,
        "email_domain": "",
        "icon": {**icon, "image_default": True},
    }
    return {"team": team}


def _bot_info(call: Call) -> dict[str, Any]:
    app = call.workspace.app_of_bot(call.args.get("bot") or "")
    if app is None:
        raise Refused("bot_not_found")
    bot = {
        "id": app.bot_id,
        "deleted": app.uninstalled,
        "name": app.user.name,
        "updated": app.user.updated,
        "app_id": app.id,
        "user_id": app.user_id,
        "icons": app.icons,
    }
    return {"bot": bot}


def _emoji_list(call: Call) -> dict[str, Any]:
    return {"emoji": dict(call.workspace.emoji), "cache_ts": str(call.simulator.now())}


def _item(call: Call) -> Message:
    if not call.args.get("channel") or not call.args.get("timestamp"):
        raise Refused("no_item_specified")
    return call.message(call.channel(member=True), call.args["timestamp"])


def _emoji(call: Call) -> str:
    name: str = call.args["name"]
    if not _EMOJI.fullmatch(name):
        raise Refused("invalid_name")
    return name


def _add_reaction(call: Call) -> dict[str, Any]:
    name, message = _emoji(call), _item(call)
    if message.channel.archived:
        raise Refused("is_archived")
    if not call.workspace.react(message, call.app.user_id, name):
        raise Refused("already_reacted")
    return {}


def _remove_reaction(call: Call) -> dict[str, Any]:
    name, message = _emoji(call), _item(call)
    if not call.workspace.unreact(message, call.app.user_id, name):
        raise Refused("no_reaction")
    return {}


def _get_reactions(call: Call) -> dict[str, Any]:
    message = _item(call)
    permalink = f"{call.workspace.url}archives/{message.channel.id}/p{message.ts.replace('.', '')}"
    return {
        "type": "message",
        "channel": message.channel.id,
        "message": {**message.payload(), "permalink": permalink},
    }


_USERS = ("users:read",)
_REACTED = "channel timestamp:ts file file_comment"

METHODS = (
    Method("api.test", _api_test, "error foo", token="none", json=True, open=True),  # noqa: S106
    Method("apps.connections.open", _open_connection, "", ("connections:write",), token="app", json=True),  # noqa: S106
    Method("auth.test", _auth_test, "", json=True),
    Method("auth.teams.list", _teams, "cursor limit:int include_icon:bool"),
    Method("bots.info", _bot_info, "bot! team_id", _USERS),
    Method("emoji.list", _emoji_list, "", ("emoji:read",)),
    Method("reactions.add", _add_reaction, "channel! name! timestamp:ts!", ("reactions:write",), json=True),
    Method("reactions.remove", _remove_reaction, f"name! {_REACTED}", ("reactions:write",), json=True),
    Method("reactions.get", _get_reactions, f"{_REACTED} full:bool", ("reactions:read",)),
    Method("team.info", _team_info, "team", ("team:read",)),
    Method(
        "usergroups.list",
        _group_list,
        "include_count:bool include_disabled:bool include_users:bool team_id",
        ("usergroups:read",),
    ),
    Method("users.info", _user_info, "user! include_locale:bool", _USERS),
    Method("users.list", _user_list, "cursor limit:int include_locale:bool team_id", _USERS),
    Method("users.lookupByEmail", _user_by_email, "email!", ("users:read.email",)),
)
