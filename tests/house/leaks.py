"""What looks like a real credential in a file of the repository.

A search of our own: what is kept of well-known ones has had no release for two years. It looks for the credentials
that our users have, whole and of the real length, so that the short ones of examples and tests are none.
"""

import math
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from house.rooms import HOUSE

__all__ = ["files", "leaks"]

SHAPES: Final = {
    "Slack token": r"(?:xox[a-z](?:\.xox[a-z])?|xwfp)-\d[\w-]{16,}|xapp-\d-[\w-]{20,}",
    "Slack webhook": r"hooks\.slack\.com/\w+/T\w{6,}/\w{6,}/\w{16,}",
    "Discord bot token": r"(?:[MNO][DTjz][AEIMQUYcgk][w-z0-5]){5,7}[\w-]{0,3}\.[\w-]{6}\.[\w-]{27,}",
    "Discord webhook": r"/webhooks/\d{17,20}/[\w-]{60,}",
    "AWS key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "GitHub token": r"\b(?:gh[pousr]_\w{36}|github_pat_\w{60,})",
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*[A-Za-z0-9+/]{40}",
    "password in an address": r"\b(?:amqps?|rediss?|postgresql)://\w+:(?P<secret>[\w+/%-]{16,})@",
    "assignment": r"(?i)(?:secret|token|passw(?:or)?d|api_?key)\w*[\"']?\s*[:=]\s*[\"'](?P<secret>[\w+/=.-]{24,})[\"']",
}
PATTERNS: Final = {name: re.compile(shape) for name, shape in SHAPES.items()}

#: Bits for each character from which a text looks as if a machine had made it up.
RANDOM: Final = 4.2


def leaks(text: str) -> Iterator[tuple[int, str]]:
    """(line, what it looks like) of each."""
    for what, pattern in PATTERNS.items():
        for found in pattern.finditer(text):
            secret = found.groupdict().get("secret")
            if secret is None or _bits(secret) >= RANDOM:
                yield text.count("\n", 0, found.start()) + 1, what


def files() -> list[Path]:
    """What is in the repository, or would be with the next commit; every file where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=HOUSE, capture_output=True
    )
    if listed.returncode == 0:
        names = [HOUSE / name for name in listed.stdout.decode().split("\0") if name]
    else:
        names = [path for path in HOUSE.rglob("*") if not any(part.startswith(".") for part in path.parts)]
    return [path for path in names if path.is_file()]


def _bits(text: str) -> float:
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
