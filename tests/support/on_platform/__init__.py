"""A bot of a test whose people talk on a real platform: `OnPlatform` is `dragoman.testing.Bot` on a `Ground`."""

from .bot import OnPlatform
from .ground import Ground, Shown
from .grounds import GROUNDS

__all__ = ["GROUNDS", "Ground", "OnPlatform", "Shown"]
