"""The file of ``dragoman store export``: written whole or not at all, and for its owner only."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from .errors import SettingsError

__all__ = ["read_lines", "write_whole"]


@contextmanager
def write_whole(file: str) -> Iterator[TextIO]:
    """Open a file for writing; it appears under its name, with mode 0600, when the block ends well. ``-``: stdout.

    Raises:
        SettingsError: it cannot be written.
    """
    if file == "-":
        yield sys.stdout
        sys.stdout.flush()
        return
    path = Path(file)
    try:
        # Made with mode 0600, and beside the file, so that it can take its place.
        number, part = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise SettingsError(f"{file} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="\n") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        Path(part).replace(path)
    except OSError as error:
        raise SettingsError(f"{file} cannot be written: {error.strerror}") from None
    finally:
        Path(part).unlink(missing_ok=True)


def read_lines(file: str) -> list[str]:
    """The lines of a file, read to its end before anything is done with them. ``-``: stdin.

    Raises:
        SettingsError: it cannot be read.
    """
    try:
        source = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return source.decode().split("\n")
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{file} cannot be read: line {line} is not UTF-8") from None
