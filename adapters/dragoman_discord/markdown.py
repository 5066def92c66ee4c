"""Discord's markdown, read: to CommonMark and to plain text.

Shapes (https://docs.discord.com/developers/reference#message-formatting and
https://support.discord.com/hc/en-us/articles/210298617): ``**bold**``, ``*italic*``, ``_italic_``,
``__underlined__``, ``~~struck~~``, ``||spoiler||``, ``# heading`` to ``### heading``, ``-# small``, ``> quote``,
``>>> quote to the end``, lists, `` `code` ``, fenced blocks anywhere, ``[label](https://...)``; a backslash makes
what follows literal. Tokens: ``<@1>``, ``<@!1>``, ``<@&1>``, ``<#1>``, ``<:party:1>``, ``<a:party:1>``,
``<t:1618953630:R>``, ``</command:1>``, ``<https://...>``.

What CommonMark has no words for becomes a link with a ``dragoman:`` address, which shows its label elsewhere:

============== ===================================================
custom emoji   ``[:party:](dragoman:emoji/party:1)``
time           ``[2021-04-20 21:20 UTC](dragoman:time/1618953630/R)``
spoiler        ``[what it hides](dragoman:spoiler)``
============== ===================================================

Underlined text becomes emphasis. Emoji become shortcodes. Every function here is pure.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from dragoman.adapting import fenced

from .emoji import with_shortcodes

__all__ = ["Names", "literal", "mentions", "plain", "to_commonmark", "without_mentions"]

FENCE: Final = re.compile(r"```(?:([A-Za-z0-9_+.#-]+)\n)?\n*(.+?)\n*```", re.DOTALL)
HEADING: Final = re.compile(r"(#{1,3}) +(\S.*)")
SMALL: Final = re.compile(r"-# +(\S.*)")
ITEM: Final = re.compile(r"( *)([-*]|\d{1,3}\.) +(\S.*)")
URL: Final = r"https?://[^\s<>]*[^\s<>.,:;\"'\])*_~|]"
TOKEN: Final = re.compile(
    r"<(?:@!?(?P<user>\d{1,20})|@&(?P<role>\d{1,20})|#(?P<channel>\d{1,20})|(?P<emoji>a?:\w{1,32}:\d{1,20})"
    r"|t:(?P<time>-?\d{1,13})(?::(?P<style>[tTdDfFsSR]))?|(?P<command>/[^<>\n:]{1,100}):\d{1,20}|(?P<link>https?://[^\s<>]+))>",
    re.ASCII,
)
PIECE: Final = re.compile(
    r"\\(?P<escaped>[^\sA-Za-z0-9])|``(?P<code2>.+?)``(?!`)|`(?P<code>[^`\n]+)`"
    rf"|(?P<token>{re.sub(r'[?]P<[a-z]+>', '?:', TOKEN.pattern)})"
    rf"|\[(?P<label>[^\[\]\n]+)\]\(<?(?P<target>https?://[^\s<>()]+(?:\([^\s<>()]*\)[^\s<>()]*)*)>?\)"
    rf"|(?P<url>{URL})|\|\|(?P<spoiler>.+?)\|\||(?P<everyone>@everyone|@here)\b|(?P<run>\*+|_+|~~)"
)

# What CommonMark would read as markup; an underscore inside a word is not (https://spec.commonmark.org/0.31.2/).
MARKUP: Final = re.compile(r"[\\`*~\[\]<>|]|(?<![^\W_])_+|_+(?![^\W_])|&(?=[#\w])")
LINE_START: Final = re.compile(r"([#+=-]|\d{1,9}(?=[.)]))")
#: Text without any of these is the same in plain text, Discord's markdown and CommonMark.
SPECIAL: Final = re.compile(r"[\\`*_~\[\]<>&#|@\t]|://|[^\x00-\x7f]|^[-+=\d]|^ | $|\n[ \t]*\n[ \t]*\n", re.MULTILINE)

MENTION: Final = re.compile(r"<@!?(\d{1,20})>|<@&(\d{1,20})>", re.ASCII)


@dataclass(frozen=True, slots=True)
class Names:
    """What ids are called, and whether ``@everyone`` calls everyone here.

    ``channel`` and ``role`` return an empty text for what is not known.
    """

    users: Mapping[str, str] = field(default_factory=dict)
    channel: Callable[[str], str] = lambda id: ""
    role: Callable[[str], str] = lambda id: ""
    everyone: bool = False


def mentions(text: str, user: str, role: str = "") -> bool:
    """Whether it mentions that user, or the role that Discord made for that bot."""
    return any(one == user or (two and two == role) for one, two in MENTION.findall(text))


def without_mentions(text: str, user: str, role: str = "") -> str:
    """The text without those mentions; a colon or comma after a leading one goes too."""
    mention = rf"<@(?:!?{re.escape(user)}{f'|&{re.escape(role)}' if role else ''})>"
    text = re.sub(rf"\A\s*(?:{mention}[ \t]*[:,]?\s*)+", "", text)
    return re.sub(rf"[ \t]?{mention}", "", text).strip()


def plain(text: str) -> str:
    """What the person typed: mentions as ``<@1>`` and ``<#1>``, emoji as shortcodes, code blocks of several lines with
    their fences on lines of their own."""
    if "<" in text:
        text = TOKEN.sub(_plain_token, text)
    return fenced(with_shortcodes(text), languages=True)


def _plain_token(match: re.Match[str]) -> str:
    if user := match["user"]:
        return f"<@{user}>"
    if emoji := match["emoji"]:
        return f":{emoji.split(':')[1]}:"
    return match["link"] or match["command"] or match[0]


def to_commonmark(text: str, names: Names | None = None) -> str:
    """Discord's markdown as CommonMark.

    What was typed literally stays literal (escaped). A line break stays one; several blank lines become one.
    """
    if not SPECIAL.search(text):
        return text
    reader = _Reader(names or Names())
    position = 0
    for match in FENCE.finditer(text):
        reader.prose(text[position : match.start()])
        reader.blocks.append(_fenced(match[2], match[1] or ""))
        position = match.end()
    reader.prose(text[position:])
    return "\n\n".join(reader.blocks)


def _fenced(code: str, language: str) -> str:
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"


class _Reader:
    """Collects the blocks of a text."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.blocks: list[str] = []

    def prose(self, text: str) -> None:
        """Add the blocks of text without code blocks."""
        lines: list[str] = []
        kind = ""
        level = 0
        rest_quoted = False

        def close() -> None:
            if lines:
                self.blocks.append("\n".join(lines))
                lines.clear()

        for raw in text.split("\n"):
            line, quote = raw, rest_quoted
            if not rest_quoted and line.startswith(">>> "):
                line, quote, rest_quoted = line[4:], True, True
            elif not rest_quoted and line.startswith("> "):
                line, quote = line[2:], True
            if not line.strip() and not quote:
                close()
                kind, level = "", 0
                continue
            is_item = ITEM.fullmatch(line)
            now = f"{'quote ' if quote else ''}{'list' if is_item else 'text'}"
            if now != kind or HEADING.fullmatch(line):
                close()
                level = 0
            kind = now
            if is_item:
                level = min(level + 1, len(is_item[1]) // 2 + 1) if lines else 1
                body = f"{'    ' * (level - 1)}{is_item[2].replace('*', '-')} {self.line(is_item[3], item=True)}"
            else:
                body = self.line(line)
            lines.append(f"> {body}".rstrip() if quote else body)
            if HEADING.fullmatch(line):
                close()
        close()

    def line(self, text: str, *, item: bool = False) -> str:
        """One line; spaces around it are entities, since CommonMark would drop them or make code of them."""
        if not item and (heading := HEADING.fullmatch(text)):
            return f"{heading[1]} {self.inline(heading[2].strip())}"
        if not item and (small := SMALL.fullmatch(text)):
            text = small[1]
        body = text.strip(" \t")
        if not body:
            return ""
        start = text.index(body[0])
        inline = self.inline(body)
        if mark := LINE_START.match(inline):
            number = mark[0].isdigit()
            inline = f"{mark[0]}\\{inline[mark.end() :]}" if number else f"\\{inline}"
        return _spaces(text[:start]) + inline + _spaces(text[start + len(body) :])

    def inline(self, text: str, *, linked: bool = False) -> str:
        """One line's markup. Left to right, with at most one open format of each kind.

        Args:
            linked: it stands in a link, where there can be no other: tokens are their labels.
        """
        out: list[str] = []
        opened: dict[str, int] = {}  # marker -> where it stands in out; the last opened last
        position = 0
        for match in PIECE.finditer(text):
            if match.start() > position:
                out.append(literal(with_shortcodes(text[position : match.start()])))
            position = match.end()
            if run := match["run"]:
                _marks(text, match.start(), run, out, opened)
            else:
                out.append(self.piece(match, linked))
        out.append(literal(with_shortcodes(text[position:])))
        return "".join(out)

    def piece(self, match: re.Match[str], linked: bool) -> str:
        if (code := match["code2"] or match["code"]) is not None:
            return _code(code)
        if match["escaped"] is not None:
            return literal(with_shortcodes(match["escaped"]))
        if match["token"] is not None:
            return self.token(match["token"], linked)
        if (url := match["url"]) is not None:
            return literal(url) if linked else f"<{_address(url)}>"
        if (label := match["label"]) is not None:
            return (
                self.inline(label, linked=True) if linked else _link(self.inline(label, linked=True), match["target"])
            )
        if (hidden := match["spoiler"]) is not None:
            inside = self.inline(hidden.strip(), linked=True)
            return inside if linked or not inside.strip() else f"[{inside}](dragoman:spoiler)"
        called = match[0]
        return f"[{called}](dragoman:everyone/{called[1:]})" if self.names.everyone and not linked else called

    def token(self, token: str, linked: bool) -> str:
        match = TOKEN.fullmatch(token)
        assert match is not None
        if url := match["link"]:
            return literal(url) if linked else f"<{_address(url)}>"
        if command := match["command"]:
            return literal(command)
        label, address = self.meaning(match)
        return literal(label) if linked else f"[{literal(label)}](dragoman:{address})"

    def meaning(self, match: re.Match[str]) -> tuple[str, str]:
        if user := match["user"]:
            return f"@{self.names.users.get(user) or user}", f"user/{user}"
        if role := match["role"]:
            return f"@{self.names.role(role) or role}", f"group/{role}"
        if channel := match["channel"]:
            return f"#{self.names.channel(channel) or channel}", f"channel/{channel}"
        if emoji := match["emoji"]:
            return f":{emoji.split(':')[1]}:", f"emoji/{emoji.removeprefix(':')}"
        style = f"/{match['style']}" if match["style"] else ""
        return _when(int(match["time"])), f"time/{match['time']}{style}"


def _marks(text: str, index: int, run: str, out: list[str], opened: dict[str, int]) -> None:
    """Markers open before something that is not a space, close after it; an underscore never inside a word."""
    before = text[index - 1] if index else " "
    after = text[index + len(run)] if index + len(run) < len(text) else " "
    left = run
    while left:
        double = left[:2]
        innermost = next((mark for mark in reversed(opened) if left.startswith(mark)), None)
        marker = innermost or (double if double in ("**", "__", "~~") else left[0])
        left = left[len(marker) :]
        at = len(out)
        within = before.isalnum() and after.isalnum()
        out.append(literal(marker) if marker[0] != "_" else marker if within else "\\_" * len(marker))
        start = opened.get(marker, at)
        # Between two markers there is something, or they are text: four tildes are a fence in CommonMark.
        if at > start + 1 and not before.isspace() and not (marker == "_" and after.isalnum()):
            inside_word = after.isalnum() or (start > 0 and out[start - 1][-1:].isalnum())
            shown = {"_": "_", "__": "*" if inside_word else "_"}.get(marker, marker)
            out[start] = out[at] = shown
            for later in [key for key, place in opened.items() if place >= start]:
                del opened[later]
        elif not after.isspace() and not (marker == "_" and before.isalnum()):
            opened.setdefault(marker, at)


def literal(text: str) -> str:
    """Text as CommonMark that shows exactly it (but for what only means something at the start of a line)."""
    return MARKUP.sub(lambda match: "".join(f"\\{char}" for char in match[0]), text)


def _spaces(text: str) -> str:
    return "".join("&#9;" if char == "\t" else "&#32;" for char in text)


def _code(code: str) -> str:
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    ticks = "`" * (longest + 1)
    # CommonMark strips one space from both ends when there is one at both.
    pad = " " if code[0] in " `" and code[-1] in " `" and code.strip() else ""
    return f"{ticks}{pad}{code}{pad}{ticks}"


def _address(url: str) -> str:
    return re.sub(r"[<>\\\s]", lambda match: f"%{ord(match[0]):02X}", url)


def _link(label: str, url: str) -> str:
    return f"[{label}](<{re.sub(r'&(?=#?[0-9A-Za-z]+;)', '&amp;', _address(url))}>)"


def _when(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, OSError, ValueError):
        return str(seconds)
