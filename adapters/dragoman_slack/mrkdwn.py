"""Slack's mrkdwn, read: to CommonMark and to plain text; and the escaping that both directions share.

Shapes (https://docs.slack.dev/messaging/formatting-message-text/): ``&``, ``<`` and ``>`` are written
``&amp;``, ``&lt;`` and ``&gt;``, nothing else is an entity. What stands in ``<...>`` is one token:
``<@U1>``, ``<#C1|general>``, ``<!here>``, ``<!subteam^S1|@ops>``, ``<!date^1392734382^{date}|Feb 18>``,
``<https://example.com|label>``. ``*bold*``, ``_italic_``, ``~struck~``, `` `code` `` and fenced blocks.

mrkdwn has **no** escape for ``*``, ``_``, ``~`` and `` ` ``. Where a literal one would start a format, what
we send has an invisible `GUARD` after it; a format inside a word has an invisible `GAP` on its outside. What
we read loses both again.

Every function here is pure and takes time linear in its input: what people type cannot hang the gateway.
"""

import re
from typing import Final

from dragoman.adapting import fenced

__all__ = [
    "GAP",
    "GUARD",
    "escape",
    "literal",
    "mentions",
    "plain",
    "to_commonmark",
    "unescape",
    "without_mentions",
]

#: Stands after a literal marker (U+2060, word joiner).
GUARD: Final = "\u2060"
#: Stands between a word and a format that touches it (U+200B, zero-width space).
GAP: Final = "\u200b"

TOKEN: Final = re.compile(r"<([^<>\n]+)>")
FENCE: Final = re.compile(r"```(.+?)```", re.DOTALL)
PIECE: Final = re.compile(r"`(?!\u2060)([^`\n]+)`|<([^<>\n]+)>|([*_~`]\u2060)|([*_~])")
#: Text without any of these is the same in plain text, mrkdwn and CommonMark.
SPECIAL: Final = re.compile(r"[\\`*_~\[\]<>&#|\u200b\u2060\t]|^[-+=\d]|^ | $|\n[ \t]*\n[ \t]*\n", re.MULTILINE)
QUOTE: Final = re.compile(r"(?:&gt;|>) ?")

ENTITIES: Final = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
ENTITY: Final = re.compile("&(?:amp|lt|gt);")
ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})

# What CommonMark would read as markup; an underscore inside a word is not (https://spec.commonmark.org/0.31.2/).
MARKUP: Final = re.compile(r"[\\`*~\[\]<>|]|(?<![^\W_])_+|_+(?![^\W_])|&(?=[#\w])")
LINE_START: Final = re.compile(r"([#+=-]|\d{1,9}(?=[.)]))")
AUTOLINK: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*")
FORMATS: Final = {"*": "**", "_": "_", "~": "~~"}


def escape(text: str) -> str:
    """Text for mrkdwn: ``&``, ``<`` and ``>`` as entities; so no user's text can ping or link."""
    return text.translate(ESCAPES)


def unescape(text: str) -> str:
    """The reverse of `escape`, in one pass: ``&amp;lt;`` is ``&lt;``."""
    return ENTITY.sub(lambda match: ENTITIES[match[0]], text) if "&" in text else text


def mentions(text: str, user: str) -> bool:
    """Whether mrkdwn mentions that user (what somebody typed as ``<@U1>`` is escaped, and does not count)."""
    return f"<@{user}>" in text or f"<@{user}|" in text


def without_mentions(text: str, user: str) -> str:
    """The mrkdwn without the mentions of that user; a colon or comma after a leading one goes too."""
    mention = rf"<@{re.escape(user)}(?:\|[^<>\n]*)?>"
    text = re.sub(rf"\A\s*(?:{mention}[ \t]*[:,]?\s*)+", "", text)
    return re.sub(rf"[ \t]?{mention}", "", text).strip()


def plain(text: str) -> str:
    """What the person typed: entities read, links as label or address, mentions as ``<@U1>``, ``<#C1>``, code blocks
    of several lines with their fences on lines of their own."""
    if "<" in text:
        # One pass over tokens and entities each: a token's parts are unescaped with everything else.
        text = TOKEN.sub(_plain_token, text)
    return fenced(unescape(text), languages=False)


def _plain_token(match: re.Match[str]) -> str:
    target, bar, label = match[1].partition("|")
    if target[0] in "@#":
        return f"<{target}>"
    if target[0] == "!":
        return (label or target[1:]) if target.startswith(("!date", "!subteam")) else f"@{target[1:]}"
    return label if bar and label else target


def to_commonmark(text: str) -> str:
    """mrkdwn as CommonMark.

    What was typed literally stays literal (escaped). Mentions become links with a ``dragoman:`` address. A
    line break stays a line break; several blank lines become one.
    """
    if not SPECIAL.search(text):
        return text
    blocks: list[str] = []
    position = 0
    for match in FENCE.finditer(text):
        _prose(text[position : match.start()], blocks)
        blocks.append(_code_block(match[1]))
        position = match.end()
    _prose(text[position:], blocks)
    return "\n\n".join(blocks)


def _code_block(code: str) -> str:
    code = plain(code.removeprefix("\n").removesuffix("\n"))
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{code}\n{fence}"


