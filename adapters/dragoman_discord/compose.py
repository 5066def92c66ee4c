"""CommonMark to Discord's markdown, in messages that fit.

Only links with a ``dragoman:`` address mention somebody. Everything else that a person typed is escaped, so
``<@1>`` or ``@everyone`` in a text shows as that and calls nobody. Headings, lists and quotes are Discord's own
(a heading below the third level is bold), a table is a code block in columns, an image is a link, HTML is literal
text, emoji shortcodes become the characters or the guild's own emoji. A line break in a paragraph stays one, as
everywhere in chats.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from dragoman.adapting import Code, Line, Run, fit

from .spelling import EVERYONE, escape, guard, mention
from .split import LIMIT, MARKUP

__all__ = ["Composed", "compose"]

#: Words that mean the same in CommonMark and on Discord: the parser need not see them.
SIMPLE: Final = re.compile(r"[A-Za-z](?:[A-Za-z0-9 ,.?!;'\"()/%$+=-]*[A-Za-z0-9,.?!;'\"()/%$+=-])?")
SCHEME: Final = re.compile(r"https?://\S")
LANGUAGE: Final = re.compile(r"[A-Za-z0-9_+.#-]{1,32}")
#: What is markup only at the start of a line.
STARTS: Final = re.compile(r"(?=#{1,3} |-# |- |>)|(\d+)(?=\. )")
BRACKET: Final = re.compile(r"([\[\]])")
RULE: Final = "─" * 10
#: A token longer than this is written as text, which can be split.
TOKEN_LIMIT: Final = 900
MARKS: Final = {"strong": "**", "em": "*", "s": "~~"}
SPOILER: Final = "||"


class Composed(NamedTuple):
    """The messages, and the tokens of all links in them that mention somebody (``<@1>``, ``@here``)."""

    parts: tuple[str, ...]
    named: tuple[str, ...] = ()


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def compose(text: str, limit: int = LIMIT, *, emoji: Mapping[str, str] | None = None) -> Composed:
    """CommonMark as Discord messages of at most ``limit`` characters; none if it has no text.

    Args:
        emoji: the guild's own: ``name:id`` (``a:name:id`` if it moves) by name.
    """
    if len(text) <= limit and SIMPLE.fullmatch(text):
        return Composed((text,))
    writer = _Writer(emoji or {}, guarded=EVERYONE in text)
    writer.write(_parser().parse(text))
    return Composed(fit(writer.blocks, limit, MARKUP), tuple(dict.fromkeys(writer.named)))


class _Writer:
    """Walks the parser's flat list of tokens, and collects lines and code blocks.

    Args:
        guarded: the text calls everyone, so nothing in code may by accident.
    """

    def __init__(self, emoji: Mapping[str, str], *, guarded: bool) -> None:
        self.blocks: list[Line | Code] = []
        self.named: list[str] = []
        self._emoji = emoji
        self._guarded = guarded
        self._gap = False  # whether a blank line belongs before the next block
        self._quotes = 0
        self._lists: list[int | None] = []  # the next number of each list that we are in; None: bullets
        self._marker = ""  # of the list item that has just begun
        self._heading = 0
        self._table: list[list[str]] | None = None

    def write(self, tokens: Iterable[Token]) -> None:
        for token in tokens:
            match token.type:
                case "inline":
                    self._inline(token)
                case "paragraph_close":
                    self._gap = not token.hidden
                case "heading_open":
                    self._heading = int(token.tag[1:])
                case "heading_close":
                    self._heading, self._gap = 0, True
                case "fence" | "code_block":
                    self._code(token.content.removesuffix("\n"), (token.info.split() or [""])[0])
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
                case "table_open":
                    self._table = []
                case "tr_open":
                    assert self._table is not None
                    self._table.append([])
                case "table_close":
                    table, self._table = self._table or [], None
                    self._code(_columns(table), "")
                case _:
                    pass

    def _next_marker(self) -> str:
        number = self._lists[-1]
        if number is None:
            return "- "
        self._lists[-1] = number + 1
        return f"{number}. "

    def _line(self, runs: tuple[Run, ...]) -> None:
        quote = "> " if self._quotes else ""
        if self._gap and self.blocks:
            last = self.blocks[-1]
            inside = self._quotes and isinstance(last, Line) and last.prefix.startswith(">")
            self.blocks.append(Line(prefix="> " if inside else ""))
        self._gap = False
        indent = "  " * (len(self._lists) - 1)
        marker = self._marker or ("  " if self._lists else "")
        heading = "#" * self._heading + " " if 0 < self._heading <= 3 and runs else ""
        self._marker = ""
        self.blocks.append(Line(_at_start(runs), quote + indent + marker + heading, quote + heading))

    def _code(self, code: str, language: str) -> None:
        if self._marker:
            self._line(())
        if self._gap and self.blocks:
            self.blocks.append(Line())
        # Discord ends a block at the first three backticks.
        code = code.replace("``", "`\u200b`").replace("``", "`\u200b`")
        code = guard(code) if self._guarded else code
        # Without a line break a block's only word would be taken for its language, so there always is one.
        self.blocks.append(Code(code, language if LANGUAGE.fullmatch(language) else ""))
        self._gap = True

    def _inline(self, token: Token) -> None:
        if self._table is not None:
            if self._table:
                self._table[-1].append(_text(token.children or ()))
            return
        marks = ("**",) if self._heading > 3 else ()
        for line in self._lines(token.children or (), marks):
            self._line(tuple(line))

    def _lines(self, tokens: Sequence[Token], marks: tuple[str, ...]) -> list[list[Run]]:
        """Inline tokens as lines of runs."""
        lines: list[list[Run]] = [[]]
        index = 0
        while index < len(tokens):
            token = tokens[index]
            kind, _, edge = token.type.rpartition("_")
            if token.type in ("softbreak", "hardbreak"):
                lines.append([])
            elif token.type == "link_open" and token.attrGet("href") == "dragoman:spoiler":
                marks = (*marks, SPOILER)
            elif token.type == "link_close":
                marks = _without(marks, SPOILER)
            elif token.type == "link_open":
                end = index + 1
                while tokens[end].type != "link_close":
                    end += 1
                label = _text(tokens[index + 1 : end])
                lines[-1].extend(self._link(str(token.attrGet("href") or ""), label, marks))
                index = end
            elif token.type == "image":
                lines[-1].extend(self._link(str(token.attrGet("src") or ""), _text(token.children or ()), marks))
            elif token.type == "code_inline":
                lines[-1].append(self._inline_code(token.content, marks))
            elif edge == "open" and kind in MARKS:
                marks = (*marks, MARKS[kind])
            elif edge == "close" and kind in MARKS:
                marks = _without(marks, MARKS[kind])
            elif token.content:
                lines[-1].append(Run(escape(token.content, self._emoji), marks))
            index += 1
        return [[Run(run.text, tuple(dict.fromkeys(run.marks)), run.whole) for run in line] for line in lines]

    def _inline_code(self, code: str, marks: tuple[str, ...]) -> Run:
        code = guard(code) if self._guarded else code
        if "``" in code or code.startswith("`") or code.endswith("`") or not code.strip():
            return Run(escape(code, {}), marks)  # no marker can stand around it: then it is text
        return Run(code, (*marks, "``" if "`" in code else "`"))

    def _link(self, address: str, label: str, marks: tuple[str, ...]) -> list[Run]:
        if address.startswith("dragoman:"):
            token = mention(address)
            if token is None:
                return [Run(escape(label, self._emoji), marks)]
            self.named.append(token)
            return [Run(token, marks, whole=True)]
        # Discord makes links of these schemes only.
        if SCHEME.match(address):
            # In front of an address that is shown, a label that looks like one shows nothing: Discord refuses it.
            bare = not label.strip() or label == address or "://" in label
            url = re.sub(r"[<>\s]", lambda found: f"%{ord(found[0]):02X}", address)
            token = f"<{url}>" if bare else f"[{_label(label)}](<{url}>)"
            if len(token) <= TOKEN_LIMIT:
                return [Run(token, marks, whole=True)]
            address = url
        text = label if label == address or not address else f"{label} ({address})"
        return [Run(escape(text.strip(), self._emoji), marks)] if text.strip() else []


def _label(label: str) -> str:
    return "".join(f"\\{piece}" if piece in ("[", "]") else escape(piece, {}) for piece in BRACKET.split(label))


def _without(marks: tuple[str, ...], mark: str) -> tuple[str, ...]:
    """Without the innermost of that kind."""
    for index in range(len(marks) - 1, -1, -1):
        if marks[index] == mark:
            return marks[:index] + marks[index + 1 :]
    return marks


def _at_start(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """With a backslash where text looks like the start of a heading, list or quote."""
    if not runs or runs[0].marks or runs[0].whole or not (found := STARTS.match(runs[0].text.lstrip())):
        return runs
    first = runs[0].text.lstrip()
    text = f"{first[: found.end()]}\\{first[found.end() :]}"
    return (Run(text, runs[0].marks), *runs[1:])


def _columns(table: Sequence[Sequence[str]]) -> str:
    """Rows as lines, the columns under one another, with a rule under the first."""
    count = max((len(row) for row in table), default=0)
    widths = [max((len(row[index]) for row in table if index < len(row)), default=0) for index in range(count)]
    lines = [" │ ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in table]
    lines.insert(1, "─┼─".join("─" * width for width in widths))
    return "\n".join(lines)


def _text(tokens: Iterable[Token]) -> str:
    out = []
    for token in tokens:
        broken = token.type in ("softbreak", "hardbreak")
        out.append(" " if broken else _text(token.children) if token.children else token.content)
    return "".join(out)
