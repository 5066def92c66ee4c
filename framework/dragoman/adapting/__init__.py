"""For writers of adapters: what nearly every platform needs.

A platform's JSON is read with errors that blame the field (`required`, `mapping` and the like raise `PayloadError`), a
text that is too long for one message becomes several (`fit`), and a platform that cannot be reached is tried again
after `delays`.
"""

from .backoff import delays
from .fences import fenced
from .payload import PayloadError, items, joined, mapping, optional, required
from .splitting import Code, Line, Markup, Run, fit, write
from .writing import Writer, words_of

__all__ = [
    "Code",
    "Line",
    "Markup",
    "PayloadError",
    "Run",
    "Writer",
    "delays",
    "fenced",
    "fit",
    "items",
    "joined",
    "mapping",
    "optional",
    "required",
    "words_of",
    "write",
]
