"""What somebody said, as it is said elsewhere in their name: CommonMark that calls nobody there.

Mentions are ``dragoman:`` links with one platform's ids, which mean nothing (or somebody else) on another one, so
they become plain names. What looks like one in code stays what it is.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

from markdown_it import MarkdownIt

from dragoman import FileRef, literal

__all__ = ["attached", "linked", "said", "shown", "without_mentions"]

#: Invisible characters that turn the reading direction of what follows: a name must not change the words behind it.
TURNS: Final = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
PIECE: Final = re.compile(
    r"(?P<ticks>`+)(?!`)(?:.*?(?<!`)(?P=ticks)(?!`))?"  # code, also in blocks
    r"|\\."
    r"|\[(?P<label>(?:\\.|[^\[\]\\])*)\]\(\s*<?dragoman:(?P<kind>[a-z]+)(?:/(?P<id>[^()\s<>]*))?>?\s*\)"
    r"|(?P<bare><dragoman:[^<>\s]*>)"
    r"|(?P<rest>\]\(\s*<?\s*dragoman:)",
    re.DOTALL,
)
#: What has to begin a line of its own: code, quotes, headings, lists and tables.
BLOCK: Final = re.compile(r"```|~~~|>|#{1,6} |[-+*] |\d{1,9}[.)] |\|| {4}")
UNSAFE: Final = re.compile(r"[<>\\\s]")


def without_mentions(text: str, person: Callable[[str], str], channel: Callable[[str], str]) -> str:
    """CommonMark without anything that calls people or points to channels: their names in plain words.

    Args:
        person: somebody's name by id, if the text has no more than the id; empty if nobody knows it.
        channel: a channel's name in the same way.
    """

    def piece(found: re.Match[str]) -> str:
        if found["bare"] is not None:
            return literal(found["bare"][1:-1])
        if found["rest"] is not None:
            return "](#"
        label, kind = found["label"], found["kind"]
        if kind is None or kind == "spoiler":
            return found[0]
        sign, name = label[:1], label[1:]
        if name == found["id"] and kind in ("user", "channel"):
            name = shown((person if kind == "user" else channel)(name)) or name
        return f"{sign}{name}"

    text = PIECE.sub(piece, text) if "dragoman:" in text else text
    return _literally(text) if _mentions(text) else text


def _mentions(text: str) -> bool:
    """Whether anything is left that an adapter would take for a mention: only its own parser knows for sure."""
    if "dragoman" not in text and "&" not in text:
        return False
    tokens = _parser().parse(text)
    links = (inline for token in tokens for inline in token.children or () if inline.type in ("link_open", "image"))
    addresses = (str(link.attrGet("href") or link.attrGet("src") or "") for link in links)
    return any(address.startswith("dragoman:") and address != "dragoman:spoiler" for address in addresses)


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def shown(name: str) -> str:
    """A name in CommonMark that shows just that, in one line."""
    return _literally(" ".join(TURNS.sub("", name).split()))


def _literally(text: str) -> str:
    """As `literal`, but "<@U1>" calls nobody either."""
    return r"\<".join(literal(part) for part in text.split("<"))


def said(header: str, text: str) -> str:
    """A text with what stands in front of it: in the same line, unless it begins with a block such as code."""
    return f"{header.rstrip()}\n\n{text}" if BLOCK.match(text) else f"{header}{text}"


def attached(files: Iterable[FileRef]) -> str:
    """What is said of files that come without any words."""
    return "📎 " + ", ".join(shown(file.name) or "a file" for file in files)


def linked(file: FileRef, reason: str) -> str:
    """What is said instead of a file."""
    name = shown(file.name) or "a file"
    if file.url.startswith(("https://", "http://")):
        url = UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", file.url)
        name = f"[{name}](<{url}>)"
    size = "" if file.size is None else f"{_size(file.size)}, "
    return f"📎 {name} ({size}{reason})"


def _size(size: int) -> str:
    for unit, many in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= many:
            return f"{size / many:.3g} {unit}"
    return f"{size} bytes"
