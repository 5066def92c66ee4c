"""A simulator for people, started with ``python -m``."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from .simulator import Simulator

__all__ = ["command_line", "serve"]

Some = TypeVar("Some", bound=Simulator[Any])


def command_line(module: str, about: str | None, *, port: int) -> argparse.ArgumentParser:
    """What every simulator can be told: ``host``, ``port`` and what the ``bot`` is called. A platform may add more.

    Args:
        module: what ``python -m`` starts.
        port: where it listens if nobody says so.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=port)
    parser.add_argument("--bot", default="dragoman", help="what the bot is called")
    return parser


def serve(simulator: Some, begin: Callable[[Some], str]) -> None:
    """Run until Ctrl-C.

    Args:
        begin: is called when it listens; puts people and channels into it, and returns what to print.
    """

    async def listen() -> None:
        async with simulator:
            sys.stdout.write(begin(simulator))
            sys.stdout.flush()
            await asyncio.Event().wait()

    try:
        asyncio.run(listen())
    except KeyboardInterrupt:
        sys.stdout.write("\n")
