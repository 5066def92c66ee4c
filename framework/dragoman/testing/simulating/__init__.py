"""For writers of adapters: a simulator of a platform, for testing bots with no token.

What each needs is here: it listens on loopback and waits for what bots do (`Simulator`), things go wrong on demand
(`Fault`, `Faults`), people without Python use it with ``curl`` (`controls`) and start it from the command line
(`command_line`, `serve`). What the platform does with a call or a connection is the adapter's own.
"""

from .control import Act, Body, controls, one_of
from .faults import Fault, Faults
from .serving import command_line, serve
from .simulator import Simulator, hang_up

__all__ = [
    "Act",
    "Body",
    "Fault",
    "Faults",
    "Simulator",
    "command_line",
    "controls",
    "hang_up",
    "one_of",
    "serve",
]
