"""An action on its way through a gateway, and what waits in line with it."""

from collections import deque
from dataclasses import dataclass, replace
from typing import Self

from .action import Action
from .address import Address
from .exchange.message import Delivery

__all__ = ["Job", "Lane"]


@dataclass(slots=True)
class Job:
    """An action to perform, and the delivery to settle (none, if it came from the ledger or is left to it).

    Attributes:
        moved: to the place that its address was a name for.
    """

    action: Action
    delivery: Delivery | None = None
    moved: bool = False

    def at(self, address: Address) -> Self:
        """The same at the place that its address is a name for."""
        if address == self.action.address:
            return self
        return replace(self, action=self.action.model_copy(update={"address": address}), moved=True)

    def ack(self) -> None:
        """It is done, or the ledger looks after it."""
        if self.delivery is not None:
            self.delivery.ack()

    def requeue(self) -> None:
        """Not now, or not here."""
        if self.delivery is not None:
            self.delivery.requeue()


@dataclass(slots=True)
class Lane:
    """What is to be said in one conversation, in order; ``stalled``: the first of it cannot be done now."""

    jobs: deque[Job]
    stalled: bool = False
