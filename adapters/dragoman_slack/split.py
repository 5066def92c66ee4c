"""Fit mrkdwn into messages: a text that is too long becomes several, and nothing is cut away.

"For best results, limit the number of characters in the text field to 4,000 characters"; above about that
Slack splits by itself, in the middle of anything (https://github.com/slackapi/java-slack-sdk/issues/704), and
above 40,000 it truncates (https://docs.slack.dev/reference/methods/chat.postMessage/#truncating).

A text comes as `Line` and `Code` blocks. Parts break between paragraphs if that leaves the part half full,
else between lines, else between words, else between characters; never in an entity (``&amp;``) or a token
(``<...>``).
A format or code block that is broken is closed in one part and opened again in the next.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .mrkdwn import GAP

__all__ = ["LIMIT", "Code", "Line", "Run", "fit"]

#: The most characters (Unicode code points, after escaping) that one message gets.
LIMIT: Final = 4000

# Room for closing and opening all four formats with their guards.
RESERVE: Final = 16
TICKS: Final = "```"
FENCED: Final = 2 * (len(TICKS) + 1)

CHUNK: Final = re.compile(r"\S+\s*|\s+")
UNIT: Final = re.compile(r"&(?:amp|lt|gt);|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Run:
    """Escaped text in one style: ``marks`` are the formats around it, outermost first, such as ``*_``.

    ``whole``: a token (``<...>``) that must not be broken.
    """

    text: str
    marks: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of prose; ``prefix`` is a quote's or list's, ``hang`` what a broken-off rest starts with."""

    runs: tuple[Run, ...] = ()
    prefix: str = ""
    hang: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A code block; its text is escaped already."""

    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A piece that fits. ``block``: which code block it is in (0: none); ``glued``: no line break before."""

    text: str
    block: int = 0
    glued: bool = False


def fit(blocks: Sequence[Line | Code], limit: int = LIMIT) -> tuple[str, ...]:
    """Parts of at most ``limit`` characters each; none for blocks without any text."""
    parts: list[str] = []
    part: list[Row] = []
    size = 0
    for row in _rows(blocks, limit):
        cost = len(row.text) + 1 + (FENCED if row.block and not (part and part[-1].block == row.block) else 0)
        if part and size + cost > limit + 1:
            rest = _break(part, row, limit)
            _finish(part, parts)
            part = rest
            size = len(_join(part)) + 1 if part else 0
            cost = len(row.text) + 1
            if row.block and not (part and part[-1].block == row.block):
                cost += FENCED
        part.append(row)
        size += cost
    _finish(part, parts)
    return tuple(parts)


def _break(part: list[Row], row: Row, limit: int) -> list[Row]:
    """Take off ``part`` what should rather go with the next one: what follows its last paragraph break."""
    for index in range(len(part) - 1, 0, -1):
        if not part[index].text and not part[index].block:
            head, tail = part[:index], part[index + 1 :]
            if len(_join(head)) >= limit // 2 and len(_join([*tail, row])) <= limit:
                del part[index:]
                return tail
            break
    return []


def _finish(part: list[Row], parts: list[str]) -> None:
    while part and not part[0].block and not part[0].text.strip():
        del part[0]
    while part and not part[-1].block and not part[-1].text.strip():
        del part[-1]
    if part:
        parts.append(_join(part))


def _join(rows: Sequence[Row]) -> str:
    out: list[str] = []
    block = 0
    for index, row in enumerate(rows):
        if block and row.block != block:
            out.append(f"\n{TICKS}")
        if index and not row.glued:
            out.append("\n")
        if row.block and row.block != block:
            out.append(f"{TICKS}\n")
        out.append(row.text)
        block = row.block
    if block:
        out.append(f"\n{TICKS}")
    return "".join(out)


def _rows(blocks: Sequence[Line | Code], limit: int) -> Iterator[Row]:
    for number, block in enumerate(blocks, start=1):
        if isinstance(block, Line):
            yield from _wrap(block, limit)
        else:
            for line in block.text.split("\n"):
                first = True
                for piece in _pieces(line, limit - FENCED):
                    yield Row(piece, number, glued=not first)
                    first = False


def _pieces(text: str, room: int) -> Iterator[str]:
    """Text in pieces of at most ``room`` characters, broken between words if that can be; at least one."""
    if len(text) <= room:
        yield text
        return
    piece = ""
    for chunk in CHUNK.findall(text):
        if len(piece) + len(chunk) > room and piece:
            yield piece
            piece = ""
        if len(chunk) <= room:
            piece += chunk
            continue
        for unit in UNIT.findall(chunk):
            if len(piece) + len(unit) > room:
                yield piece
                piece = ""
            piece += unit
    if piece:
        yield piece


def _wrap(line: Line, limit: int) -> Iterator[Row]:
    text = write(line.prefix, line.runs)
    if len(text) <= limit:
        yield Row(text)
        return
    prefix, glued = line.prefix, False
    taken: list[Run] = []
    room = size = limit - RESERVE - max(len(line.prefix), len(line.hang))
    for run in line.runs:
        # A change of style costs at most the reserve once more.
        size -= RESERVE
        for chunk in (run.text,) if run.whole else _pieces_of(run.text, room // 2):
            if len(chunk) > size and taken:
                yield Row(write(prefix, taken), glued=glued)
                prefix, glued = line.hang, not line.hang
                taken, size = [], room
            taken.append(Run(chunk, run.marks, run.whole))
            size -= len(chunk)
    if taken:
        yield Row(write(prefix, taken), glued=glued)


def _pieces_of(text: str, room: int) -> Iterator[str]:
    for chunk in CHUNK.findall(text):
        yield from _pieces(chunk, room)


def write(prefix: str, runs: Sequence[Run]) -> str:
    """A line of mrkdwn. Spaces stand outside formats, and what touches a format from outside gets a
    gap between: else Slack shows the markers."""
    out = prefix
    marks = ""
    for run in runs:
        lead = run.text[: len(run.text) - len(run.text.lstrip())]
        body = run.text.strip()
        if not body:
            common = _common(marks, run.marks)
            out, marks = _close(out, marks[common:]) + run.text, marks[:common]
            continue
        if run.marks != marks:
            common = _common(marks, run.marks)
            out = _close(out, marks[common:])
            closed = len(marks) > common
            out += lead
            lead = ""
            opening = run.marks[common:]
            after_format = closed and out[-1:] in ("*", "_", "~", "`")
            touching = out[-1:].isalnum() or after_format if opening else after_format and body[0].isalnum()
            out += (GAP if touching else "") + opening
            marks = run.marks
        out += lead + body + run.text[len(run.text.rstrip()) :]
    return _close(out, marks)


def _common(one: str, two: str) -> int:
    """How many characters they begin with alike."""
    count = 0
    while count < min(len(one), len(two)) and one[count] == two[count]:
        count += 1
    return count


def _close(out: str, marks: str) -> str:
    if not marks:
        return out
    body = out.rstrip()
    return body + marks[::-1] + out[len(body) :]
