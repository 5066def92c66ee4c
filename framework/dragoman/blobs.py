"""The bytes of files: a folder, in which each file is named by the SHA-256 of its bytes.

Messages carry references (`dragoman.FileRef`), never bytes. Every process of a bot sees the same folder
(``[files] folder``). What nobody has opened for ``[files] days`` is deleted.
"""

import contextlib
import hashlib
import os
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from .errors import DeliveryError

__all__ = ["Blobs"]

#: How unfinished files begin.
PART: Final = ".part-"
#: Bytes that are copied at once.
PIECE: Final = 256 * 1024


class Blobs:
    """The bot's own keeping of files.

    Args:
        folder: made when it is needed.
        limit: bytes that one file may have.
    """

    def __init__(self, folder: Path, *, limit: int) -> None:
        self._folder = folder
        self._limit = limit

    def put(self, source: BinaryIO | bytes) -> tuple[str, int]:
        """Keep bytes; the name of the blob and its size.

        Raises:
            DeliveryError: they are too many (``file_too_large``).
        """
        with self._writing() as part:
            for piece in [source] if isinstance(source, bytes) else iter(lambda: source.read(PIECE), b""):
                part.write(piece)
        return part.name, part.size

    async def keep(self, pieces: AsyncIterator[bytes]) -> str:
        """Keep what comes in pieces; the name of the blob. Raises as `put`, and whatever ``pieces`` raises."""
        with self._writing() as part:
            async for piece in pieces:
                part.write(piece)
        return part.name

    def open(self, blob: str) -> BinaryIO:
        """The bytes of a blob, to read and close.

        Raises:
            FileNotFoundError: it is not here (any more).
        """
        path = self._path(blob)
        found = path.open("rb")
        with contextlib.suppress(OSError):  # a folder that cannot be written; somebody still looks at it
            os.utime(path)
        return found

    def __contains__(self, blob: str) -> bool:
        return self._path(blob).is_file()

    def forget(self, before: float) -> int:
        """Delete what has not been opened since a time, and what was never finished; how many files."""
        gone = 0
        for path in self._files():
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    gone += 1
        return gone

    def _files(self) -> Iterable[Path]:
        return (path for path in self._folder.glob("*/*") if path.is_file()) if self._folder.is_dir() else ()

    def _path(self, blob: str) -> Path:
        if len(blob) != 64 or not blob.isalnum():
            raise FileNotFoundError(f"{blob[:70]!r} is no blob's name")
        return self._folder / blob[:2] / blob

    @contextmanager
    def _writing(self) -> Iterator["_Part"]:
        folder = self._folder / "new"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{PART}{uuid.uuid4().hex}"
        try:
            with path.open("wb") as file:
                part = _Part(file, self._limit)
                yield part
            # Whole or not at all, also for somebody who puts the same bytes at the same time.
            final = self._path(part.name)
            final.parent.mkdir(exist_ok=True)
            os.utime(path, (time.time(), time.time()))
            path.replace(final)
        finally:
            path.unlink(missing_ok=True)


class _Part:
    """A file that is being written."""

    def __init__(self, file: BinaryIO | Any, limit: int) -> None:
        self._file = file
        self._limit = limit
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def name(self) -> str:
        return self._hash.hexdigest()

    def write(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > self._limit:
            raise DeliveryError(
                f"a file may have {self._limit:,} bytes: raise [files] limit to allow more", code="file_too_large"
            )
        self._hash.update(piece)
        self._file.write(piece)
