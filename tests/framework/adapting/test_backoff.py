"""How long to wait before trying again."""

from dragoman.adapting import delays


def test_waits_double_up_to_half_a_minute_with_jitter() -> None:
    delay = delays()
    waits = [delay() for _ in range(12)]
    for wait, whole in zip(waits, [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30, 30, 30], strict=True):
        assert whole / 2 <= wait <= whole


def test_each_has_its_own_beginning() -> None:
    delays()()
    assert 2.5 <= delays(5.0)() <= 5.0
