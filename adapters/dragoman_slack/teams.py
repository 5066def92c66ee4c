"""The workspaces of an app that is installed for a whole organisation.

Such an app must say of which workspace it wants a list: "required if token belongs to org-wide app"
(https://docs.slack.dev/reference/methods/conversations.list and usergroups.list). ``auth.teams.list`` tells for which
it was approved (https://docs.slack.dev/reference/methods/auth.teams.list). Any other app says nothing.
"""

import math
from collections.abc import Callable
from typing import Final

from dragoman import DeliveryError

from .api import Api
from .payload import PayloadError, items, required

__all__ = ["Teams"]

#: Seconds that they are kept.
FRESH: Final = 600.0
PAGE: Final = 1000
MOST_PAGES: Final = 20


class Teams:
    """The workspaces of one account.

    Attributes:
        organisation: whether the app is installed for a whole organisation.
    """

    def __init__(self, api: Api, clock: Callable[[], float]) -> None:
        self.organisation = False
        self._api = api
        self._clock = clock
        self._ids: list[str] = []
        self._at = -math.inf

    async def arguments(self) -> list[dict[str, str]]:
        """What to add to a call, for each time that it must be made.

        Raises:
            DeliveryError: Slack cannot be asked now.
        """
        if not self.organisation:
            return [{}]
        if self._clock() - self._at > FRESH:
            self._ids = await self._list()
            self._at = self._clock()
        return [{"team_id": id} for id in self._ids]

    async def _list(self) -> list[str]:
        found: list[str] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            answer = await self._api.call("auth.teams.list", {"limit": PAGE, **({"cursor": cursor} if cursor else {})})
            try:
                found += [required(team, "id", "teams") for team in items(answer, "teams", "")]
            except PayloadError as error:
                raise DeliveryError(f"auth.teams.list: {error}", code="bad_response") from None
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                break
        return found