def _prose(text: str, blocks: list[str]) -> None:
    """Add the paragraphs and quotes of text without code blocks."""
    lines: list[str] = []
    quoted = False

    def close() -> None:
        if lines:
            blocks.append("\n".join(lines))
            lines.clear()

    rest_quoted = False
    for raw in text.split("\n"):
        line = raw
        is_quote = rest_quoted
        if not rest_quoted and (mark := QUOTE.match(line)):
            is_quote = True
            line = line[mark.end() :]
            if (more := QUOTE.match(line)) and (third := QUOTE.match(line[more.end() :])):
                rest_quoted = True  # ">>>" quotes everything that follows
                line = line[more.end() + third.end() :]
        if is_quote != quoted or not (line.strip() or is_quote):
            close()
        quoted = is_quote
        if is_quote:
            lines.append(f"> {_line(line)}".rstrip())
        elif line.strip():
            lines.append(_line(line))
    close()


def _line(text: str) -> str:
    """One line; the spaces around it are entities, since CommonMark would drop them or make code of them."""
    body = text.strip(" \t")
    if not body:
        return ""
    start = text.index(body[0])
    inline = _inline(body.removeprefix(GUARD) if body.startswith((f"{GUARD}&gt;", f"{GUARD}>")) else body)
    if mark := LINE_START.match(inline):
        number = mark[0].isdigit()
        inline = f"{mark[0]}\\{inline[mark.end() :]}" if number else f"\\{inline}"
    return _spaces(text[:start]) + inline + _spaces(text[start + len(body) :])


def _spaces(text: str) -> str:
    return "".join("&#9;" if char == "\t" else "&#32;" for char in text)


def _inline(text: str) -> str:
    """One line's markup. Left to right with at most one open format of each kind, so linear."""
    out: list[str] = []
    opened: dict[str, int] = {}  # marker -> where it stands in out; a dict keeps the order of opening
    position = closed = 0
    for match in PIECE.finditer(text):
        if match.start() > position:
            _text(text[position : match.start()], position == closed, out)
        position = match.end()
        code, token, guarded, marker = match.groups()
        if code is not None:
            out.append(_code(plain(code)))
        elif token is not None:
            out.append(_token(token))
        elif guarded is not None:
            out.append(f"\\{guarded[0]}")
        elif _mark(text, match.start(), marker, out, opened):
            closed = position
    if position < len(text):
        _text(text[position:], position == closed, out)
    return "".join(out)


def _text(text: str, after_format: bool, out: list[str]) -> None:
    out.append(literal(unescape(text.removeprefix(GAP) if after_format else text)))


def _mark(text: str, index: int, marker: str, out: list[str], opened: dict[str, int]) -> bool:
    """A marker opens before something that is not a space, closes after it, and never inside a word.

    Returns whether it closed a format.
    """
    before = text[index - 1] if index else " "
    after = text[index + 1] if index + 1 < len(text) else " "
    at = len(out)
    inside = marker == "_" and before.isalnum() and after.isalnum()
    out.append(marker if inside else f"\\{marker}")
    if marker in (before, after):
        return False
    if marker in opened and not before.isspace() and not after.isalnum():
        start = opened[marker]
        lead = out[start - 1] if start else ""
        gap = lead.endswith(GAP)
        inside_word = (gap and lead[-2:-1].isalnum()) or (after == GAP and text[index + 2 : index + 3].isalnum())
        out[start] = out[at] = "*" if marker == "_" and inside_word else FORMATS[marker]
        if gap:
            out[start - 1] = lead[:-1]
        for later in [key for key, place in opened.items() if place >= start]:
            del opened[later]
        return True
    if not after.isspace() and not before.isalnum():
        opened.setdefault(marker, at)
    return False


def literal(text: str) -> str:
    """Text as CommonMark that shows exactly it (but for what only means something at the start of a line)."""
    return MARKUP.sub(lambda match: "".join(f"\\{char}" for char in match[0]), text)


def _code(code: str) -> str:
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    ticks = "`" * (longest + 1)
    # CommonMark strips one space from both ends when there is one at both.
    pad = " " if code[0] in " `" and code[-1] in " `" and code.strip() else ""
    return f"{ticks}{pad}{code}{pad}{ticks}"


def _token(token: str) -> str:
    target, _, label = token.partition("|")
    kind, ident = target[:1], target[1:]
    if kind == "@":
        return f"[@{literal(unescape(label)) or ident}](dragoman:user/{ident})"
    if kind == "#":
        return f"[#{literal(unescape(label)) or ident}](dragoman:channel/{ident})"
    if kind == "!":
        if ident.startswith("subteam^"):
            group = ident.removeprefix("subteam^")
            return f"[@{literal(unescape(label)).removeprefix('@') or group}](dragoman:group/{group})"
        if ident.startswith("date^"):
            return literal(unescape(label or ident))
        return f"[@{ident}](dragoman:everyone/{ident})"
    url = unescape(target)
    if not label and AUTOLINK.fullmatch(url):
        return f"<{url}>"
    if not re.fullmatch(r"[^\s()<>\\]+", url):
        url = "<" + re.sub(r"[<>\\\s]", lambda match: f"%{ord(match[0]):02X}", url) + ">"
    return f"[{literal(unescape(label or target))}]({re.sub(r'&(?=#?[0-9A-Za-z]+;)', '&amp;', url)})"
