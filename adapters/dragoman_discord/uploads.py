"""Files on their way out: multipart bodies, as https://docs.discord.com/developers/reference#uploading-files has them.

The JSON is the field ``payload_json``, and the bytes of each file are a field ``files[n]``. They are read from the
disk while they are sent, and from the start again if discord.py tries again.
"""

import contextlib
import io
import json
import os
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, cast

import discord

from dragoman import DeliveryError, FileRef

from .attachments import shown_name
from .render import Call

__all__ = ["Open", "nothing_to_open", "patience", "too_large", "uploading"]

#: Gives the bytes of a file, to read and close.
Open = Callable[[FileRef], BinaryIO]
#: What a file may have by default, in MiB; guilds with boosts allow more. The answer does not say how much.
LIMIT: Final = 20
#: Discord's own code, and that of what stands before it.
TOO_LARGE: Final = frozenset({"40005", "http_413"})
#: Bytes in a second that a slow line still carries.
SLOWEST: Final = 128 * 1024


def nothing_to_open(file: FileRef) -> BinaryIO:
    """An `Open` of nobody who keeps files."""
    raise DeliveryError(f"the bytes of {shown_name(file)!r} are not here", code="no_file")


def patience(size: int, timeout: float) -> float:
    """Seconds that a call may take which carries so many bytes."""
    return timeout + size / SLOWEST


@contextlib.contextmanager
def uploading(call: Call, open_file: Open) -> Iterator[tuple[list[dict[str, Any]], list[discord.File], int]]:
    """What discord.py's ``request`` is given as ``form`` and as ``files``, and how many bytes the files have.

    Raises:
        DeliveryError: the bytes of a file are gone.
    """
    form: list[dict[str, Any]] = [
        {"name": "payload_json", "value": json.dumps(call.body), "content_type": "application/json"}
    ]
    files: list[discord.File] = []
    size = 0
    try:
        for number, ref in enumerate(call.files):
            files.append(discord.File(cast(io.BufferedIOBase, open_file(ref)), filename="file"))
            size += _size(files[-1])
            form.append(
                {
                    "name": f"files[{number}]",
                    "value": files[-1].fp,
                    # aiohttp escapes quotes and backslashes in it.
                    "filename": shown_name(ref),
                    "content_type": _media_type(ref),
                }
            )
        yield form, files, size
    finally:
        for file in files:
            # It gives the file back to us, open.
            file.close()
            file.fp.close()


def too_large(call: Call, code: str) -> DeliveryError | None:
    """The error for a call that was refused with that code, if it was for the size of its files."""
    if code not in TOO_LARGE or not call.files:
        return None
    largest = max(call.files, key=lambda file: file.size or 0)
    size = "" if largest.size is None else f" ({largest.size / 2**20:.1f} MiB)"
    return DeliveryError(
        f"the file {shown_name(largest)!r}{size} is larger than Discord takes here: {LIMIT} MiB, and more only in "
        "guilds with boosts (https://docs.discord.com/developers/reference#uploading-files)",
        code=code,
    )


def _size(file: discord.File) -> int:
    end = file.fp.seek(0, os.SEEK_END)
    file.fp.seek(0)
    return end


def _media_type(file: FileRef) -> str:
    """A type that can stand in a header."""
    kind = file.media_type
    good = kind.isascii() and kind.isprintable() and kind.count("/") == 1 and " " not in kind.split(";")[0]
    return kind if good else "application/octet-stream"
