"""For writers of adapters: a simulator of a platform, for testing bots with no token.

What each needs is here: it listens on loopback and waits for what bots do (`Simulator`), things go wrong on demand
(`Fault`, `Faults`), people without Python use it with ``curl`` (`control_routes`) and start it from the command line
(`command_line`, `serve`). What the platform does with a call or a connection is the adapter's own.
"""

from .command_line import command_line, serve
from .control import Act, Body, control_routes, one_of
from .faults import Fault, Faults
from .simulator import Simulator, hang_up

__all__ = [
    "Act",
    "Body",
    "Fault",
    "Faults",
    "Simulator",
    "command_line",
    "control_routes",
    "hang_up",
    "one_of",
    "serve",
]
