"""HTTP for people without Python: be somebody in the simulated workspace with ``curl``.

``POST`` takes a JSON object. Workspaces, users and channels go by name or id; the workspace may be left
out while there is only one. Every answer is JSON; a mistake is answered with status 400 and ``error``.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .channel import Channel
from .message import Message
from .people import User
from .workspace import Workspace

if TYPE_CHECKING:
    from .server import SlackSimulator

__all__ = ["control_routes"]

Body = dict[str, Any]


def control_routes(simulator: "SlackSimulator") -> list[web.RouteDef]:
    """The addresses under ``/_simulator/``."""
    control = _Control(simulator)
    posts = {
        "say": control.say,
        "edit": control.edit,
        "delete": control.delete,
        "react": control.react,
        "unreact": control.unreact,
        "join": control.join,
        "slash": control.slash,
        "change": control.change,
        "user": control.user,
        "channel": control.channel,
        "ratelimit": control.ratelimit,
        "fail": control.fail,
        "disconnect": control.disconnect,
        "drop": control.drop,
        "recover": control.recover,
    }
    return [
        web.get("/_simulator/state", control.state),
        web.get("/_simulator/messages", control.messages),
        *(web.post(f"/_simulator/{name}", control.guarded(act)) for name, act in posts.items()),
    ]


class _Control:
    def __init__(self, simulator: "SlackSimulator") -> None:
        self.simulator = simulator

    def guarded(self, act: Callable[[Body], Awaitable[Body]]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            try:
                body = await request.json() if request.can_read_body else {}
                return web.json_response({"ok": True, **await act(body)})
            except KeyError as missing:
                return web.json_response({"ok": False, "error": f"missing: {missing.args[0]}"}, status=400)
            except (ValueError, TypeError) as mistake:
                return web.json_response({"ok": False, "error": str(mistake)}, status=400)

        return answer

    # Who and where is meant

    def _workspace(self, body: Body) -> Workspace:
        known = list(self.simulator.workspaces.values())
        wanted = body.get("workspace")
        found = [space for space in known if wanted in (space.id, space.name, None)]
        if len(found) != 1:
            raise ValueError(f"which workspace? There are {[space.name for space in known]}")
        return found[0]

    def _user(self, body: Body) -> User:
        user = self._workspace(body).find_user(body["user"])
        if user is None:
            raise ValueError(f"nobody is called {body['user']}")
        return user

    def _channel(self, body: Body) -> Channel:
        """A channel; ``@name`` stands for that person's direct messages with the bot."""
        name = body["channel"]
        if name.startswith("@"):
            return self._user({**body, "user": name[1:]}).dm()
        channel = self._workspace(body).find_channel(name)
        if channel is None:
            raise ValueError(f"there is no channel {name}")
        return channel

    def _message(self, body: Body) -> Message:
        message = self._channel(body).find(body["ts"])
        if message is None:
            raise ValueError(f"there is no message {body['ts']}")
        return message

    # What people do

    async def say(self, body: Body) -> Body:
        user, channel = self._user(body), self._channel(body)
        message = await user.say(channel, body["text"], thread=body.get("thread"))
        return {"channel": channel.id, "ts": message.ts, "text": message.text}

    async def edit(self, body: Body) -> Body:
        await self._user(body).edit(self._message(body), body["text"])
        return {}

    async def delete(self, body: Body) -> Body:
        await self._user(body).delete(self._message(body))
        return {}

    async def react(self, body: Body) -> Body:
        await self._user(body).react(self._message(body), body["name"])
        return {}

    async def unreact(self, body: Body) -> Body:
        await self._user(body).unreact(self._message(body), body["name"])
        return {}

    async def join(self, body: Body) -> Body:
        await self._user(body).join(self._channel(body))
        return {}

    async def slash(self, body: Body) -> Body:
        delivery = await self._user(body).slash(body["text"], self._channel(body))
        return {"trigger_id": delivery.event_id}

    async def change(self, body: Body) -> Body:
        changes = {key: value for key, value in body.items() if key not in ("workspace", "user")}
        await self._user(body).change(**changes)
        return {}

    async def user(self, body: Body) -> Body:
        options = {
            key: body[key] for key in ("real_name", "email", "locale", "tz", "admin", "owner", "guest") if key in body
        }
        return {"id": self._workspace(body).user(body["name"], **options).id}

    async def channel(self, body: Body) -> Body:
        return {"id": self._workspace(body).channel(body["name"], private=bool(body.get("private"))).id}

    # What goes wrong

    async def ratelimit(self, body: Body) -> Body:
        self.simulator.ratelimit(
            body.get("method", "*"), times=body.get("times", 1), retry_after=body.get("retry_after", 1)
        )
        return {}

    async def fail(self, body: Body) -> Body:
        self.simulator.fail(body.get("method", "*"), times=body.get("times", 1), status=body.get("status", 503))
        return {}

    async def disconnect(self, body: Body) -> Body:
        await self.simulator.disconnect(body.get("reason", "refresh_requested"))
        return {}

    async def drop(self, body: Body) -> Body:
        return {"dropped": self.simulator.drop_sockets()}

    async def recover(self, body: Body) -> Body:
        self.simulator.recover()
        return {}

    # What there is to see

    async def state(self, request: web.Request) -> web.Response:
        return web.json_response({"ok": True, **self.simulator.state()})

    async def messages(self, request: web.Request) -> web.Response:
        try:
            channel = self._channel(dict(request.query))
        except (KeyError, ValueError) as mistake:
            return web.json_response({"ok": False, "error": f"channel: {mistake}"}, status=400)
        users = channel.workspace.users
        seen = [
            {
                "ts": message.ts,
                "user": users[message.user].name if message.user in users else message.user,
                "text": message.text,
                "thread_ts": message.thread_ts,
                "bot": message.bot_id is not None,
                "reactions": message.reactions,
            }
            for message in channel.messages
            if message.ts > request.query.get("after", "")
        ]
        return web.json_response({"ok": True, "channel": channel.id, "messages": seen})
