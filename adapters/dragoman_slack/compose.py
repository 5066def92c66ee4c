"""CommonMark to mrkdwn, in messages that fit.

Only links with a ``dragoman:`` address mention somebody. Everything else that a person typed is escaped, so
``<!channel>`` in a text shows as that and calls nobody. Headings are bold, lists have bullets, a table is a
line for each row, an image is a link, HTML is literal text, emoji shortcodes pass through. A line break in a
paragraph stays one, as everywhere in chats.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from dragoman.adapting import Code, Line, Run, fit

from .mrkdwn import GUARD, escape
from .split import LIMIT, MARKUP

__all__ = ["compose"]

#: Words that mean the same in CommonMark and mrkdwn: the parser need not see them.
SIMPLE: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9 ,.?!:;'\"()/@%$+=-]*[A-Za-z0-9,.?!:;'\"()/@%$+=-])?")
MENTION: Final = re.compile(r"dragoman:(user|channel|group|everyone)/([A-Za-z0-9]+)")
MENTIONS: Final = {"user": "<@{}>", "channel": "<#{}>", "group": "<!subteam^{}>", "everyone": "<!{}>"}
EVERYONE: Final = frozenset({"here", "channel", "everyone"})
SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S")
OPENER: Final = re.compile(r"(?<![^\W_])(?<![*_~`])([*_~`])(?=[^\s*_~`])")
BULLETS: Final = ("•", "◦", "▪")
RULE: Final = "─" * 10
#: A token longer than this is written as text, which can be split.
TOKEN_LIMIT: Final = 2000
MARKS: Final = {"strong": "*", "em": "_", "s": "~"}


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def compose(text: str, limit: int = LIMIT) -> tuple[str, ...]:
    """CommonMark as mrkdwn messages of at most ``limit`` characters; none if it has no text."""
    if len(text) <= limit and SIMPLE.fullmatch(text):
        return (text,)
    writer = _Writer()
    writer.write(_parser().parse(text))
    return fit(writer.blocks, limit, MARKUP)


class _Writer:
    """Walks the parser's flat list of tokens, and collects lines and code blocks."""

    def __init__(self) -> None:
        self.blocks: list[Line | Code] = []
        self._gap = False  # whether a blank line belongs before the next block
        self._quotes = 0
        self._lists: list[int | None] = []  # the next number of each list that we are in; None: bullets
        self._marker = ""  # of the list item that has just begun
        self._heading = ""
        self._cells: list[Run] | None = None

    def write(self, tokens: Iterable[Token]) -> None:
        for token in tokens:
            match token.type:
                case "inline":
                    self._inline(token)
                case "paragraph_close":
                    self._gap = not token.hidden
                case "heading_open":
                    self._heading = "*"
                case "heading_close":
                    self._heading, self._gap = "", True
                case "fence" | "code_block":
                    self._code(token.content.removesuffix("\n"))
                case "hr":
                    self._line((Run(RULE),))
                    self._gap = True
                case "blockquote_open":
                    self._quotes += 1
                case "blockquote_close":
                    self._quotes -= 1
                    self._gap = True
                case "bullet_list_open" | "ordered_list_open":
                    start = token.attrGet("start")
                    ordered = token.type == "ordered_list_open"
                    self._lists.append(int(1 if start is None else start) if ordered else None)
                case "bullet_list_close" | "ordered_list_close":
                    self._lists.pop()
                    self._gap = self._gap or not self._lists
                case "list_item_open":
                    self._marker = self._next_marker()
                case "list_item_close":
                    if self._marker:
                        self._line(())
                case "th_open" | "td_open" if self._cells:
                    self._cells.append(Run(" | "))
                case "tr_open":
                    self._cells = []
                case "tr_close":
                    cells, self._cells = self._cells or [], None
                    self._line(tuple(cells))
                    self._gap = False
                case "thead_open":
                    self._heading = "*"
                case "thead_close":
                    self._heading = ""
                case "table_close":
                    self._gap = True
                case _:
                    pass

    def _next_marker(self) -> str:
        number = self._lists[-1]
        if number is None:
            return BULLETS[min(len(self._lists), len(BULLETS)) - 1] + " "
        self._lists[-1] = number + 1
        return f"{number}. "

    def _line(self, runs: tuple[Run, ...]) -> None:
        quote = "> " if self._quotes else ""
        if self._gap and self.blocks:
            last = self.blocks[-1]
            inside = self._quotes and isinstance(last, Line) and last.prefix.startswith(">")
            self.blocks.append(Line(prefix=">" if inside else ""))
        self._gap = False
        indent = "    " * (len(self._lists) - 1)
        marker = self._marker or ("  " if self._lists else "")
        self._marker = ""
        self.blocks.append(Line(runs, quote + indent + marker, quote))

    def _code(self, code: str) -> None:
        if self._marker:
            self._line(())
        if self._gap and self.blocks:
            self.blocks.append(Line())
        # Slack ends a block at the first three backticks.
        self.blocks.append(Code(escape(code).replace("``", f"`{GUARD}`").replace("``", f"`{GUARD}`")))
        self._gap = True

    def _inline(self, token: Token) -> None:
        lines = inline(token.children or (), token.content, self._heading)
        if self._cells is not None:
            for line in lines:
                self._cells.extend(line)
            return
        for line in lines:
            self._line(tuple(line))


