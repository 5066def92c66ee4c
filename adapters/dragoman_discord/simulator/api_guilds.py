"""The gateway's address, who the bot is, guilds, members and roles.

https://docs.discord.com/developers/resources/guild and https://docs.discord.com/developers/resources/user
"""

from typing import Any

from .call import Answer, Call, Method
from .refused import Refused

__all__ = ["METHODS"]

_GUILD = "/guilds/{guild_id}"


def _gateway(call: Call) -> Answer:
    """https://docs.discord.com/developers/events/gateway#get-gateway-bot"""
    simulator, app = call.simulator, call.app
    limit = {
        "total": 1000,
        "remaining": max(0, 1000 - app.starts),
        "reset_after": 86_400_000,
        "max_concurrency": simulator.concurrency,
    }
    shards = max(1, -(-len(app.guilds()) // simulator.guilds_a_shard))
    return Answer({"url": simulator.gateway_url, "shards": shards, "session_start_limit": limit})


def _me(call: Call) -> Answer:
    more = {"mfa_enabled": False, "locale": "en-US", "verified": True, "email": None}
    return Answer(call.app.user.payload() | more)


def _application(call: Call) -> Answer:
    return Answer(call.app.payload())


def _my_guilds(call: Call) -> Answer:
    limit, after = call.number("limit", 200, 1, 200), call.id("after")
    guilds = [guild for guild in call.app.guilds() if not after or int(guild.id) > int(after)]
    shown: list[dict[str, Any]] = [
        {
            "id": guild.id,
            "name": guild.name,
            "icon": None,
            "banner": None,
            "owner": guild.owner is call.app.user,
            "permissions": str(guild.permissions(call.app.user)),
            "features": [],
        }
        for guild in guilds[:limit]
    ]
    return Answer(shown)


def _user(call: Call) -> Answer:
    return Answer(call.user().payload())


def _guild(call: Call) -> Answer:
    guild = call.guild()
    counts = {"approximate_member_count": len(guild.members), "approximate_presence_count": len(guild.members)}
    return Answer(guild.payload() | (counts if call.flag("with_counts") else {}))


def _channels(call: Call) -> Answer:
    return Answer([channel.payload() for channel in call.guild().channels.values() if channel.sees(call.app.user)])


def _threads(call: Call) -> Answer:
    found = [each for each in call.guild().threads.values() if not each.archived and each.sees(call.app.user)]
    mine = [each.thread_member(call.app.user) for each in found if call.app.user.id in each.members]
    return Answer({"threads": [each.payload(call.app) for each in found], "members": mine, "has_more": False})


def _roles(call: Call) -> Answer:
    return Answer([role.payload() for role in call.guild().roles.values()])


def _emojis(call: Call) -> Answer:
    return Answer([emoji.payload() for emoji in call.guild().emoji.values()])


def _member(call: Call) -> Answer:
    guild, user = call.guild(), call.user()
    if user.id not in guild.members:
        raise Refused(10007)
    return Answer(guild.members[user.id].payload())


def _members(call: Call) -> Answer:
    """https://docs.discord.com/developers/resources/guild#list-guild-members: needs the privileged intent."""
    guild = call.guild()
    if not call.app.privileged & (1 << 1):
        raise Refused(50001)
    limit, after = call.number("limit", 1, 1, 1000), call.id("after")
    found = sorted((each for each in guild.members.values()), key=lambda each: int(each.user.id))
    return Answer([each.payload() for each in found if not after or int(each.user.id) > int(after)][:limit])


def _search(call: Call) -> Answer:
    guild, query = call.guild(), call.query.get("query", "").lower()
    limit = call.number("limit", 1, 1, 1000)
    found = [
        each
        for each in guild.members.values()
        if any(name and name.lower().startswith(query) for name in (each.nick, each.user.name))
    ]
    return Answer([each.payload() for each in found[:limit]])


METHODS = (
    Method("GET", "/gateway/bot", _gateway),
    Method("GET", "/users/@me", _me),
    Method("GET", "/users/@me/guilds", _my_guilds),
    Method("GET", "/users/{user_id}", _user),
    Method("GET", "/oauth2/applications/@me", _application),
    Method("GET", "/applications/@me", _application),
    Method("GET", _GUILD, _guild),
    Method("GET", f"{_GUILD}/channels", _channels),
    Method("GET", f"{_GUILD}/threads/active", _threads),
    Method("GET", f"{_GUILD}/roles", _roles),
    Method("GET", f"{_GUILD}/emojis", _emojis),
    Method("GET", f"{_GUILD}/members", _members),
    Method("GET", f"{_GUILD}/members/search", _search),
    Method("GET", f"{_GUILD}/members/{{user_id}}", _member),
)
