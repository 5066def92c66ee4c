"""HTTP for people without Python: be somebody in the simulated workspace with ``curl``.

``POST`` takes a JSON object. Workspaces, users and channels go by name or id; the workspace may be left
out while there is only one. Every answer is JSON; a mistake is answered with status 400 and ``error``.
"""

from typing import TYPE_CHECKING

from aiohttp import web

from dragoman.testing.simulating import Body, controls, one_of

from .channel import Channel
from .message import Message
from .people import User
from .workspace import Workspace

if TYPE_CHECKING:
    from .server import SlackSimulator

__all__ = ["control_routes"]


def control_routes(simulator: "SlackSimulator") -> list[web.RouteDef]:
    """The addresses under ``/_simulator/``."""
    control = _Control(simulator)
    acts = {
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
    }
    return controls(simulator, do=acts, see={"messages": control.messages})


class _Control:
    def __init__(self, simulator: "SlackSimulator") -> None:
        self.simulator = simulator

    # Who and where is meant

    def _workspace(self, body: Body) -> Workspace:
        known = self.simulator.workspaces.values()
        return one_of("workspace", known, body.get("workspace"), lambda workspace: (workspace.id, workspace.name))

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

    # What there is to see

    async def messages(self, body: Body) -> Body:
        channel = self._channel(body)
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
            if message.ts > body.get("after", "")
        ]
        return {"channel": channel.id, "messages": seen}
