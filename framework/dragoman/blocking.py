"""What waits for the store must not be called on an event loop: it would hold up every other handler there."""

import asyncio

from .errors import SkillError

__all__ = ["off_the_loop"]


def off_the_loop(call: str, arguments: str = "") -> None:
    """Refuse to be called on a running event loop.

    Args:
        call: what was called, as its author wrote it, such as ``ctx.store.get``.
        arguments: an example of what it is called with, such as ``"key"`` in quotes.

    Raises:
        SkillError: this thread runs an event loop; says what to write instead.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    given = ", ".join(filter(None, (call, arguments)))
    raise SkillError(
        f"{call} waits for the store, and would hold up every other handler of this event loop: "
        f"write await asyncio.to_thread({given})"
    )
