"""From CommonMark to lines and code blocks, in a markup that no platform has."""

from collections.abc import Sequence

import pytest
from markdown_it.token import Token

from dragoman.adapting import Code, Line, Run, Writer, words_of


class Plain(Writer):
    """Words only; a heading in capitals, a table as its cells."""

    bullets = ("* ", "+ ")

    def lines(self, token: Token) -> list[Sequence[Run]]:
        text = words_of([token])
        return [(Run(text.upper() if self.heading else text),)]

    def code(self, text: str, language: str) -> Code:
        return Code(text, language)

    def table(self, rows: Sequence[Sequence[Token]]) -> None:
        for row in rows:
            self.line((Run("/".join(cell.content for cell in row)),))


def written(text: str) -> list[str]:
    writer = Plain()
    writer.write(text)
    return [
        f"<{block.language}:{block.text}>"
        if isinstance(block, Code)
        else block.prefix + "".join(run.text for run in block.runs)
        for block in writer.blocks
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("one *two*", ["one two"]),
        ("one\n\ntwo", ["one", "", "two"]),
        ("# head\nbody", ["HEAD", "", "body"]),
        ("* a\n  * b\n    * c\n* d", ["* a", "  + b", "    + c", "* d"]),
        ("3. a\n4. b", ["3. a", "4. b"]),
        ("> a\n>\n> b\n\nc", ["> a", "> ", "> b", "", "c"]),
        ("```py\nx\n```\nafter", ["<py:x>", "", "after"]),
        ("- ```\n  x\n  ```", ["* ", "<:x>"]),
        ("|a|b|\n|-|-|\n|1|2|\n\nafter", ["a/b", "1/2", "", "after"]),
        ("a\n\n---\n\nb", ["a", "", "─" * 10, "", "b"]),
        ("- ", ["* "]),
    ],
)
def test_a_text_is_written_in_lines_and_blocks(text: str, lines: list[str]) -> None:
    assert written(text) == lines


def test_what_is_broken_off_a_quoted_line_is_quoted_too() -> None:
    writer = Plain()
    writer.write("> a")
    assert writer.blocks == [Line((Run("a"),), "> ", "> ")]
