"""The signature is the grammar: what people type, and what they are told when it does not fit."""

import contextlib
import inspect
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman import ArgumentsError, arguments, usage
from dragoman.arguments import bind, convert, parameters_of, parse
from dragoman.tokens import QUOTES
from support.signatures import EVERY, NOW, big, book, half, later, meet, nothing, paint, remind, roll, say, typed


@pytest.mark.parametrize(
    ("function", "text", "values"),
    [
        (nothing, "", {}),
        (nothing, "  \n ", {}),
        (roll, "", {}),
        (roll, "2d20", {"dice": "2d20"}),
        (roll, "2d20 3", {"dice": "2d20", "times": 3}),
        (roll, "  2d20\t3  ", {"dice": "2d20", "times": 3}),
        (roll, "2d20\u00a03", {"dice": "2d20", "times": 3}),
        (roll, "--times 4", {"times": 4}),
        (roll, "--times 4 2d20", {"times": 4, "dice": "2d20"}),
        (roll, "2d20 --times 4", {"times": 4, "dice": "2d20"}),
        (roll, "--dice 2d20 4", {"times": 4, "dice": "2d20"}),
        (roll, "2d20 ٤", {"dice": "2d20", "times": 4}),
        (remind, "1.5 buy milk", {"minutes": 1.5, "text": "buy milk"}),
        (remind, "5 don't  forget", {"minutes": 5.0, "text": "don't  forget"}),
        (remind, '5 "buy milk"', {"minutes": 5.0, "text": "buy milk"}),
        (remind, "5 'buy milk'", {"minutes": 5.0, "text": "buy milk"}),
        (remind, '5 "buy" milk', {"minutes": 5.0, "text": '"buy" milk'}),
        (remind, '5 6" nails', {"minutes": 5.0, "text": '6" nails'}),
        (remind, '5 "', {"minutes": 5.0, "text": '"'}),
        (remind, '5 ""', {"minutes": 5.0, "text": ""}),
        (remind, "5 a\nb", {"minutes": 5.0, "text": "a\nb"}),
        (remind, "-1e3 -- --", {"minutes": -1000.0, "text": "--"}),
        (remind, "5 milk -- and --eggs", {"minutes": 5.0, "text": "milk -- and --eggs"}),
        (remind, "5 milk --minutes 6", {"minutes": 5.0, "text": "milk --minutes 6"}),
        (remind, "5 “buy milk”", {"minutes": 5.0, "text": "buy milk"}),
        (remind, "5 “buy” milk", {"minutes": 5.0, "text": "“buy” milk"}),
        (paint, "red", {"colour": "red"}),
        (paint, "RED", {"colour": "red"}),
        (paint, "green yes", {"colour": "Green", "thick": True}),
        (paint, "green Off --loud", {"colour": "Green", "thick": False, "loud": True}),
        (paint, "--size 9 red", {"colour": "red", "size": 9}),
        (paint, "--thick no red", {"colour": "red", "thick": False}),
        (say, "--loud hello there", {"loud": True, "text": "hello there"}),
        (say, '"--loud"', {"text": "--loud"}),
        (book, "Emma 400 --by Jane", {"title": "Emma", "pages": 400, "by": "Jane"}),
        (
            book,
            '"War and Peace" 1200 --by "Leo Tolstoy"',
            {"title": "War and Peace", "pages": 1200, "by": "Leo Tolstoy"},
        ),
        (big, "1000000", {"amount": 1_000_000}),
    ],
)
def test_what_is_typed_becomes_values(function: Callable[..., Any], text: str, values: dict[str, Any]) -> None:
    found = typed(function, text)
    assert found == values
    assert {name: type(value) for name, value in found.items()} == {name: type(value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("function", "text", "told"),
    [
        (nothing, "please", "I do not know what to do with `please`."),
        (roll, "2d20 many", "`times` should be a whole number from 1 to 20, not `many`."),
        (roll, "2d20 0", "`times` should be a whole number from 1 to 20, not `0`."),
        (roll, "2d20 21", "`times` should be a whole number from 1 to 20, not `21`."),
        (roll, "2d20 1_0", "`times` should be a whole number from 1 to 20, not `1_0`."),
        (roll, "2d20 2.0", "`times` should be a whole number from 1 to 20, not `2.0`."),
        (roll, "2d20 2 3", "I do not know what to do with `3`."),
        (roll, "--times", "`--times` needs a whole number from 1 to 20 after it."),
        (remind, "", "`minutes` is missing: it should be a number."),
        (remind, "5", "`text` is missing: it should be some text."),
        (remind, "nan x", "`minutes` should be a number, not `nan`."),
        (remind, "inf x", "`minutes` should be a number, not `inf`."),
        (remind, "1e400 x", "`minutes` should be a number, not `1e400`."),
        (paint, "blue", "`colour` should be one of `red`, `Green`, not `blue`."),
        (paint, "red perhaps", "`thick` should be yes or no, not `perhaps`."),
        (paint, "--loud", "`colour` is missing: it should be one of `red`, `Green`."),
        (book, "Emma 400", "`by` is missing: it should be some text."),
        (big, "1000001", "`amount` should be a whole number from 1 to 1000000, not `1000001`."),
        (half, "0", "`amount` should be a number from 0.5, not `0`."),
        (half, "1 3", "`most` should be a number up to 2.25, not `3`."),
        (big, "9" * 5000, "`amount` should be a whole number from 1 to 1000000, not `" + "9" * 57 + "...`."),
        (big, "`rm`", "`amount` should be a whole number from 1 to 1000000, not `'rm'`."),
    ],
)
def test_what_does_not_fit_is_said_in_the_words_of_people(function: Callable[..., Any], text: str, told: str) -> None:
    with pytest.raises(ArgumentsError) as caught:
        typed(function, text)
    assert str(caught.value) == told
    assert caught.value.usage == usage(function.__name__, parameters_of(function))


# -- options ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "text", "values"),
    [
        (say, "hello --loud", {"loud": True, "text": "hello"}),
        (say, "hello --loud there", {"loud": True, "text": "hello there"}),
        (say, "hello\n--loud there", {"loud": True, "text": "hello\nthere"}),
        (say, "--no-loud hello", {"loud": False, "text": "hello"}),
        (say, "--loud=no hello", {"loud": False, "text": "hello"}),
        (say, "--LOUD hello", {"loud": True, "text": "hello"}),
        (say, "\u2014loud hello", {"loud": True, "text": "hello"}),
        (say, "hello \u2013loud", {"loud": True, "text": "hello"}),
        (say, "\u2014Jane Austen", {"text": "\u2014Jane Austen"}),
        (say, "-- --loud", {"text": "--loud"}),
        (say, "-- hello --loud", {"text": "hello --loud"}),
        (say, 'hello "--loud"', {"text": 'hello "--loud"'}),
        (say, "hello --quiet", {"text": "hello --quiet"}),
        (say, '"hello there" --loud', {"loud": True, "text": "hello there"}),
        (say, "--text hello --loud", {"loud": True, "text": "hello"}),
        (book, 'Emma 400 --by="Jane Austen"', {"title": "Emma", "pages": 400, "by": "Jane Austen"}),
        (book, "Emma 400 --by=", {"title": "Emma", "pages": 400, "by": ""}),
        (book, '"Emma", 400, --by Jane', {"title": "Emma", "pages": 400, "by": "Jane"}),
        (paint, "--thick red", {"colour": "red", "thick": True}),
        (paint, "red --no-thick", {"colour": "red", "thick": False}),
    ],
)
def test_an_option_counts_wherever_it_stands_outside_quotes(
    function: Callable[..., Any], text: str, values: dict[str, Any]
) -> None:
    assert typed(function, text) == values


