"""``@skill.webhook(path)``: another program calls. `dragoman.web` listens, and verifies the secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, Final, Literal

from ..errors import SkillError
from ..event import Webhook
from ..priority import Priority
from .trigger import Candidate, Declared, Index, Occasion, Place, Trigger

__all__ = ["WebhookIndex", "WebhookTrigger"]

PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*", re.ASCII)


class WebhookTrigger(Trigger):
    """A call of ``/hooks/<skill><path>``, with the secret of ``[webhooks.<skill>]``."""

    kind: Literal["webhook"] = "webhook"
    typed: ClassVar[bool] = False
    path: str = ""

    @classmethod
    def declare(cls, path: str = "") -> Declared:
        """Run the function when another program posts to the skill's path, such as ``/build``."""
        if callable(path) or not PATH.fullmatch(path) or ".." in path or len(path) > 200:
            raise SkillError(f"webhook({path!r}): write a path such as /build, of letters, digits, - and _")
        return Declared(cls(path=path))

    @classmethod
    def index(cls, prefixes: Sequence[str]) -> Index:
        return WebhookIndex()


class WebhookIndex(Index):
    """The event says whose it is."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], Place] = {}

    def add(self, place: Place, trigger: WebhookTrigger) -> None:
        self._places[place.skill.name, place.handler.name] = place

    def find(self, occasion: Occasion) -> Iterator[Candidate]:
        event = occasion.event
        if isinstance(event, Webhook) and (place := self._places.get((event.skill, event.handler))):
            yield Candidate(place, dict, Priority.OVERHEARD)
