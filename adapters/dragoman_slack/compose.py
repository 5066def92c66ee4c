"""CommonMark to mrkdwn, in messages that fit.

Only links with a ``dragoman:`` address mention somebody. Everything else that a person typed is escaped, so
``<!channel>`` in a text shows as that and calls nobody. Headings are bold, lists have bullets, a table is a
line for each row, an image is a link, HTML is literal text, emoji shortcodes pass through. A line break in a
paragraph stays one, as everywhere in chats.
"""

import re
from collections.abc import Sequence
from typing import Final

from markdown_it.token import Token

from dragoman.adapting import Code, Run, Writer, fit, words_of

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
#: A token longer than this is written as text, which can be split.
TOKEN_LIMIT: Final = 2000
MARKS: Final = {"strong": "*", "em": "_", "s": "~"}


def compose(text: str, limit: int = LIMIT) -> tuple[str, ...]:
    """CommonMark as mrkdwn messages of at most ``limit`` characters; none if it has no text."""
    if len(text) <= limit and SIMPLE.fullmatch(text):
        return (text,)
    writer = _Writer()
    writer.write(text)
    return fit(writer.blocks, limit, MARKUP)


class _Writer(Writer):
    """mrkdwn."""

    bullets = ("• ", "◦ ", "▪ ")
    indent = "    "
    blank_quote = ">"

    def lines(self, token: Token) -> list[list[Run]]:
        return inline(token.children or (), token.content, "*" if self.heading else "")

    def code(self, text: str, language: str) -> Code:
        # Slack ends a block at the first three backticks.
        return Code(escape(text).replace("``", f"`{GUARD}`").replace("``", f"`{GUARD}`"))

    def table(self, rows: Sequence[Sequence[Token]]) -> None:
        for number, row in enumerate(rows):
            line: list[Run] = []
            for cell in row:
                if line:
                    line.append(Run(" | "))
                line += [
                    run for part in inline(cell.children or (), cell.content, "" if number else "*") for run in part
                ]
            self.line(line)


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
            label = words_of(tokens[index + 1 : end])
            lines[-1].extend(_link(str(token.attrGet("href") or ""), label, marks))
            index = end
        elif token.type == "image":
            alt = words_of(token.children or ())
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
