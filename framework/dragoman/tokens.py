"""The words of what a person typed: quotes as people type them, options, mentions.

* Quotes count around whole words only: ``"buy milk"`` and ``„buy milk“``, but not in ``6"`` and ``don't``. A
  quote that is never closed is a letter.
* ``--name``, ``--name=value`` and ``--name="a value"`` are options; so are ``—name`` and ``–name``, since phones
  turn two dashes into one. Whether there is such an option is for `dragoman.arguments` to say.
* A mention is one word, whatever the name in it: ``<@U1|Ann Lee>``.
"""

import re
from bisect import bisect_left
from typing import Final, NamedTuple

__all__ = ["QUOTES", "Token", "read_tokens"]

#: What opens a quotation, and all that may close it.
QUOTES: Final = {
    '"': '"',
    "'": "'",
    "\u201c": "\u201d\u201c",  # English and Chinese; German closes with the mark that opens the English one
    "\u201d": "\u201d",  # Swedish and Finnish
    "\u201e": "\u201c\u201d",  # German, Czech; Polish, Romanian
    "\u201f": "\u201d",
    "\u2018": "\u2019\u2018",
    "\u2019": "\u2019",
    "\u201a": "\u2018\u2019",
    "\u00ab": "\u00bb",  # French, Russian, Arabic
    "\u00bb": "\u00ab\u00bb",  # Danish and German books; Swedish
    "\u2039": "\u203a",
    "\u203a": "\u2039\u203a",
    "\u300c": "\u300d",  # Japanese
    "\u300e": "\u300f",
}

WORD: Final = re.compile(r"\S+")
NEXT: Final = re.compile(r"\S")
OPTION: Final = re.compile(r"(--|[\u2012-\u2015]-?)([^\W\d_][^\s=]*)")
MENTION: Final = re.compile(r"<[@#]!?[^\s<>|!]{1,200}(?:\|[^<>\r\n]{0,200})?>(?=\s|,|<[@#]|\Z)")
#: A closing quote counts at the end of a word; a comma may be behind it, for lists.
CLOSING: Final = re.compile(rf"[{''.join(sorted(set(''.join(QUOTES.values()))))}](?=[\s,]|\Z)")
#: What French keyboards put inside guillemets.
NARROW: Final = "\u00a0\u202f"


class Token(NamedTuple):
    """One word.

    Attributes:
        text: the word, without its quotes.
        start, end: where it is in the whole text, with its quotes (and a comma behind them).
        quoted: whether it was in quotes: then it is never an option, and a list does not split it.
        option: what follows the dashes if it looks like an option (without ``=value``), else empty.
        value: what follows ``=``, or ``None``; ``value_quoted`` is whether that was in quotes.
        sure: the dashes are ``--``, not a long dash that may be meant as one.
        comma: a comma is its last character, for lists; behind a quotation or a mention it is not in ``text``.
    """

    text: str
    start: int
    end: int
    quoted: bool = False
    option: str = ""
    value: str | None = None
    value_quoted: bool = False
    sure: bool = True
    comma: bool = False


def read_tokens(text: str) -> list[Token]:
    """The words of a text, in order. Takes time in proportion to its length."""
    reader = _Quotations(text)
    tokens: list[Token] = []
    position = 0
    while found := NEXT.search(text, position):
        tokens.append(_token(text, found.start(), reader))
        position = tokens[-1].end
    return tokens


def _token(text: str, start: int, quotations: "_Quotations") -> Token:
    if found := quotations.at(start):
        inside, end = found
        comma = text.startswith(",", end)
        return Token(inside, start, end + comma, quoted=True, comma=comma)
    if mention := MENTION.match(text, start):
        end = mention.end()
        comma = text.startswith(",", end)
        return Token(mention[0], start, end + comma, comma=comma)
    if option := OPTION.match(text, start):
        name, sure, end = option[2], option[1] == "--", option.end()
        if not text.startswith("=", end):
            return Token(option[0], start, end, option=name, sure=sure)
        begin = end + 1
        value, end, quoted, comma = _value(text, begin, quotations)
        return Token(text[start:end], start, end, False, name, value, quoted, sure, comma)
    word = _word(text, start)
    return Token(word, start, start + len(word), comma=word.endswith(","))


def _value(text: str, start: int, quotations: "_Quotations") -> tuple[str, int, bool, bool]:
    """What follows ``=``: the value, where it ends, whether it was quoted, and whether a comma ends it."""
    found = quotations.at(start)
    if found is None and (mention := MENTION.match(text, start)):
        found = mention[0], mention.end()
        quoted = False
    else:
        quoted = found is not None
    if found is not None:
        comma = text.startswith(",", found[1])
        return found[0], found[1] + comma, quoted, comma
    word = _word(text, start)
    return word, start + len(word), False, word.endswith(",")


def _word(text: str, start: int) -> str:
    found = WORD.match(text, start)
    return found[0] if found else ""


class _Quotations:
    """The quotations of a text. The closing marks are found once, so that many open ones do not cost many searches."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.closing: dict[str, list[int]] | None = None

    def at(self, start: int) -> tuple[str, int] | None:
        """The quoted text if a quotation begins here, and where the words go on."""
        closers = QUOTES.get(self.text[start : start + 1])
        if closers is None:
            return None
        if self.closing is None:
            self.closing = {}
            for found in CLOSING.finditer(self.text):
                self.closing.setdefault(found[0], []).append(found.start())
        ends: list[int] = []
        for mark in closers:
            places = self.closing.get(mark, [])
            if (index := bisect_left(places, start + 1)) < len(places):
                ends.append(places[index])
        if not ends:
            return None
        end = min(ends)
        inside = self.text[start + 1 : end]
        if self.text[start] == "\u00ab" and len(inside) > 2 and inside[0] in NARROW and inside[-1] in NARROW:
            inside = inside[1:-1]
        return inside, end + 1
