"""Where files are: their names as Discord cleanses them, and addresses that end.

https://docs.discord.com/developers/reference#signed-attachment-cdn-urls
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Fetched", "Signer", "cleansed"]

_KEPT: Final = re.compile(r"[^A-Za-z0-9_.-]")


def cleansed(name: str) -> tuple[str, str | None]:
    """What becomes of a file's name, and its title: the name that was given, if that was another.

    https://github.com/discord/discord-api-docs/issues/7754 and https://github.com/discord/discord-api-docs/pull/6945
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    kept = _KEPT.sub("", "_".join(plain.replace("/", " ").replace("\\", " ").split())).strip("._")
    stem, dot, extension = name.rpartition(".")
    if not kept or (dot and kept == extension):
        kept = f"unknown.{extension}" if extension.isascii() and extension.isalnum() and dot else "unknown"
    return kept, None if kept == name else stem or name


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that somebody fetched: its path, and the headers of the call."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Signer:
    """Signs the paths of files, until a time."""

    def __init__(self) -> None:
        self._key = b"simulated"

    def query(self, path: str, issued: float, until: float) -> str:
        """``ex=...&is=...&hm=...&`` for a path: hexadecimal times (unix seconds), and what proves them."""
        times = f"ex={int(until):x}&is={int(issued):x}"
        return f"{times}&hm={self._proof(path, times)}&"

    def valid(self, path: str, query: Mapping[str, str], now: float) -> bool:
        """Whether a signature is ours and has not ended."""
        ends, issued, proof = (query.get(name, "") for name in ("ex", "is", "hm"))
        try:
            live = now < int(ends, 16)
        except ValueError:
            return False
        return live and hmac.compare_digest(proof.encode(), self._proof(path, f"ex={ends}&is={issued}").encode())

    def _proof(self, path: str, times: str) -> str:
        return hmac.new(self._key, f"{path}?{times}".encode(), hashlib.sha256).hexdigest()
