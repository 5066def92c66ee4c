"""Logging of the parts: one line each, as text for people or as JSON for programs."""

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Final, Literal

from . import redaction
from .trace import current_trace

__all__ = ["Form", "JsonFormatter", "set_up"]

#: ``text``: the time, the level, the part and the message; ``json``: an object on each line.
Form = Literal["text", "json"]

CHATTY: Final = ("celery", "kombu", "amqp", "slack_sdk", "aiohttp", "alembic", "asyncio", "opentelemetry")


class JsonFormatter(logging.Formatter):
    """One object on each line: time (UTC), level, process, logger, message, and if there is one: trace, error.

    Args:
        role: which part of the bot this process is.
    """

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": f"{self._role}/{os.getpid()}",
            "logger": record.name,
            # Before it is JSON: what replaces a secret must not take a quote with it.
            "message": redaction.redact(record.getMessage()),
        }
        if trace := getattr(record, "trace", ""):
            told["trace"] = trace
        if record.exc_info or record.exc_text:
            told["error"] = redaction.redact(record.exc_text or self.formatException(record.exc_info or (None,) * 3))
        return json.dumps(told, ensure_ascii=False)


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        trace = getattr(record, "trace", "")
        first, newline, rest = line.partition("\n")
        return f"{first} (trace {trace}){newline}{rest}" if trace else line


def _with_trace(record: logging.LogRecord) -> bool:
    """What is logged while a handler runs carries the id of the trace that it belongs to."""
    record.trace = current_trace()
    return True


def set_up(role: str, level: str = "info", form: Form = "text") -> None:
    """Log to standard error; called once by a process's main function."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_with_trace)
    text = _TextFormatter(f"%(asctime)s %(levelname)-7s {role:<8} %(message)s")
    handler.setFormatter(JsonFormatter(role) if form == "json" else text)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    redaction.install()
    # Celery's own lines for each task cost time, and say less than ours, which carry the reference.
    logging.getLogger("celery.worker.strategy").setLevel(logging.WARNING)
    logging.getLogger("celery.app.trace").setLevel(logging.CRITICAL)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
