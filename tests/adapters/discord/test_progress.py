"""How far a session has been handed over."""

from hypothesis import given
from hypothesis import strategies as st

from dragoman_discord.progress import Progress


@given(st.lists(st.booleans(), max_size=50), st.randoms())
def test_it_is_just_before_the_first_that_is_not_done(done: list[bool], random: object) -> None:
    progress = Progress(10)
    for number in range(len(done)):
        progress.begin(11 + number, float(number))
    ended = [11 + number for number, over in enumerate(done) if over]
    random.shuffle(ended)  # type: ignore[attr-defined]
    for number in ended:
        progress.end(number)
    first = next((11 + number for number, over in enumerate(done) if not over), None)
    assert progress.reached == (10 + len(done) if first is None else first - 1)


def test_everything_is_complete_until_the_first_that_is_not_done_came() -> None:
    progress = Progress()
    assert progress.since(9.0) == 9.0
    progress.begin(1, 5.0)
    progress.begin(2, 6.0)
    assert progress.since(9.0) == 5.0
    progress.end(1)
    assert progress.since(9.0) == 6.0
    progress.end(2)
    assert progress.since(9.0) == 9.0


def test_what_has_no_number_does_not_count() -> None:
    progress = Progress(3)
    progress.begin(None, 1.0)
    progress.end("x")
    assert progress.reached == 3
