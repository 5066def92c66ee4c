"""The time zone of this machine."""

import os
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

__all__ = ["local_zone"]

#: The file (or link to one) that says what time it is here, and the folder that it usually comes from.
LOCALTIME: Final = Path("/etc/localtime")
FOLDER: Final = "/zoneinfo/"


def local_zone(localtime: Path = LOCALTIME) -> str | None:
    """Its name, such as ``Europe/Berlin``: from ``TZ``, else from what the system's clock is linked to.

    `None` if neither names one: then it is for the bot's settings to say.
    """
    _, _, linked = os.path.realpath(localtime).partition(FOLDER)
    for name in (os.environ.get("TZ", "").removeprefix(":"), linked):
        try:
            if name:
                return ZoneInfo(name).key
        except (KeyError, ValueError, OSError):
            continue
    return None
