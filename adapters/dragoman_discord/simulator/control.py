"""HTTP for people without Python: be somebody on the simulated Discord with ``curl``.

``POST`` takes a JSON object. Guilds, users and channels go by name or id; the guild may be left out while there is
only one. Every answer is JSON; a mistake is answered with status 400 and ``error``.
"""

from typing import TYPE_CHECKING

from aiohttp import web

from dragoman.testing.simulating import Body, controls, one_of

from .channel import Channel
from .guild import Guild
from .message import Message
from .people import User

if TYPE_CHECKING:
    from .server import DiscordSimulator

__all__ = ["control_routes"]


def control_routes(simulator: "DiscordSimulator") -> list[web.RouteDef]:
    """The addresses under ``/_simulator/``."""
    control = _Control(simulator)
    acts = {
        "say": control.say,
        "reply": control.reply,
        "edit": control.edit,
        "delete": control.delete,
        "react": control.react,
        "unreact": control.unreact,
        "thread": control.thread,
        "slash": control.slash,
        "guild": control.guild,
        "user": control.user,
        "channel": control.channel,
        "ratelimit": control.ratelimit,
        "fail": control.fail,
        "reconnect": control.reconnect,
        "invalidate": control.invalidate,
        "close": control.close,
        "advance": control.advance,
    }
    return controls(simulator, do=acts, see={"messages": control.messages})


class _Control:
    def __init__(self, simulator: "DiscordSimulator") -> None:
        self.simulator = simulator

    # Who and where is meant

    def _guild(self, body: Body) -> Guild:
        known = self.simulator.guilds.values()
        return one_of("guild", known, body.get("guild"), lambda guild: (guild.id, guild.name))

    def _user(self, name: str) -> User:
        user = self.simulator.find_user(name)
        if user is None:
            raise ValueError(f"nobody is called {name}")
        return user

    def _channel(self, body: Body) -> Channel:
        """A channel or thread; ``@name`` stands for that person's direct messages with the bot."""
        name = body["channel"]
        if name.startswith("@"):
            return self._user(name[1:]).dm()
        channel = self.simulator.channels.get(name) or self._guild(body).find_channel(name)
        if channel is None:
            raise ValueError(f"there is no channel {name}")
        return channel

    def _message(self, body: Body) -> Message:
        found = (channel.find(str(body["id"])) for channel in self.simulator.channels.values())
        message = next((message for message in found if message is not None), None)
        if message is None:
            raise ValueError(f"there is no message {body['id']}")
        return message

    # What people do

    async def say(self, body: Body) -> Body:
        message = await self._user(body["user"]).say(self._channel(body), body["text"])
        return {"channel": message.channel.id, "id": message.id, "content": message.content}

    async def reply(self, body: Body) -> Body:
        message = await self._user(body["user"]).reply(self._message(body), body["text"])
        return {"channel": message.channel.id, "id": message.id, "content": message.content}

    async def edit(self, body: Body) -> Body:
        await self._user(body["user"]).edit(self._message(body), body["text"])
        return {}

    async def delete(self, body: Body) -> Body:
        await self._user(body["user"]).delete(self._message(body))
        return {}

    async def react(self, body: Body) -> Body:
        await self._user(body["user"]).react(self._message(body), body["emoji"])
        return {}

    async def unreact(self, body: Body) -> Body:
        await self._user(body["user"]).unreact(self._message(body), body["emoji"])
        return {}

    async def thread(self, body: Body) -> Body:
        where = self._message(body) if "id" in body else self._channel(body)
        return {"id": (await self._user(body["user"]).start_thread(where, body["name"])).id}

    async def slash(self, body: Body) -> Body:
        user, channel = self._user(body["user"]), self._channel(body)
        interaction = await user.slash(channel, body["command"], **body.get("options", {}))
        return {"id": interaction.id, "state": interaction.state}

    async def guild(self, body: Body) -> Body:
        return {"id": self.simulator.guild(body["name"]).id}

    async def user(self, body: Body) -> Body:
        more = {key: body[key] for key in ("global_name", "locale", "nick", "owner") if key in body}
        return {"id": self._guild(body).user(body["name"], **more).id}

    async def channel(self, body: Body) -> Body:
        return {"id": self._guild(body).channel(body["name"]).id}

    # What goes wrong

    async def ratelimit(self, body: Body) -> Body:
        names = ("times", "retry_after", "whole", "via")
        self.simulator.ratelimit(body.get("where", "*"), **{key: body[key] for key in names if key in body})
        return {}

    async def fail(self, body: Body) -> Body:
        names = ("status", "times", "code", "performed")
        self.simulator.fail(body.get("where", "*"), **{key: body[key] for key in names if key in body})
        return {}

    async def reconnect(self, body: Body) -> Body:
        self.simulator.reconnect()
        return {}

    async def invalidate(self, body: Body) -> Body:
        self.simulator.invalidate(resumable=bool(body.get("resumable")))
        return {}

    async def close(self, body: Body) -> Body:
        return {"closed": self.simulator.close_sockets(int(body.get("code", 4000)))}

    async def advance(self, body: Body) -> Body:
        self.simulator.advance(float(body["seconds"]))
        return {}

    # What there is to see

    async def messages(self, body: Body) -> Body:
        channel = self._channel(body)
        after = int(body.get("after") or 0)
        seen = [
            {
                "id": message.id,
                "user": message.author.name,
                "content": message.content,
                "bot": message.is_bot,
                "type": message.type,
                "reply_to": message.reference,
                "thread": None if message.thread is None else message.thread.id,
                "reactions": {emoji: len(people) for emoji, people in message.reactions.items()},
                "attachments": [file.url for file in message.attachments],
            }
            for message in channel.messages
            if int(message.id) > after
        ]
        return {"channel": channel.id, "messages": seen}
