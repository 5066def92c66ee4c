"""User groups, which are roles: who is in which, and who is concerned when one changes.

``usergroups.list`` is asked for all people at once and kept for `GROUPED` seconds. An app of a whole organisation asks
it once for each workspace that it was approved for, since Slack wants a ``team_id`` from it.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dragoman import DeliveryError

from .api import Api
from .payload import PayloadError, items, mapping, optional, required
from .teams import Teams

__all__ = ["GROUPED", "GROUP_EVENTS", "Groups"]

log = logging.getLogger(__name__)

#: User groups are roles, so one that somebody has left must not be believed for long.
GROUPED: Final = 60.0
#: https://docs.slack.dev/reference/events/subteam_members_changed and subteam_updated
GROUP_EVENTS: Final = frozenset({"subteam_members_changed", "subteam_updated"})


@dataclass(frozen=True, slots=True)
class Group:
    """One that is in use: its handle, and the ids of who is in it."""

    handle: str
    users: frozenset[str]


class Groups:
    """The user groups of one account.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, account: str, api: Api, teams: Teams, clock: Callable[[], float]) -> None:
        self._account = account
        self._api = api
        self._teams = teams
        self._clock = clock
        self._lock = asyncio.Lock()
        self._groups: dict[str, Group] = {}
        self._at = -math.inf
        self._changes = 0

    async def of(self, person: str) -> list[str]:
        """The handles of somebody's groups; none where Slack has no groups or does not tell us.

        Raises:
            DeliveryError: Slack cannot be asked now.
        """
        async with self._lock:
            if self._clock() - self._at > GROUPED:
                changes = self._changes
                try:
                    self._groups = await self._list()
                except DeliveryError as error:
                    # A free plan has no user groups, and the scope may be missing.
                    if error.retry:
                        raise
                    log.info("%s: user groups are no roles: %s", self._account, error)
                    self._groups = {}
                # What has changed while Slack answered may not be in the answer.
                self._at = self._clock() if changes == self._changes else -math.inf
            return [group.handle for group in self._groups.values() if person in group.users]

    def changed(self, event: Mapping[str, Any]) -> list[str]:
        """Take the event that a group has changed: forget all groups, and tell whose roles may be others now.

        First who is out, since a role must be lost sooner than it is won. When a group is renamed or disabled, that
        is everybody in it.

        Raises:
            PayloadError: a field that Slack documents is missing or of the wrong type.
        """
        if event.get("type") == "subteam_members_changed":
            lost, won = _ids(event, "removed_users"), _ids(event, "added_users")
        else:
            subteam = mapping(event, "subteam", "event")
            id = required(subteam, "id", "event.subteam")
            now = _group(subteam, "event.subteam")
            before = self._groups.get(id, Group("", frozenset()))
            same = before.handle == now.handle
            lost = sorted(before.users - now.users)
            won = sorted(now.users - before.users if same else before.users | now.users)
        self._at = -math.inf
        self._changes += 1
        return list(dict.fromkeys((*lost, *won)))

    async def _list(self) -> dict[str, Group]:
        found: dict[str, Group] = {}
        for team in await self._teams.arguments():
            answer = await self._api.call("usergroups.list", {"include_users": True, **team})
            try:
                for group in items(answer, "usergroups", ""):
                    found[str(group.get("id"))] = _group(group, "usergroups")
            except PayloadError as error:
                raise DeliveryError(f"usergroups.list: {error}", code="bad_response") from None
        return found


def _group(group: Mapping[str, Any], path: str) -> Group:
    """https://docs.slack.dev/reference/objects/usergroup-object; nobody is in one that is disabled."""
    users = group.get("users")
    used = isinstance(users, list) and not group.get("date_delete")
    return Group(optional(group, "handle", path), frozenset(map(str, users or ())) if used else frozenset())


def _ids(event: Mapping[str, Any], name: str) -> list[str]:
    value = event.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(id, str) for id in value):
        raise PayloadError(f"event.{name}", "must be a list of texts")
    return value
