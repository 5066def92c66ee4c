"""For writers of adapters: what nearly every platform needs.

A platform's JSON is read with errors that blame the field (`required`, `mapping` and the like raise `PayloadError`), a
text that is too long for one message becomes several (`fit`), and a platform that cannot be reached is tried again
after `delays`. An address that came from outside must not lead inside (`is_outside`).
"""

from .backoff import delays
from .fences import fenced
from .hosts import is_outside
from .payload import PayloadError, items, joined, mapping, optional, required
from .span import Span
from .splitting import Code, Line, Markup, Run, fit, write
from .writing import Writer, words_of

__all__ = [
    "Code",
    "Line",
    "Markup",
    "PayloadError",
    "Run",
    "Span",
    "Writer",
    "delays",
    "fenced",
    "fit",
    "is_outside",
    "items",
    "joined",
    "mapping",
    "optional",
    "required",
    "words_of",
    "write",
]
