"""What a message must be before anybody looks into it: whoever reaches the broker can publish anything.

Only JSON is read, as it is: no other content type, nothing compressed (a kilobyte can become a gigabyte), and nothing
that is larger than a message of ours can be. Nothing that comes is ever unpickled.
"""

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from kombu import compression

from .. import wire

__all__ = ["LARGEST", "refuse_compressed", "unacceptable"]

#: Bytes of a message on any queue: a task holds an event, and what it was matched with.
LARGEST: Final = 4 * wire.MAX_BYTES

#: How JSON may say that it is encoded. kombu says ``binary`` of bytes.
ENCODINGS: Final = frozenset({"", "utf-8", "utf8", "us-ascii", "ascii", "binary"})


def unacceptable(body: bytes | str, headers: Mapping[str, Any], properties: Mapping[str, Any]) -> str:
    """Why a message is not read; empty if it may be. Who publishes without a content type means JSON."""
    if len(body) > LARGEST:
        return f"{len(body)} bytes: the limit is {LARGEST}"
    content_type = str(properties.get("content_type") or wire.CONTENT_TYPE)
    if content_type.partition(";")[0].strip().lower() != wire.CONTENT_TYPE:
        return f"content type {content_type[:80]!r}: only {wire.CONTENT_TYPE} is read"
    encoding = str(properties.get("content_encoding") or "")
    if encoding.lower() not in ENCODINGS:
        return f"content encoding {encoding[:80]!r}: only UTF-8 is read"
    if headers.get("compression"):
        return f"compressed ({str(headers['compression'])[:80]!r}): send it as it is"
    return ""


def refuse_compressed() -> None:
    """From now on this process decompresses no message: kombu would do it before anybody could say no."""
    for name in compression.encoders():
        compression.register(compression.get_encoder(name)[0], _refuse, name)


def _refuse(body: bytes) -> NoReturn:
    raise ValueError("compressed: send it as it is")
