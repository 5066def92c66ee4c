"""A gateway session: what an app is told, in order, and can be told again when it resumes.

https://docs.discord.com/developers/events/gateway#resuming
"""

import json
import secrets
from collections import deque
from typing import TYPE_CHECKING, Any

from . import intents

if TYPE_CHECKING:
    from .application import Application
    from .guild import Guild
    from .socket import Socket

__all__ = ["Session"]

#: The most members that are searched for by name or id at once.
_MOST = 100
_dumps = json.JSONEncoder(separators=(",", ":")).encode


class Session:
    """One session of an app, for one shard.

    Attributes:
        socket: the websocket that it has now, or `None` while the app is away.
        seq: the number of the last thing that it was told.
        left: when its socket went, in unix seconds.
        over: whether it cannot be resumed any more.
    """

    def __init__(self, app: "Application", intents: int, shard: tuple[int, int], keep: int) -> None:
        self.app = app
        self.id = secrets.token_hex(16)
        self.intents = intents
        self.shard = shard
        self.seq = 0
        self.socket: Socket | None = None
        self.left = 0.0
        self.over = False
        self.sent: deque[tuple[int, str]] = deque(maxlen=keep)

    def __repr__(self) -> str:
        return f"<Session {self.id[:8]} of {self.app.name}, shard {self.shard[0]} of {self.shard[1]}>"

    @property
    def reads(self) -> bool:
        """Whether it is told the content of messages that are not meant for the app."""
        return bool(self.intents & intents.MESSAGE_CONTENT)

    def holds(self, guild: str | None) -> bool:
        """Whether a guild is its shard's; direct messages are the first one's.

        https://docs.discord.com/developers/events/gateway#sharding
        """
        id, count = self.shard
        return id == (0 if guild is None else (int(guild) >> 22) % count)

    def wants(self, event: str, guild: str | None) -> bool:
        """Whether it is told of such an event there."""
        need = intents.needed(event, guild is None)
        return self.holds(guild) and (not need or bool(self.intents & need))

    def send(self, event: str, data: Any) -> None:
        """Tell it something, now or when it resumes."""
        self.seq += 1
        text = _dumps({"op": 0, "s": self.seq, "t": event, "d": data})
        self.sent.append((self.seq, text))
        if self.socket is not None:
            self.socket.put(text)

    def welcome(self, guild: "Guild", *, new: bool = False) -> None:
        """Tell it all of a guild; ``new``: the bot has just come into it."""
        if self.wants("GUILD_CREATE", guild.id):
            everybody = bool(self.intents & intents.GUILD_PRESENCES)
            data = guild.created(self.app, members=everybody)
            # A guild that the bot was in already was said to be unavailable, until now.
            self.send("GUILD_CREATE", data if new else {**data, "unavailable": False})

    def ready(self, url: str) -> None:
        """Begin: https://docs.discord.com/developers/events/gateway-events#ready"""
        app = self.app
        guilds = [guild for guild in app.guilds() if self.holds(guild.id)]
        user = {**app.user.payload(), "verified": True, "email": None, "mfa_enabled": False}
        self.send(
            "READY",
            {
                "v": 10,
                "user": user,
                "guilds": [{"id": guild.id, "unavailable": True} for guild in guilds],
                "session_id": self.id,
                "session_type": "normal",
                "resume_gateway_url": url,
                "shard": list(self.shard),
                "application": {"id": app.id, "flags": app.flags},
                "private_channels": [],
                "relationships": [],
                "user_settings": {},
                "presences": [],
                "geo_ordered_rtc_regions": [],
                "_trace": ["simulator"],
            },
        )
        for guild in guilds:
            self.welcome(guild)

    def has(self, seq: int) -> bool:
        """Whether everything after a number can be told again."""
        return seq == self.seq or (bool(self.sent) and self.sent[0][0] <= seq + 1)

    def resume(self, socket: "Socket", seq: int) -> None:
        """Go on with another socket: what came after ``seq`` is told again."""
        self.socket = socket
        for number, text in list(self.sent):
            if number > seq:
                socket.put(text)
        self.send("RESUMED", {"_trace": ["simulator"]})

    def members(self, wish: dict[str, Any], guild: "Guild") -> None:
        """Answer ``Request Guild Members``: https://docs.discord.com/developers/events/gateway-events#request-guild-members"""
        query, limit, ids = wish.get("query"), wish.get("limit") or 0, wish.get("user_ids")
        wanted: list[Any] | None = [ids] if isinstance(ids, str | int) else ids
        found = list(guild.members.values())
        missing: list[str] = []
        if wanted is not None:
            asked = {str(id) for id in wanted[:_MOST]}
            found = [member for member in found if member.user.id in asked]
            missing = sorted(asked - guild.members.keys())
        elif query:
            found = [each for each in found if (each.nick or each.user.name).lower().startswith(query.lower())][:_MOST]
        found = found[:limit] if limit else found
        pages = [found[at : at + 1000] for at in range(0, len(found), 1000)] or [[]]
        for index, page in enumerate(pages):
            chunk: dict[str, Any] = {
                "guild_id": guild.id,
                "members": [member.payload() for member in page],
                "chunk_index": index,
                "chunk_count": len(pages),
            }
            if missing:
                chunk["not_found"] = missing
            if wish.get("nonce") is not None:
                chunk["nonce"] = wish["nonce"]
            self.send("GUILD_MEMBERS_CHUNK", chunk)