def inline(tokens: Sequence[Token], source: str, marks: str = "") -> list[list[Run]]:
    """Inline tokens as lines of runs.

    ``source`` is their CommonMark: a marker that stands in it only once starts no format.
    """
    lines: list[list[Run]] = [[]]
    index = 0
    while index < len(tokens):
        token = tokens[index]
        kind, _, edge = token.type.rpartition("_")
        if token.type in ("softbreak", "hardbreak"):
            lines.append([])
        elif token.type == "link_open":
            end = index + 1
            while tokens[end].type != "link_close":
                end += 1
            label = _text(tokens[index + 1 : end])
            lines[-1].extend(_link(str(token.attrGet("href") or ""), label, marks))
            index = end
        elif token.type == "image":
            alt = _text(token.children or ())
            lines[-1].extend(_link(str(token.attrGet("src") or ""), alt, marks))
        elif token.type == "code_inline":
            # A backtick cannot stand in inline code: then it is text.
            code = "`" not in token.content
            text = escape(token.content) if code else _literal(token.content, token.content, lines[-1])
            lines[-1].append(Run(text, marks + "`" if code else marks))
        elif edge == "open" and kind in MARKS:
            marks += MARKS[kind]
        elif edge == "close" and kind in MARKS:
            marks = marks[: marks.rindex(MARKS[kind])]
        elif token.content:
            lines[-1].append(Run(_literal(token.content, source, lines[-1]), _once(marks)))
        index += 1
    return [[Run(run.text, _once(run.marks), run.whole) for run in line] for line in lines]


def _once(marks: Sequence[str]) -> str:
    """Each format once: bold in a heading is bold."""
    return "".join(dict.fromkeys(marks))


def _literal(text: str, source: str, line: Sequence[Run]) -> str:
    def guard(match: re.Match[str]) -> str:
        return match[1] + GUARD if source.count(match[1]) > 1 else match[1]

    at_start = not line and text.lstrip().startswith(">")
    text = OPENER.sub(guard, text) if any(char in text for char in "*_~`") else text
    return (GUARD if at_start else "") + escape(text)


def _text(tokens: Iterable[Token]) -> str:
    out = []
    for token in tokens:
        broken = token.type in ("softbreak", "hardbreak")
        out.append(" " if broken else _text(token.children) if token.children else token.content)
    return "".join(out)


def _link(address: str, label: str, marks: str) -> list[Run]:
    if mention := MENTION.fullmatch(address):
        kind, ident = mention.groups()
        if kind != "everyone" or ident in EVERYONE:
            return [Run(MENTIONS[kind].format(ident), marks, whole=True)]
        return [Run(escape(label), marks)]
    # Without a scheme it might be "!channel" or "@U1", which are Slack's own.
    if SCHEME.match(address) and not address.startswith("dragoman:"):
        target = escape(address).replace("|", "%7C")
        token = f"<{target}|{escape(label)}>" if label and label != address else f"<{target}>"
        if len(token) <= TOKEN_LIMIT:
            return [Run(token, marks, whole=True)]
    text = label if label == address or not address or address.startswith("dragoman:") else f"{label} ({address})"
    return [Run(escape(text.strip()), marks)]
