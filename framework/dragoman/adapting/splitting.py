"""Fit a text into messages: one that is too long becomes several, and nothing is cut away.

A text comes as `Line` and `Code` blocks, in the platform's own markup but for the marks around formats. Parts break
between paragraphs if that leaves the part half full, else between lines, else between words, else between characters;
never in what the platform takes for one (`Markup.unit`) or in a token (`Run.whole`). A format or code block that is
broken is closed in one part and opened again in the next. Lengths are in characters (Unicode code points).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Code", "Line", "Markup", "Run", "fit", "write"]

TICKS: Final = "```"
CHUNK: Final = re.compile(r"\S+\s*|\s+")


@dataclass(frozen=True, slots=True)
class Run:
    """Escaped text in one style: ``marks`` are the formats around it, outermost first, such as ``("**", "*")``.

    ``whole``: a token (``<...>`` or ``[...](...)``) that must not be broken.
    """

    text: str
    marks: Sequence[str] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of prose; ``prefix`` is a quote's or list's, ``hang`` what a broken-off rest starts with."""

    runs: tuple[Run, ...] = ()
    prefix: str = ""
    hang: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A code block without its fences; ``language`` is what it is coloured as, or empty."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Markup:
    """What is different from platform to platform.

    Attributes:
        unit: what text consists of that may not be broken, such as a character or an entity.
        code_unit: the same of the text in code blocks.
        reserve: characters for closing and opening all formats, with gaps.
        gap: what stands between a format and what it must not touch; it is not seen.
        touching: whether that is needed, from what is written so far, the marks that open now, whether others have
            just been closed, and the text that follows.
    """

    unit: re.Pattern[str]
    code_unit: re.Pattern[str]
    reserve: int
    gap: str
    touching: Callable[[str, str, bool, str], bool]


@dataclass(frozen=True, slots=True)
class Row:
    """A piece that fits. ``block``: which code block it is in (0: none); ``glued``: no line break before."""

    text: str
    block: int = 0
    glued: bool = False
    language: str = ""

    @property
    def fences(self) -> int:
        return 2 * (len(TICKS) + 1) + len(self.language)


def fit(blocks: Sequence[Line | Code], limit: int, markup: Markup) -> tuple[str, ...]:
    """Parts of at most ``limit`` characters each; none for blocks without any text."""
    parts: list[str] = []
    part: list[Row] = []
    size = 0
    for row in _rows(blocks, limit, markup):
        cost = len(row.text) + 1 + (row.fences if row.block and not (part and part[-1].block == row.block) else 0)
        if part and size + cost > limit + 1:
            rest = _break(part, row, limit)
            _finish(part, parts)
            part = rest
            size = len(_join(part)) + 1 if part else 0
            cost = len(row.text) + 1
            if row.block and not (part and part[-1].block == row.block):
                cost += row.fences
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
    # Platforms take no message of spaces only; a code block of them has its fences.
    while part and not part[0].block and not part[0].text.strip():
        del part[0]
    while part and not part[-1].block and not part[-1].text.strip():
        del part[-1]
    if part:
        parts.append(_join(part).rstrip())


def _join(rows: Sequence[Row]) -> str:
    out: list[str] = []
    block = 0
    for index, row in enumerate(rows):
        if block and row.block != block:
            out.append(f"\n{TICKS}")
        if index and not (row.glued and row.block == block):
            out.append("\n")
        if row.block and row.block != block:
            out.append(f"{TICKS}{row.language}\n")
        out.append(row.text)
        block = row.block
    if block:
        out.append(f"\n{TICKS}")
    return "".join(out)


def _rows(blocks: Sequence[Line | Code], limit: int, markup: Markup) -> Iterator[Row]:
    for number, block in enumerate(blocks, start=1):
        if isinstance(block, Line):
            yield from _wrap(block, limit, markup)
        else:
            room = limit - Row("", number, language=block.language).fences
            for line in block.text.split("\n"):
                first = True
                for piece in _pieces(line, room, markup.code_unit):
                    yield Row(piece, number, glued=not first, language=block.language)
                    first = False


def _pieces(text: str, room: int, unit: re.Pattern[str]) -> Iterator[str]:
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
        for least in unit.findall(chunk):
            if len(piece) + len(least) > room:
                yield piece
                piece = ""
            piece += least
    if piece:
        yield piece


def _wrap(line: Line, limit: int, markup: Markup) -> Iterator[Row]:
    text = write(line.prefix, line.runs, markup)
    if len(text) <= limit:
        yield Row(text)
        return
    prefix, glued = line.prefix, False
    taken: list[Run] = []
    room = size = limit - markup.reserve - max(len(line.prefix), len(line.hang))
    for run in line.runs:
        # A change of style costs at most the reserve once more.
        size -= markup.reserve
        for chunk in (run.text,) if run.whole else _pieces_of(run.text, room // 2, markup.unit):
            if len(chunk) > size and taken:
                yield Row(write(prefix, taken, markup), glued=glued)
                prefix, glued = line.hang, not line.hang
                taken, size = [], room
            taken.append(Run(chunk, run.marks, run.whole))
            size -= len(chunk)
    if taken:
        yield Row(write(prefix, taken, markup), glued=glued)


def _pieces_of(text: str, room: int, unit: re.Pattern[str]) -> Iterator[str]:
    for chunk in CHUNK.findall(text):
        yield from _pieces(chunk, room, unit)


def write(prefix: str, runs: Sequence[Run], markup: Markup) -> str:
    """A line in the platform's own markup. Spaces stand outside formats: else people see the markers."""
    out = prefix
    marks: Sequence[str] = ()
    for run in runs:
        body = run.text.strip()
        if not body:
            common = _common(marks, run.marks)
            out, marks = _close(out, marks[common:]) + run.text, marks[:common]
            continue
        lead = run.text[: len(run.text) - len(run.text.lstrip())]
        if tuple(run.marks) != tuple(marks):
            common = _common(marks, run.marks)
            closed = len(marks) > common
            out = _close(out, marks[common:]) + lead
            lead = ""
            opening = "".join(run.marks[common:])
            out += (markup.gap if markup.touching(out, opening, closed, body) else "") + opening
            marks = run.marks
        out += lead + body + run.text[len(run.text.rstrip()) :]
    return _close(out, marks)


def _common(one: Sequence[str], two: Sequence[str]) -> int:
    """How many marks they begin with alike."""
    count = 0
    while count < min(len(one), len(two)) and one[count] == two[count]:
        count += 1
    return count


def _close(out: str, marks: Sequence[str]) -> str:
    if not marks:
        return out
    body = out.rstrip()
    return body + "".join(reversed(marks)) + out[len(body) :]
