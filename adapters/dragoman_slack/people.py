"""Somebody on Slack, from a user object. Pure.

Read are (https://docs.slack.dev/reference/objects/user-object): ``id``, ``team_id``, ``name``, ``real_name``,
``deleted``, ``tz``, ``locale``, ``is_bot``, the ``is_*`` flags, ``profile.display_name`` and
``enterprise_user`` (``enterprise_id``, ``teams``, its own flags) in an organisation.

========== ==================================================================
role       who has it
========== ==================================================================
``owner``  ``is_owner`` or ``is_primary_owner``
``admin``  ``is_admin``
``guest``  ``is_restricted`` (several channels) or ``is_ultra_restricted``
``member`` everybody else who belongs to the installation
========== ==================================================================

An app installed for a whole organisation has its owners and admins: a workspace's own have no say there.
No role have: programs, whoever was deactivated or has only been invited, and people of other organisations,
whatever they are at home. The handle of each user group is a role too; see `with_groups`.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from dragoman import Person

from .payload import optional, required
from .spoken import SLACKBOT, other_team

__all__ = ["STANDINGS", "read_person", "with_groups"]

#: The roles that Slack's own flags give. No user group may be named so: whoever may make user groups could
#: else make himself an admin here.
STANDINGS: Final = ("owner", "admin", "guest", "member")


def read_person(user: Mapping[str, Any], path: str, tenant: str) -> Person:
    """The person; complete, but for the user groups and, where Slack leaves it out, the locale.

    Args:
        path: where the user object stands, for blame.
        tenant: the installation: a team's id, or an organisation's.

    Raises:
        PayloadError: a field is of the wrong type.
    """
    id = required(user, "id", path)
    profile = _part(user, "profile")
    grid = _part(user, "enterprise_user")
    team = optional(user, "team_id", path)
    teams = grid.get("teams")
    ours = grid.get("enterprise_id") == tenant or (isinstance(teams, list) and tenant in teams)
    elsewhere = None if ours else other_team(team, tenant)
    bot = user.get("is_bot") is True or id == SLACKBOT
    # Whatever was not supplied may be missing, null or empty: https://docs.slack.dev/reference/methods/users.info
    name = (
        optional(profile, "display_name", f"{path}.profile")
        or optional(profile, "real_name", f"{path}.profile")
        or optional(user, "real_name", path)
        or optional(user, "name", path)
    )
    outside = bot or elsewhere or any(user.get(flag) is True for flag in ("deleted", "is_stranger", "is_invited_user"))
    return Person(
        id=id,
        name=name,
        tenant=elsewhere,
        locale=optional(user, "locale", path).replace("_", "-") or None,
        bot=bot,
        timezone=_zone(optional(user, "tz", path)),
        roles=() if outside else _standings(user, grid if grid.get("enterprise_id") == tenant else user),
    )


def with_groups(person: Person, handles: Iterable[str]) -> Person:
    """The person with the handles of their user groups as further roles, in lower case."""
    groups = sorted({handle.lower() for handle in handles} - {"", *STANDINGS} - set(person.roles))
    return person.model_copy(update={"roles": (*person.roles, *groups)}) if groups else person


def _part(user: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = user.get(name)
    return value if isinstance(value, Mapping) else {}


def _standings(user: Mapping[str, Any], flags: Mapping[str, Any]) -> tuple[str, ...]:
    owner = flags.get("is_owner") is True or flags.get("is_primary_owner") is True
    guest = user.get("is_restricted") is True or user.get("is_ultra_restricted") is True
    held = {"owner": owner, "admin": flags.get("is_admin") is True, "guest": guest, "member": not guest}
    return tuple(role for role in STANDINGS if held[role])


@lru_cache(maxsize=1000)
def _zone(name: str) -> str | None:
    """The name, if there is such a time zone."""
    try:
        return ZoneInfo(name).key if name else None
    except (KeyError, ValueError, OSError):
        return None
