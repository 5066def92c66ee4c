"""CommonMark to Discord's markdown, in messages that fit.

Only links with a ``dragoman:`` address mention somebody. Everything else that a person typed is escaped, so
``<@1>`` or ``@everyone`` in a text shows as that and calls nobody. Headings, lists and quotes are Discord's own
(a heading below the third level is bold), a table is a code block in columns, an image is a link, HTML is literal
text, emoji shortcodes become the characters or the guild's own emoji. A line break in a paragraph stays one, as
everywhere in chats.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from markdown_it.token import Token

from dragoman.adapting import Code, Run, Writer, fit, words_of

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
#: A token longer than this is written as text, which can be split.
TOKEN_LIMIT: Final = 900
MARKS: Final = {"strong": "**", "em": "*", "s": "~~"}
SPOILER: Final = "||"


class Composed(NamedTuple):
    """The messages, and the tokens of all links in them that mention somebody (``<@1>``, ``@here``)."""

    parts: tuple[str, ...]
    named: tuple[str, ...] = ()


def compose(text: str, limit: int = LIMIT, *, emoji: Mapping[str, str] | None = None) -> Composed:
    """CommonMark as Discord messages of at most ``limit`` characters; none if it has no text.

    Args:
        emoji: the guild's own: ``name:id`` (``a:name:id`` if it moves) by name.
    """
    if len(text) <= limit and SIMPLE.fullmatch(text):
        return Composed((text,))
    writer = _Writer(emoji or {}, guarded=EVERYONE in text)
    writer.write(text)
    return Composed(fit(writer.blocks, limit, MARKUP), tuple(dict.fromkeys(writer.named)))


class _Writer(Writer):
    """Discord's own markup.

    Args:
        guarded: the text calls everyone, so nothing in code may by accident.
    """

    def __init__(self, emoji: Mapping[str, str], *, guarded: bool) -> None:
        super().__init__()
        self.named: list[str] = []
        self._emoji = emoji
        self._guarded = guarded

    def lines(self, token: Token) -> list[list[Run]]:
        return self._lines(token.children or (), ("**",) if self.heading > 3 else ())

    def first(self, runs: Sequence[Run]) -> tuple[Sequence[Run], str]:
        return _at_start(tuple(runs)), "#" * self.heading + " " if 0 < self.heading <= 3 and runs else ""

    def code(self, text: str, language: str) -> Code:
        # Discord ends a block at the first three backticks.
        text = text.replace("``", "`\u200b`").replace("``", "`\u200b`")
        text = guard(text) if self._guarded else text
        # Without a line break a block's only word would be taken for its language, so there always is one.
        return Code(text, language if LANGUAGE.fullmatch(language) else "")

    def table(self, rows: Sequence[Sequence[Token]]) -> None:
        self.block(_columns([[words_of(cell.children or ()) for cell in row] for row in rows]))

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
                label = words_of(tokens[index + 1 : end])
                lines[-1].extend(self._link(str(token.attrGet("href") or ""), label, marks))
                index = end
            elif token.type == "image":
                lines[-1].extend(self._link(str(token.attrGet("src") or ""), words_of(token.children or ()), marks))
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
