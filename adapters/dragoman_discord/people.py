"""Somebody on Discord, from user and member objects. Pure.

Read are (https://docs.discord.com/developers/resources/user#user-object): ``id``, ``username``, ``global_name``,
``bot``, ``system``; and of a guild's member (https://docs.discord.com/developers/resources/guild#guild-member-object):
``nick``, ``roles``. Discord tells nobody's time zone, and somebody's language only with an interaction.

========== =================================================================================
role       who has it
========== =================================================================================
``owner``  the guild's owner
``admin``  the owner, and whoever has a role with the permission ``ADMINISTRATOR``
``member`` everybody in the guild
========== =================================================================================

The name of each of their roles is a role too, in lower case. Programs, and people outside of any guild, have none.
"""

from collections.abc import Mapping
from typing import Any, Final

from dragoman import Person

from .payload import flag, mapping, optional, snowflake
from .places import Guild

__all__ = ["STANDINGS", "called", "read_member", "read_user"]

#: The roles that Discord's own permissions give. No role may be named so: whoever may make roles could else make
#: himself an admin here.
STANDINGS: Final = ("owner", "admin", "member")


def called(user: Mapping[str, Any], path: str, member: Mapping[str, Any] | None = None) -> str:
    """What people see as the name: the guild's, else the one for everywhere, else the user name."""
    nick = optional(member, "nick", f"{path}.member") if member is not None else ""
    return nick or optional(user, "global_name", path) or optional(user, "username", path)


def read_user(
    user: Mapping[str, Any], path: str, member: Mapping[str, Any] | None = None, *, webhook: bool = False
) -> Person:
    """Who said or did something; without roles, which the directory knows.

    Raises:
        PayloadError: a field is missing or of the wrong type.
    """
    return Person(
        id=snowflake(user, "id", path),
        name=called(user, path, member),
        bot=webhook or flag(user, "bot") or flag(user, "system"),
    )


def read_member(member: Mapping[str, Any], path: str, guild: Guild, locale: str | None = None) -> Person:
    """A guild's member; complete.

    Raises:
        PayloadError: a field is missing or of the wrong type.
    """
    person = read_user(mapping(member, "user", path), f"{path}.user", member)
    return person.model_copy(update={"locale": locale, "roles": () if person.bot else _roles(person.id, member, guild)})


def _roles(id: str, member: Mapping[str, Any], guild: Guild) -> tuple[str, ...]:
    given = member.get("roles")
    ids = [role for role in given if isinstance(role, str)] if isinstance(given, list) else []
    # Everybody has the role that has the guild's own id, and its permissions.
    held = [guild.roles[role] for role in (guild.id, *ids) if role in guild.roles]
    owner = bool(guild.owner) and id == guild.owner
    has = {"owner": owner, "admin": owner or any(role.admin for role in held), "member": True}
    names = {role.name.strip().lower() for role in held if role.id != guild.id} - {"", *STANDINGS}
    return (*(standing for standing in STANDINGS if has[standing]), *sorted(names))