@pytest.mark.parametrize(
    ("function", "text", "told"),
    [
        (
            paint,
            "--lod red",
            "I do not know the option `--lod`. Did you mean `--loud`? "
            "To say it as text, put it in quotes or write `--` before it.",
        ),
        (roll, "2d20 3 --quite", "I do not know the option `--quite`."),
        (say, "--loud --loud x", "`--loud`: `loud` has been given already."),
        (roll, "2d20 --dice 3d6", "`--dice`: `dice` has been given already."),
        (book, "Emma 400 --by", "`--by` needs some text after it."),
        (book, "--by --title Emma 400", "`--by` needs some text after it."),
        (book, "--by -- Emma 400", "`--by` needs some text after it."),
    ],
)
def test_an_option_that_does_not_fit_is_named(function: Callable[..., Any], text: str, told: str) -> None:
    with pytest.raises(ArgumentsError) as caught:
        typed(function, text)
    assert str(caught.value) == told


def test_a_flag_may_be_typed_with_dashes() -> None:
    def go(*, dry_run: bool = False) -> None: ...

    assert typed(go, "--dry-run") == {"dry_run": True}
    assert typed(go, "--dry_run") == {"dry_run": True}


# -- any text -----------------------------------------------------------------------------------------

SAID = """-- --loud --no-loud --size --by --times \u2014at --at=2h, --cc --every=in " ' "a b" 5 0.5 red high yes
    tomorrow 9:00 in 2h 1 May an hour and half <#C1>, , a,b \u00aba b\u00bb \u201e 03/04 9999-12-31 999999999w"""
