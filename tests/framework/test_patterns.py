"""Patterns mean what Python's `re` says, in any script, and take linear time."""

import contextlib
import re

import pytest
import re2
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dragoman import CatalogueError
from dragoman.patterns import Pattern, PatternSet, mark

TEXTS = {
    "Latin": [
        "l'école est fermée",
        "École",
        "naïve_1",
        "straße 5",
        "écoleé",
        "cafe\u0301 x",
        "a\n",
        "\na",
        "a b\tc",
        "",
    ],
    "Cyrillic": ["доброе утро", "Доброе", "утро5", "не-а", "ёлка,ёлки", "утро\n", "бот: помоги"],
    "Greek": ["καλημέρα κόσμε", "Κόσμε", "ΚΌΣΜΕ ς", "ώρα 12", "(ώρα)"],
    "CJK": ["早上好 世界", "世界", "早上好世界", "会議５時", "こんにちは、世界。", "第２回"],
    "Arabic": ["صباح الخير", "الخير ٣", "صباحالخير", "مرحبا، عالم"],
    "Devanagari": ["सुप्रभात दुनिया", "दुनिया ४", "नमस्ते"],
}
WORDS = ["école", "утро", "κόσμε", "世界", "الخير", "दुनिया", "a"]
PATTERNS = [
    *(shape.format(word) for word in WORDS for shape in (r"\b{0}\b", r"^{0}", r"{0}$", r"\b{0}", r"{0}\b", r"\W{0}\W")),
    r"\w",
    r"\d",
    r"\s",
    r"\W",
    r"\D",
    r"\S",
    r"^\w+$",
    r"^\w+\b",
    r"\b\w+\b \b\w+\b",
    r"\w+\s\w+",
    r"\d+\b",
    r"[\W_]",
    r"[^\W_]",
    r"[^\W\d]",
    r"[\w-]",
    r"[^\w\s]",
    r"[\D]",
    r"[^\D]",
    r"[\S]",
    r"[\s\S]",
    r"^[\s\S]$",
    r"[\s,]",
    r"^$",
    r"^",
    r"$",
    r"\A\w",
    r"\w\Z",
    r"\A\Z",
    r".",
    r"^.$",
    r"^..$",
    r"^.{5}$",
    r"^.{4,}$",
    r"\bутро$",
    r"(?i)ÉCOLE",
    r"[а-яё]+",
    r"[α-ωά-ώ]",
    r"[\u4e00-\u9fff]",
    r"[^\x00-\x7f]",
    r"[\x80-\uffff]",
    r"[\x80-\U0010ffff]",
    r"^[^\x00-\uffff]",
    r"\b\b\w",
    r"\w\b\b",
    r"(?:\b|x)\w",
    r"\w(?:\b)?\w",
    r"(\w)(\b)",
    r"\x41|\u0430|\U0001f600",
    r"\t",
    r"\n",
    r"[\b]",
    r"\.|\,|\(",
    r"\*+|\++|\?+",
    r"a{1,2}",
    r"a{,2}b",
    r"a{",
    r"x}+",
    r"[]a]",
    r"[^]a]",
    r"[a\]b]",
    r"[-a]",
    r"[a-]",
    r"[+*?]+",
    r"[\1]",
    r"[\101]",
    r"\07",
    r"(?#nothing)a",
    r"(?i:ÉCOLE)",
    r"(?P<x>école)|(?P<y>утро)",
    r"b|a",
]


@pytest.mark.parametrize("script", TEXTS)
def test_patterns_match_what_python_matches(script: str) -> None:
    for ignore_case in (False, True):
        for source in PATTERNS:
            ours, theirs = Pattern(source, ignore_case=ignore_case), re.compile(source, re.I if ignore_case else 0)
            for text in TEXTS[script]:
                found = theirs.search(text)
                expected = None if found is None else {k: v for k, v in found.groupdict().items() if v is not None}
                assert ours.search(text) == expected, (source, text, ignore_case)


def test_named_groups_give_the_text_as_it_was_said() -> None:
    pattern = Pattern(r"\b(?P<who>\w+) (?P<what>dit .+?)(?P<more> encore)?$")
    assert pattern.names == {"who", "what", "more"}
    assert pattern.search("Zoë dit l'école") == {"who": "Zoë", "what": "dit l'école"}
    assert pattern.search("Zoë dit ça encore") == {"who": "Zoë", "what": "dit ça", "more": " encore"}


atoms = st.sampled_from(
    [
        "a",
        "é",
        "я",
        "世",
        "_",
        "1",
        "٣",
        " ",
        ".",
        "-",
        r"\w",
        r"\W",
        r"\d",
        r"\D",
        r"\s",
        r"\S",
        r"[aé]",
        r"[^aя]",
        r"[\W_]",
        r"[^\W\d]",
        r"[\D]",
        r"[à-ü]",
        r"[\S1]",
        r"\.",
    ]
)
edges = st.sampled_from([r"\b", "", "", ""])
quantifiers = st.sampled_from(["", "", "", "*", "+", "?", "*?", "{2}", "{1,2}"])
pieces = st.tuples(edges, atoms, quantifiers, edges).map("".join)
sequences = st.lists(pieces, min_size=1, max_size=4).map("".join)
patterns = st.one_of(
    sequences,
    st.tuples(sequences, sequences).map("|".join),
    st.tuples(sequences, sequences, st.sampled_from(["", "+", "?"])).map(lambda p: f"(?:{p[0]}|{p[1]}){p[2]}"),
    st.tuples(sequences, sequences).map(lambda p: f"^{p[0]}$|{p[1]}"),
    sequences.map(lambda p: f"^(?:{p})$"),
)
said = st.text(st.sampled_from("aéAÉяЯ世_1٣ .-\n\u0301\ufdd0"), max_size=8)


