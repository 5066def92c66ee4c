"""What a person is told when a run has failed for good: a plain sentence with a reference, never a traceback."""

import time

from .action import Action, Send, action_key
from .address import NOWHERE
from .content import Content
from .event import Message
from .task import Task

__all__ = ["apology"]


def apology(task: Task) -> Action | None:
    """What the person is told after the last attempt; ``None`` if nobody had asked for anything."""
    event = task.event
    waiting = task.asked or (isinstance(event, Message) and event.addressed)
    if not waiting or event.address == NOWHERE:
        return None
    text = f"Sorry, that did not work. If you report it, please mention the reference `{task.reference}`."
    return Send(
        # Not an ordinal: whatever the handler had said before it failed keeps its place.
        key=action_key(event.key, f"{task.skill}.{task.handler}.failed", 0),
        address=event.address,
        content=Content(text=text),
        traceparent=event.traceparent,
        hops=(*task.hops, ("worker", time.time())),
    )