words = st.sampled_from([*SAID.split(), "\u2028", "<@U1|a b>"])


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(EVERY), st.text() | st.lists(words | st.text(max_size=4), max_size=8).map(" ".join))
def test_any_text_is_values_that_the_worker_takes_or_an_arguments_error(
    function: Callable[..., Any], text: str
) -> None:
    parameters = parameters_of(function)
    try:
        values = parse("it", parameters, text, now=NOW)
    except ArgumentsError:
        return
    assert values.keys() <= {parameter.name for parameter in parameters}
    assert values.keys() >= {parameter.name for parameter in parameters if parameter.required}
    assert json.loads(json.dumps(values)) == values
    bound = bind(function, "it", parameters, values)
    assert bound.keys() == values.keys()
    inspect.signature(function).bind(**bound)


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(str.strip).filter(bool))
def test_the_last_text_is_kept_as_it_was_typed(text: str) -> None:
    if text[0] in QUOTES or text.startswith("--"):
        return
    assert typed(remind, f"5 {text}")["text"] == text


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(list(QUOTES)), st.integers(0), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_quoted_text_comes_out_whole(opening: str, which: int, text: str) -> None:
    closing = QUOTES[opening][which % len(QUOTES[opening])]
    # No text can hold what ends it, nor can a guillemet tell its own narrow spaces from the text's.
    text = re.sub(f"[{QUOTES[opening]}]", "'" if "'" not in QUOTES[opening] else "-", text)
    if opening == "\u00ab":
        text = text.strip("\u00a0\u202f")
    assert typed(book, f"{opening}{text}{closing} 400 --by={opening}{text}{closing}") == {
        "title": text,
        "pages": 400,
        "by": text,
    }
    assert typed(remind, f"5 {opening}{text}{closing}")["text"] == text


def test_the_spaces_that_french_keyboards_put_into_guillemets_are_not_text() -> None:
    assert typed(say, "\u00ab\u00a0bonjour\u202f\u00bb") == {"text": "bonjour"}


@pytest.mark.parametrize(
    "words", ['"a"b ', "\u201ca ", "--y a ", "x --y ", "x ", "<@", "--y=a, ", "\u2014y ", "'a' b' "]
)
def test_a_long_text_is_read_in_time_in_proportion_to_its_length(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def rest(x: str, *, y: list[str] | None = None) -> None: ...

    asked = 0
    option = arguments._Line.option

    def counted(line: Any, token: Any) -> Any:
        nonlocal asked
        asked += 1
        return option(line, token)

    monkeypatch.setattr(arguments._Line, "option", counted)
    text = (words * 40_000)[:40_000]
    with contextlib.suppress(ArgumentsError):
        parse("rest", parameters_of(rest), text, now=NOW)
    assert asked < 5 * len(text)


# -- groups of a pattern, options of a slash command --------------------------------------------------


def test_groups_of_a_pattern_are_converted_like_words() -> None:
    parameters = parameters_of(remind)
    assert convert("remind", parameters, {"minutes": "5", "text": "a b", "other": "x"}, now=NOW) == {
        "minutes": 5.0,
        "text": "a b",
    }
    with pytest.raises(ArgumentsError, match="`minutes` should be a number"):
        convert("remind", parameters, {"minutes": "five", "text": "x"}, now=NOW)


def test_a_group_that_took_no_part_but_is_required_is_missing() -> None:
    with pytest.raises(ArgumentsError, match="`text` is missing"):
        convert("remind", parameters_of(remind), {"minutes": "5"}, now=NOW)


def test_a_whole_text_may_be_a_moment_or_a_list() -> None:
    assert convert("meet", parameters_of(meet), {"days": "tomorrow, 1 May", "at": "2h"}, now=NOW) == {
        "days": ["2026-03-05", "2026-05-01"],
        "at": [7200.0],
    }
    assert convert("later", parameters_of(later), {"when": "tomorrow at 9", "text": '--x "y"'}, now=NOW) == {
        "when": "2026-03-05T09:00:00+01:00",
        "text": '--x "y"',
    }
    with pytest.raises(ArgumentsError, match="`when` should be a time such as"):
        convert("later", parameters_of(later), {"when": "tomorrow at 9 sharp", "text": "x"}, now=NOW)
