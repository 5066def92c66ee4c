"""Words, quotes, options and mentions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.tokens import Token, read_tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("  a\u00a0b\n", ["a", "b"]),
        ('"a b" c', ["a b", "c"]),
        ("“a b” „c d“ «e f» »g h« 'i j' ‚k l‘", ["a b", "c d", "e f", "g h", "i j", "k l"]),
        ("'don't do it' now", ["don't do it", "now"]),
        ("don't 6\" rock'n'roll", ["don't", '6"', "rock'n'roll"]),
        ('"a b', ['"a', "b"]),
        ('"a"b c"', ['a"b c']),
        ('"a", b', ["a", "b"]),
        ('"a","b"', ["a", "b"]),
        ("<@U1|Ann Lee> x", ["<@U1|Ann Lee>", "x"]),
        ("<@U1><#C1|a b>,c", ["<@U1>", "<#C1|a b>", "c"]),
        ("<@U1>'s <@U1", ["<@U1>'s", "<@U1"]),
        ('--x="a b" c', ['--x="a b"', "c"]),
    ],
)
def test_a_text_falls_into_words(text: str, words: list[str]) -> None:
    assert [token.text for token in read_tokens(text)] == words


@pytest.mark.parametrize(
    ("word", "option", "value", "sure"),
    [
        ("--times", "times", None, True),
        ("--times=3", "times", "3", True),
        ("--times=", "times", "", True),
        ("--by=“Jane Austen”", "by", "Jane Austen", True),
        ("--who=<@U1|Ann Lee>", "who", "<@U1|Ann Lee>", True),
        ("—times=3", "times", "3", False),
        ("–times", "times", None, False),
        ("--", "", None, True),
        ("---", "", None, True),
        ("--5", "", None, True),
        ("-x", "", None, True),
        ('"--times"', "", None, True),
    ],
)
def test_a_word_may_be_an_option(word: str, option: str, value: str | None, sure: bool) -> None:
    (token,) = read_tokens(word)
    assert (token.option, token.value, token.sure) == (option, value, sure)


def test_a_token_knows_where_it_stands() -> None:
    assert read_tokens('x "a b", y,') == [
        Token("x", 0, 1),
        Token("a b", 2, 8, quoted=True, comma=True),
        Token("y,", 9, 11, comma=True),
    ]


@given(st.text(st.sampled_from("a\"'“”„«», <@|>=-— \n")) | st.text())
def test_tokens_cover_all_that_is_not_space(text: str) -> None:
    tokens = read_tokens(text)
    position = 0
    for token in tokens:
        assert not text[position : token.start].strip()
        assert token.start < token.end
        position = token.end
    assert not text[position:].strip()
