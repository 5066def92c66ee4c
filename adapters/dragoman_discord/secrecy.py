"""Secrets that stand in addresses are not said in logs."""

import logging
import re
from typing import Final

__all__ = ["keep_quiet", "without_tokens"]

#: In an address (https://docs.discord.com/developers/interactions/receiving-and-responding#endpoints), and in what
#: discord.py calls a rate limit after: ``ID+TOKEN``.
TOKEN: Final = re.compile(r"(/(?:webhooks|interactions)/[^/\s]+/|\b\d{1,20}\+)[^/?\s'\"]+")


def without_tokens(text: str) -> str:
    """A text in which addresses say ``...`` for the tokens of interactions and webhooks."""
    return TOKEN.sub(r"\1...", text)


class _Quiet(logging.Filter):
    """Takes the tokens out of what a record says."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        clean = without_tokens(said)
        if clean != said:
            record.msg, record.args = clean, ()
        return True


def keep_quiet(log: logging.Logger) -> None:
    """From now on that log says no tokens."""
    if not any(isinstance(each, _Quiet) for each in log.filters):
        log.addFilter(_Quiet())
