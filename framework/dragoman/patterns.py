r"""Python's regular expressions, matched in linear time, whatever the pattern: RE2 behind Python's meaning.

RE2 cannot be made to hang, and its ``Set`` looks for all patterns in one pass. But its ``\b``, ``\w``
and ``\d`` are ASCII, so ``\bécole\b`` would never match. Classes translate to Unicode properties. A word
boundary needs more, since RE2 has no look-around: the *text* gets marks (a noncharacter, U+FDD0) at
every Unicode word boundary, ``\b`` becomes "one mark", and every other atom may be preceded by marks.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import re2

from .errors import CatalogueError

__all__ = ["Pattern", "PatternSet", "mark"]

MARK: Final = "\ufdd0"
MARK_AT: Final = ord(MARK)
# Several at each boundary, so that a pattern may ask for the same boundary more than once (``\b\b``).
MARKS: Final = MARK * 3
BOUNDARY: Final = re.compile(r"\b")

WORD: Final = r"\p{L}\p{N}_"
DIGIT: Final = r"\p{Nd}"
SPACE: Final = r"\s\x0b\x1c-\x1f\x{85}\p{Z}"
# All that is neither letter, number nor "_": for use inside [...], where RE2 cannot subtract.
NOT_WORD: Final = (
    r"\p{M}\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}\p{S}\p{Z}\p{C}"
    r"\x{203f}\x{2040}\x{2054}\x{fe33}\x{fe34}\x{fe4d}-\x{fe4f}\x{ff3f}"
)
OUTSIDE: Final = {
    "d": f"[{DIGIT}]",
    "D": f"[^{DIGIT}{MARK}]",
    "w": f"[{WORD}]",
    "W": f"[^{WORD}{MARK}]",
    "s": f"[{SPACE}]",
    "S": f"[^{SPACE}{MARK}]",
}
# Spelt out instead of negated, so that a class never takes a mark for a character.
NOT_DIGIT: Final = r"\p{L}\p{M}\p{Nl}\p{No}\p{P}\p{S}\p{Z}\p{C}"
NOT_SPACE: Final = r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}\x00-\x08\x0e-\x1b\x7f-\x{84}\x{86}-\x{9f}"
INSIDE: Final = {"d": DIGIT, "w": WORD, "s": SPACE, "W": NOT_WORD, "D": NOT_DIGIT, "S": NOT_SPACE}
CONTROL: Final = {"n": r"\n", "t": r"\t", "r": r"\r", "f": r"\f", "v": r"\x0b", "a": r"\x07"}
CONTROL_POINTS: Final = {"n": 10, "t": 9, "r": 13, "f": 12, "v": 11, "a": 7}
NUMBERED: Final = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))")

# A hostile or enormous set of patterns may need this much memory for its automaton, and no more.
MEMORY: Final = 256 * 1024 * 1024


def mark(text: str) -> str:
    """The text as patterns see it."""
    return BOUNDARY.sub(MARKS, text.replace(MARK, ""))


class Pattern:
    """One pattern.

    Raises:
        CatalogueError: it is not a regular expression, or needs what RE2 has not (look-around,
            back-references, ``\\B``); the message names the culprit.
    """

    def __init__(self, pattern: str, *, ignore_case: bool = True) -> None:
        self.source = pattern
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            raise CatalogueError(f"{pattern!r} is not a regular expression: {error}") from None
        self.translated = ("(?i)" if ignore_case else "") + _translate(pattern)
        try:
            self._re2 = re2.compile(self.translated, options=_options())
        except re2.error as error:
            raise CatalogueError(f"{pattern!r} cannot be matched in linear time: {_text(error)}") from None
        #: The names of its groups.
        self.names: frozenset[str] = frozenset(self._re2.groupindex)

    def groups(self, marked: str) -> dict[str, str] | None:
        """The named groups that took part in the first match in a `mark`-ed text, or ``None``: no match."""
        found = self._re2.search(marked)
        if found is None:
            return None
        return {k: v.replace(MARK, "") for k, v in found.groupdict().items() if v is not None}

    def search(self, text: str) -> dict[str, str] | None:
        """`groups` of an ordinary text."""
        return self.groups(mark(text))


class PatternSet:
    """Many patterns, looked for in one pass."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = tuple(patterns)
        self._set = None
        if patterns:
            self._set = re2.Set.SearchSet(_options())
            for pattern in patterns:
                self._set.Add(pattern.translated)
            self._set.Compile()

    def search(self, text: str) -> Iterable[tuple[int, dict[str, str]]]:
        """(index of the pattern, its named groups) for each pattern found in the text."""
        if self._set is None:
            return
        marked = mark(text)
        for index in sorted(self._set.Match(marked) or ()):
            groups = self._patterns[index].groups(marked)
            if groups is not None:
                yield index, groups


def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    return options


def _text(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)


