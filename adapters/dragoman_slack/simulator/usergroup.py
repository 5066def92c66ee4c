"""User groups: a handle that mentions several people."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import events

if TYPE_CHECKING:
    from .people import User
    from .workspace import Workspace

__all__ = ["UserGroup"]


@dataclass(slots=True, eq=False)
class UserGroup:
    """A user group.

    Attributes:
        handle: what follows the ``@``.
        users: the ids of its people.
        disabled: since when (unix seconds); 0 if it is not.
    """

    workspace: "Workspace"
    id: str
    handle: str
    name: str
    users: list[str]
    disabled: int = 0

    def change(
        self, *, users: "Iterable[User] | None" = None, handle: str | None = None, disabled: bool | None = None
    ) -> None:
        """Somebody changed it: the apps that listen are told."""
        workspace = self.workspace
        simulator, before = workspace.simulator, self.users
        self.users = before if users is None else [user.id for user in users]
        self.handle = handle or self.handle
        if disabled is not None:
            self.disabled = simulator.now() if disabled else 0
        if self.users != before:
            workspace.tell_groups(events.group_members_event(self, before, simulator.new_ts()))
        workspace.tell_groups(events.group_event(self, simulator.new_ts()))

    def payload(self, *, users: bool, count: bool) -> dict[str, Any]:
        """The user group object. https://docs.slack.dev/reference/objects/usergroup-object"""
        maker = self.workspace.app.user_id
        described: dict[str, Any] = {
            "id": self.id,
            "team_id": self.workspace.id,
            "is_usergroup": True,
            "is_subteam": True,
            "name": self.name,
            "description": "",
            "handle": self.handle,
            "is_external": False,
            "date_create": 1_700_000_000,
            "date_update": 1_700_000_000,
            "date_delete": self.disabled,
            "auto_type": None,
            "auto_provision": False,
            "enterprise_subteam_id": "",
            "created_by": maker,
            "updated_by": maker,
            "deleted_by": None,
            "prefs": {"channels": [], "groups": []},
        }
        if users:
            described["users"] = list(self.users)
        if count:
            described["user_count"] = len(self.users)
        return described
