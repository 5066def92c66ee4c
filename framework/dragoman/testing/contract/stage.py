"""Where an adapter is tested: on its platform, or a simulator of it."""

from abc import ABC, abstractmethod

from ...adapter import Adapter
from ...address import Address

__all__ = ["Stage"]


class Stage(ABC):
    """An adapter on its platform (a simulator of it), and Ann, who talks to it.

    Attributes:
        adapter: not running yet; its platform knows it.
        here: where Ann talks.
    """

    adapter: Adapter
    here: Address

    @abstractmethod
    async def say(self, text: str) -> None:
        """Ann says something; the adapter hears of it."""

    @abstractmethod
    def shown(self) -> list[str]:
        """What people see there of what the bot has said, the oldest first, in the platform's own markup."""

    async def begin(self) -> None:  # noqa: B027  # most simulators need nothing
        """The adapter runs now."""

    async def settle(self) -> None:  # noqa: B027  # most simulators show at once what was answered
        """Wait until people see all that the adapter has done so far."""

    def below(self, id: str) -> list[str]:
        """What people see of what the bot has said in the thread of that message, the oldest first."""
        raise NotImplementedError

    def reactions(self) -> int:
        """How many emoji the bot has put on messages there."""
        raise NotImplementedError

    def called(self) -> list[str]:
        """Who gets a notification because what the bot has said there mentions them: people, groups, everybody."""
        raise NotImplementedError

    def another(self) -> Adapter:
        """The same account in another process, which knows nothing of this one; itself where there cannot be two."""
        return self.adapter

    def refused(self) -> Adapter:
        """The same account with credentials that the platform does not take."""
        raise NotImplementedError

    def unreachable(self) -> Adapter:
        """The same account, of a platform that is not there."""
        raise NotImplementedError

    async def hang_up(self) -> None:
        """The platform breaks the adapter's connection."""
        raise NotImplementedError

    async def garbage(self) -> None:
        """The platform sends what nobody understands."""
        raise NotImplementedError
