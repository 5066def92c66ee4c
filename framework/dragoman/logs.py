"""Logging of the parts: one line each, with the time, the part and the level."""

import logging
import sys

__all__ = ["set_up"]


def set_up(role: str, level: str = "info") -> None:
    """Log to standard error; called once by a process's main function."""
    logging.basicConfig(
        level=level.upper(),
        format=f"%(asctime)s %(levelname)-7s {role:<8} %(message)s",
        stream=sys.stderr,
        force=True,
    )
    # Celery's own lines for each task cost time, and say less than ours, which carry the reference.
    logging.getLogger("celery.worker.strategy").setLevel(logging.WARNING)
    logging.getLogger("celery.app.trace").setLevel(logging.CRITICAL)
    for chatty in ("celery", "kombu", "amqp", "slack_sdk", "aiohttp", "alembic", "asyncio"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))