def _translate(pattern: str) -> str:
    """Python's syntax to RE2's over marked text: see the module's docstring."""
    out: list[str] = []
    # Whether the atom just written is one word character: no boundary can follow it before another one,
    # and leaving out marks that cannot be there keeps a thousand patterns small.
    in_word = False
    # Whether a quantifier was just written: a "+" after it would make it possessive.
    quantified = False
    i = 0
    while i < len(pattern):
        c = pattern[i]
        after_quantifier, quantified = quantified, False
        if c == "\\":
            piece, i = _escape(pattern, i)
            out.append(piece)
        elif c == "[":
            piece, i = _class(pattern, i)
            out.append(_atom(piece))
        elif c == ".":
            out.append(_atom(f"[^\\n{MARK}]"))
            i += 1
        elif c == "(" and pattern.startswith("(?", i):
            piece, i = _group(pattern, i)
            out.append(piece)
        elif c == "{":
            quantifier = re.compile(r"\{(\d+(?:,\d*)?|,\d+)\}").match(pattern, i)
            if quantifier:
                inner = quantifier[1]
                out.append("{" + ("0" + inner if inner.startswith(",") else inner) + "}")
                i = quantifier.end()
                quantified = True
            else:
                out.append(_atom(r"\{"))
                i += 1
        elif c == "$":
            # Python's "$" also matches before a newline at the very end.
            out.append(f"{MARK}*\\n?\\z")
            i += 1
        elif c in "()|*+?^":
            if c == "+" and after_quantifier:
                raise CatalogueError(f"{pattern!r} cannot be matched in linear time: possessive quantifier")
            out.append(c)
            quantified = c in "*+?"
            i += 1
        else:
            is_word = c.isalnum() or c == "_"
            out.append(re2.escape(c) if in_word and is_word else _atom(re2.escape(c)))
            i += 1
            in_word = is_word
            continue
        in_word = False
    return "".join(out)


def _atom(piece: str) -> str:
    return f"(?:{MARK}*{piece})"


def _escape(pattern: str, i: int) -> tuple[str, int]:
    c = pattern[i + 1]
    if c in OUTSIDE:
        return _atom(OUTSIDE[c]), i + 2
    if c == "b":
        return MARK, i + 2
    if c == "A":
        return r"\A", i + 2
    if c == "Z":
        return rf"{MARK}*\z", i + 2
    if c == "B" or c.isdigit():
        what = r"\B" if c == "B" else f"back-reference \\{c}"
        if c != "0":
            raise CatalogueError(f"{pattern!r} cannot be matched in linear time: {what}")
    piece, end = _literal(pattern, i)
    return _atom(piece), end


def _literal(pattern: str, i: int) -> tuple[str, int]:
    """An escape that stands for one character, outside of a class."""
    c = pattern[i + 1]
    if c in CONTROL:
        return CONTROL[c], i + 2
    if c in "xuU":
        length = {"x": 2, "u": 4, "U": 8}[c]
        return rf"\x{{{pattern[i + 2 : i + 2 + length]}}}", i + 2 + length
    octal = re.compile(r"\\(0[0-7]{0,2}|[0-3][0-7]{2})").match(pattern, i)
    if octal:
        return rf"\x{{{int(octal[1], 8):x}}}", octal.end()
    if c == "N":
        raise CatalogueError(f"{pattern!r}: write the character itself instead of \\N{{...}}")
    return re2.escape(c), i + 2


def _class(pattern: str, i: int) -> tuple[str, int]:
    out = ["["]
    i += 1
    if pattern[i] == "^":
        out.append("^" + MARK)
        i += 1
    first = True
    while first or pattern[i] != "]":
        first = False
        if pattern[i] == "\\" and pattern[i + 1] in INSIDE:
            out.append(INSIDE[pattern[i + 1]])
            i += 2
            continue
        low, i = _member(pattern, i)
        high = low
        if pattern[i] == "-" and pattern[i + 1] != "]":
            high, i = _member(pattern, i + 1)
        # A mark is not a character of the text, even if the range is all of Unicode.
        if low <= MARK_AT <= high:
            out += [_range(low, MARK_AT - 1), _range(MARK_AT + 1, high)]
        else:
            out.append(_range(low, high))
    return "".join([*out, "]"]), i + 1


def _member(pattern: str, i: int) -> tuple[int, int]:
    """The code point of one character of a class, and where to go on."""
    c = pattern[i]
    if c != "\\":
        return ord(c), i + 1
    c = pattern[i + 1]
    if c == "b":
        return 8, i + 2
    if c in CONTROL:
        return CONTROL_POINTS[c], i + 2
    number = NUMBERED.match(pattern, i)
    if number:
        octal, *digits = number.groups()
        return int(octal, 8) if octal else int("".join(filter(None, digits)), 16), number.end()
    if c == "N":
        raise CatalogueError(f"{pattern!r}: write the character itself instead of \\N{{...}}")
    return ord(c), i + 2


def _range(low: int, high: int) -> str:
    if low > high:
        return ""
    return rf"\x{{{low:x}}}" + (rf"-\x{{{high:x}}}" if high > low else "")


def _group(pattern: str, i: int) -> tuple[str, int]:
    named = re.compile(r"\(\?P<(\w+)>").match(pattern, i)
    if named:
        if not named[1].isascii():
            raise CatalogueError(f"{pattern!r}: the group's name {named[1]!r} must be ASCII")
        return f"(?P<{named[1]}>", named.end()
    if pattern.startswith("(?:", i):
        return "(?:", i + 3
    if pattern.startswith("(?#", i):
        return "", pattern.index(")", i) + 1
    flags = re.compile(r"\(\?(i*)(?:(-i)?:|\))").match(pattern, i)
    if flags:
        return flags[0], flags.end()
    what = pattern[i : i + 4]
    raise CatalogueError(
        f"{pattern!r} cannot be matched in linear time or is not supported: {what!r} "
        "(look-around, back-references, conditions, atomic groups and the flags a, L, m, s, u, x)"
    )
