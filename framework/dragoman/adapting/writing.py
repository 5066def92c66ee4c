"""From CommonMark to the lines and code blocks that `dragoman.adapting.fit` takes: what is the same in most chats.

A line break in a paragraph stays one. Quotes and lists are prefixes of lines, and one blank line is between paragraphs.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cache
from typing import ClassVar, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from .splitting import Code, Line, Run

__all__ = ["Writer", "words_of"]

RULE: Final = "─" * 10


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def words_of(tokens: Iterable[Token]) -> str:
    """What inline tokens say, without any markup."""
    out = []
    for token in tokens:
        broken = token.type in ("softbreak", "hardbreak")
        out.append(" " if broken else words_of(token.children) if token.children else token.content)
    return "".join(out)


class Writer(ABC):
    """Walks a CommonMark text, and collects `blocks`. A platform says what its own markup is.

    Attributes:
        heading: the level of the heading that is being written; 0 outside of headings.
        bullets: of lists in lists, the outermost first.
        indent, quote, blank_quote: what is in front of a line of a list in a list, of a quote, and of its blank lines.
    """

    bullets: ClassVar[Sequence[str]] = ("- ",)
    indent: ClassVar[str] = "  "
    quote: ClassVar[str] = "> "
    blank_quote: ClassVar[str] = "> "

    def __init__(self) -> None:
        self.blocks: list[Line | Code] = []
        self.heading = 0
        self._gap = False  # whether a blank line belongs before the next block
        self._quotes = 0
        self._lists: list[int | None] = []  # the next number of each list that we are in; None: bullets
        self._marker = ""  # of the list item that has just begun
        self._table: list[list[Token]] | None = None

    def write(self, text: str) -> None:
        """Read CommonMark."""
        for token in _parser().parse(text):
            self._token(token)

    # -- what a platform says --------------------------------------------------------------------------

    @abstractmethod
    def lines(self, token: Token) -> Iterable[Sequence[Run]]:
        """The lines of an inline token, as runs."""

    @abstractmethod
    def code(self, text: str, language: str) -> Code:
        """A code block, in which nothing can end it."""

    @abstractmethod
    def table(self, rows: Sequence[Sequence[Token]]) -> None:
        """Write a table, the inline tokens of its cells; the first row is its head."""

    def first(self, runs: Sequence[Run]) -> tuple[Sequence[Run], str]:
        """The runs of a line, and what else is in front of it."""
        return runs, ""

    # -- what platforms write with -----------------------------------------------------------------------

    def line(self, runs: Sequence[Run]) -> None:
        """Write a line where we are: in a quote, in a list."""
        quote = self.quote if self._quotes else ""
        if self._gap and self.blocks:
            last = self.blocks[-1]
            inside = self._quotes and isinstance(last, Line) and last.prefix.startswith(self.quote.strip())
            self.blocks.append(Line(prefix=self.blank_quote if inside else ""))
        self._gap = False
        marker = self._marker or ("  " if self._lists else "")
        self._marker = ""
        shown, front = self.first(runs)
        before = quote + self.indent * (len(self._lists) - 1) + marker + front
        self.blocks.append(Line(tuple(shown), before, quote + front))

    def block(self, text: str, language: str = "") -> None:
        """Write a code block."""
        if self._marker:
            self.line(())
        if self._gap and self.blocks:
            self.blocks.append(Line())
        self.blocks.append(self.code(text, language))
        self._gap = True

    # ----------------------------------------------------------------------------------------------------

    def _token(self, token: Token) -> None:
        match token.type:
            case "inline" if self._table:
                self._table[-1].append(token)
            case "inline":
                for line in self.lines(token):
                    self.line(line)
            case "paragraph_close":
                self._gap = not token.hidden
            case "heading_open":
                self.heading = int(token.tag[1:])
            case "heading_close":
                self.heading, self._gap = 0, True
            case "fence" | "code_block":
                self.block(token.content.removesuffix("\n"), (token.info.split() or [""])[0])
            case "hr":
                self.line((Run(RULE),))
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
            case "list_item_close" if self._marker:
                self.line(())
            case "table_open":
                self._table = []
            case "tr_open":
                assert self._table is not None
                self._table.append([])
            case "table_close":
                table, self._table = self._table or [], None
                self.table(table)
                self._gap = True
            case _:
                pass

    def _next_marker(self) -> str:
        number = self._lists[-1]
        if number is None:
            return self.bullets[min(len(self._lists), len(self.bullets)) - 1]
        self._lists[-1] = number + 1
        return f"{number}. "
