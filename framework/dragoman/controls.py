"""What has been said of skills, as a part of the bot knows it: read from the store about once in a second."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Engine

from .store.controls import Control, read_controls
from .store.engine import reading

__all__ = ["LOOK", "Controls"]

#: Seconds between two looks.
LOOK: Final = 1.0


class Controls:
    """Reads them again; between two looks nothing changes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._found: Mapping[str, Control] = {}

    def refresh(self) -> bool:
        """Look; whether anything has changed."""
        with reading(self._engine) as connection:
            found = read_controls(connection)
        changed, self._found = found != self._found, found
        return changed

    def of(self, skill: str) -> Control:
        """What has been said of a skill."""
        return self._found.get(skill) or Control(skill)

    @property
    def draining(self) -> frozenset[str]:
        """The skills that get no new runs."""
        return frozenset(name for name, control in self._found.items() if control.state == "draining")
