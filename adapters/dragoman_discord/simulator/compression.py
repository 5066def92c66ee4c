"""Transport compression of the gateway. https://docs.discord.com/developers/events/gateway#transport-compression"""

import importlib
import zlib
from collections.abc import Callable
from typing import Any

__all__ = ["Unsupported", "packer"]


class Unsupported(ValueError):
    """The compression that was asked for is not known, or not installed here."""


def packer(name: str) -> Callable[[str], str | bytes]:
    """What makes a websocket message of a payload's text: for ``zlib-stream``, ``zstd-stream``, or none if empty.

    A stream goes on over the whole connection, so each connection needs a packer of its own.

    Raises:
        Unsupported: see there.
    """
    if not name:
        return lambda text: text
    if name == "zlib-stream":
        return _zlib()
    if name == "zstd-stream":
        return _zstd()
    raise Unsupported(f"there is no compression {name!r}")


def _zlib() -> Callable[[str], bytes]:
    stream = zlib.compressobj()

    def pack(text: str) -> bytes:
        return stream.compress(text.encode()) + stream.flush(zlib.Z_SYNC_FLUSH)

    return pack


def _zstd() -> Callable[[str], bytes]:
    """With whichever library discord.py would use too."""
    try:
        module: Any = importlib.import_module("zstandard")
        stream: Any = module.ZstdCompressor().compressobj()
        return lambda text: bytes(stream.compress(text.encode()) + stream.flush(module.COMPRESSOBJ_FLUSH_BLOCK))
    except ImportError:
        pass
    try:
        module = importlib.import_module("compression.zstd")
    except ImportError:
        raise Unsupported("zstd-stream needs Python 3.14 or zstandard") from None
    newer: Any = module.ZstdCompressor()
    return lambda text: bytes(newer.compress(text.encode(), mode=newer.FLUSH_BLOCK))
