"""Values of every kind, read from words, and what is said of words that are none."""

from collections.abc import Callable
from typing import Any

import pytest

from dragoman import ArgumentsError, usage
from dragoman.arguments import parameters_of
from support.signatures import add, find, invite, later, meet, mix, tag, typed

ANN = {"id": "U1", "name": "ann"}


@pytest.mark.parametrize(
    ("function", "text", "values"),
    [
        (mix, "RED", {"colour": "red"}),
        (mix, "dark_blue high 2", {"colour": "dark-blue", "level": "high", "grade": "2"}),
        (mix, "Dark-Blue 2", {"colour": "dark-blue", "level": "high"}),
        (later, "tomorrow 9:00 buy milk", {"when": "2026-03-05T09:00:00+01:00", "text": "buy milk"}),
        (later, "in 2h, buy milk", {"when": "2026-03-04T12:00:00+01:00", "text": "buy milk"}),
        (later, '"in 2 hours" 3 eggs', {"when": "2026-03-04T12:00:00+01:00", "text": "3 eggs"}),
        (
            later,
            "2h buy --every 1 day 2h milk",
            {"when": "2026-03-04T12:00:00+01:00", "text": "buy milk", "every": 93600.0},
        ),
        (
            later,
            "--when=tomorrow 9:00 buy --every=90 s",
            {"when": "2026-03-05T09:00:00+01:00", "text": "buy", "every": 90.0},
        ),
        (meet, "tomorrow, 1 May friday", {"days": ["2026-03-05", "2026-05-01", "2026-03-06"]}),
        (meet, "tomorrow,friday,,1 May,", {"days": ["2026-03-05", "2026-03-06", "2026-05-01"]}),
        (meet, '"1 May" tomorrow', {"days": ["2026-05-01", "2026-03-05"]}),
        (meet, "friday --at 1h 30m, 2h --at=3h", {"days": ["2026-03-06"], "at": [5400.0, 7200.0, 10800.0]}),
        (meet, "friday --at 1h,2h tomorrow", {"days": ["2026-03-06", "2026-03-05"], "at": [3600.0, 7200.0]}),
        (invite, "<@U1|ann>, <#C1>", {"who": ANN, "to": {"id": "C1", "name": ""}}),
        (invite, "<@!1> --cc <@U1|ann>,<@2>", {"who": {"id": "1", "name": ""}, "cc": [ANN, {"id": "2", "name": ""}]}),
        (invite, "--who=<@U1|Ann Lee>", {"who": {"id": "U1", "name": "Ann Lee"}}),
        (add, "x 1 2,3 4, 5 --verbose 6", {"name": "x", "numbers": [1, 2, 3, 4, 5, 6], "verbose": True}),
        (add, "x --numbers 1,2 --numbers=3 4", {"name": "x", "numbers": [1, 2, 3, 4]}),
        (tag, 'a, "b c",d buy milk', {"tags": ["a", "b c", "d"], "text": "buy milk"}),
        (tag, "a b, c", {"tags": ["a"], "text": "b, c"}),
        (find, "a1 7", {"code": "a1", "limit": 7}),
    ],
)
def test_every_kind_is_read_from_words(function: Callable[..., Any], text: str, values: dict[str, Any]) -> None:
    assert typed(function, text) == values


@pytest.mark.parametrize(
    ("function", "text", "told"),
    [
        (mix, "blue", "`colour` should be one of `red`, `dark-blue`, not `blue`."),
        (
            later,
            "soon milk",
            "`when` should be a time such as tomorrow 9:00, in 2h or 2026-03-01 14:00, not `soon`.",
        ),
        (
            later,
            "03/04 milk",
            "`when`: `03/04` can be read as two different days: write one such as 1 March or 2026-03-01.",
        ),
        (later, "tomorrow", "`text` is missing: it should be some text."),
        (
            later,
            '"tomorrow 9:00 sharp" x',
            "`when` should be a time such as tomorrow 9:00, in 2h or 2026-03-01 14:00, not `tomorrow 9:00 sharp`.",
        ),
        (later, "2h x --every --text", "`--every` needs a length of time such as 2h30m or 90 seconds after it."),
        (meet, "friday foo", "`days` should be a day such as tomorrow, friday or 2026-03-01, not `foo`."),
        (meet, ",", "`days` is missing: it should be a day such as tomorrow, friday or 2026-03-01, or several."),
        (invite, "ann", "`who` should be a mention of somebody, such as @ann, not `ann`."),
        (invite, "<@U1> <@U2>", "`to` should be a channel, such as #general, not `<@U2>`."),
        (add, "x 1 10", "`numbers` should be a number above 0 and below 10, not `10`."),
        (find, "a 0", "`limit` should be a whole number from 1, not `0`."),
    ],
)
def test_a_word_that_is_not_of_its_kind_is_named(function: Callable[..., Any], text: str, told: str) -> None:
    with pytest.raises(ArgumentsError) as caught:
        typed(function, text)
    assert str(caught.value) == told
    assert caught.value.usage == usage(function.__name__, parameters_of(function))