@settings(max_examples=200, deadline=None)
@given(patterns, said, st.booleans())
@example(r"[\D]", "1", False)
@example(r"^[\S1]$", "é", False)
@example(r"a\b-*\bя", "a-я", False)
def test_generated_patterns_match_what_python_matches(source: str, text: str, ignore_case: bool) -> None:
    # Three times the same boundary is as much as is promised: see MARKS.
    assume(source.count(r"\b") <= 3)
    # A noncharacter that nobody types is taken out of a text before it is looked at.
    clean = text.replace("\ufdd0", "")
    expected = re.search(source, clean, re.IGNORECASE if ignore_case else 0) is not None
    assert (Pattern(source, ignore_case=ignore_case).search(text) is not None) == expected


@settings(max_examples=100, deadline=None)
@given(sequences, said)
def test_a_whole_match_captures_what_python_captures(source: str, text: str) -> None:
    clean = text.replace("\ufdd0", "")
    assume("?" not in source and source.count(r"\b") <= 3)
    found = re.search(f"^(?P<all>(?:{source}))", clean)
    ours = Pattern(f"^(?P<all>(?:{source}))", ignore_case=False).search(text)
    assert (ours and ours["all"]) == (found and found["all"])


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=12))
def test_any_source_is_a_pattern_or_a_catalogue_error(source: str) -> None:
    try:
        re.compile(source)
    except (re.error, Warning, OverflowError):
        return
    with contextlib.suppress(CatalogueError):
        Pattern(source)


@pytest.mark.parametrize(
    ("source", "culprit"),
    [
        (r"a(?=b)", "(?=b"),
        (r"a(?!b)", "(?!b"),
        (r"(?<=a)b", "(?<="),
        (r"(?<!a)b", "(?<!"),
        (r"(a)\1", r"back-reference \1"),
        (r"(?P<x>a)(?P=x)", "(?P="),
        (r"(a)?(?(1)b|c)", "(?(1"),
        (r"(?>a)b", "(?>a"),
        (r"a++", "possessive quantifier"),
        (r"a{2}+", "possessive quantifier"),
        (r"a\Bb", r"\B"),
        (r"(?m)^a", "(?m)"),
        (r"(?x) a", "(?x)"),
        (r"(?P<größe>a)", "größe"),
        (r"\N{BULLET}", r"\N{...}"),
        (r"[\N{BULLET}]", r"\N{...}"),
        (r"(", "not a regular expression"),
        (r"*", "not a regular expression"),
        (r"[a", "not a regular expression"),
        (r"a{5000}", "cannot be matched in linear time"),
    ],
)
def test_what_cannot_be_linear_is_refused_with_its_culprit(source: str, culprit: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        Pattern(source)
    assert culprit in str(caught.value)
    assert repr(source) in str(caught.value)


@pytest.mark.parametrize("source", [r"(a+)+$", r"(a|aa)+$", r"(.*a){20}$", r"(\w+\s?)+$", r"(?:a?){30}a{30}$"])
def test_a_pattern_that_would_hang_a_backtracking_engine_returns(source: str) -> None:
    # Python's own engine would need longer than the universe has been there for the first two.
    assert Pattern(source).search("a" * 10_000 + "!") is None


def test_a_hundred_patterns_over_a_long_text_return() -> None:
    found = PatternSet([Pattern(rf"(\w+\s?)+{n}$") for n in range(100)])
    assert list(found.search("слово " * 2_000)) == []


def test_case_is_ignored_unless_asked_for() -> None:
    assert Pattern("ÉCOLE").search("école") == {}
    assert Pattern("ÉCOLE", ignore_case=False).search("école") is None
    assert Pattern(r"(?-i:É)cole").search("école") is None


def test_marks_never_show_in_what_is_found() -> None:
    assert Pattern(r"(?P<all>.*)").search("a \ufdd0b, c") == {"all": "a b, c"}
    assert "\ufdd0" in mark("a b")


# -- sets ---------------------------------------------------------------------------------------------


def test_a_set_finds_exactly_the_patterns_that_match_by_themselves() -> None:
    found = [Pattern(source) for source in PATTERNS]
    together = PatternSet(found)
    for texts in TEXTS.values():
        for text in texts:
            alone = [(i, groups) for i, pattern in enumerate(found) if (groups := pattern.search(text)) is not None]
            assert list(together.search(text)) == alone, text


def test_a_text_in_which_no_pattern_is_found_has_no_matches() -> None:
    assert list(PatternSet([Pattern("yes")]).search("no")) == []


def test_an_empty_set_finds_nothing() -> None:
    assert list(PatternSet([]).search("anything")) == []


def test_the_marks_are_made_for_a_library_that_knows_only_ascii_words() -> None:
    # If RE2 learns Unicode's words one day, this module may become simpler.
    assert re2.search(r"\bécole\b", "l'école est") is None
