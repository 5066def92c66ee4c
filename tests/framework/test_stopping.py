"""The end of a process: within the grace, or at once at the second Ctrl-C."""

import threading

from dragoman.stopping import INTERRUPTED, Stopping


class End:
    """Remembers how the process would have ended."""

    def __init__(self) -> None:
        self.done: list[object] = []
        self.over = threading.Event()

    def __call__(self, status: int) -> None:
        self.done.append(status)
        self.over.set()


def test_it_is_asked_to_stop_once_and_what_is_left_is_handed_back_after_the_grace() -> None:
    end, asked = End(), []
    stopping = Stopping(lambda: asked.append(1), 0.01, lambda: end.done.append("handed back"), end=end)
    stopping.begin()
    stopping.begin()
    assert end.over.wait(10)
    assert (asked, end.done) == ([1], ["handed back", 0])


def test_what_cannot_be_handed_back_does_not_keep_it() -> None:
    def away() -> None:
        raise ConnectionError("the store is away")

    end = End()
    Stopping(lambda: None, 0.01, away, end=end).begin()
    assert end.over.wait(10)
    assert end.done == [0]


def test_the_second_interrupt_ends_it_at_once() -> None:
    end, asked = End(), []
    stopping = Stopping(lambda: asked.append(1), 60.0, end=end)
    stopping.interrupt()
    assert (asked, end.done) == ([1], [])
    stopping.interrupt()
    assert (asked, end.done) == ([1], [INTERRUPTED])


def test_an_interrupt_after_a_termination_ends_it_at_once() -> None:
    end = End()
    stopping = Stopping(lambda: None, 60.0, end=end)
    stopping.begin()
    stopping.interrupt()
    assert end.done == [INTERRUPTED]
