"""What matching one message costs, with ten commands and patterns and with a thousand of each."""

import statistics
import time
from collections.abc import Callable

from dragoman import Address, Content, Event, Message, Person, Skill
from dragoman.match import Routes

#: A text on which a backtracking engine needs years for the pattern of `EVIL`.
LONG = "a" * 5000 + "!"
EVIL = r"(a+)+$"

SAID = {
    "a command": ("command-7 --times 3 two words", True),
    "a misspelt command": ("comand-7 two words", True),
    "talk with a match": ("we heard about topic 7 yesterday", False),
    "talk": ("just a plain sentence that nobody waits for, of some length", False),
    "5,000 letters a": (LONG, False),
}


def routes(many: int) -> Routes:
    """Commands and patterns, so many of each; one pattern is `EVIL`."""
    skill = Skill("bench")

    def command(text: str, *, times: int = 1) -> None: ...

    def heard() -> None: ...

    for number in range(many):
        command.__name__, heard.__name__ = f"command_{number}", f"heard_{number}"
        skill.command(name=f"command-{number}")(command)
        skill.hear(EVIL if number == 0 else rf"\btopic {number}\b")(heard)
    return Routes([skill.manifest()])


def message(text: str, addressed: bool) -> Event:
    return Message(
        key="bench",
        address=Address(account="a", tenant="t", channel="c"),
        conversation="channel",
        person=Person(id="p"),
        addressed=addressed,
        occurred=1.0,
        id="1",
        content=Content(text=text, plain=text),
        request=text,
    )


def measure() -> dict[str, tuple[float, float]]:
    """For each thing said, the microseconds with ten and with a thousand."""
    few, lots = routes(10), routes(1000)
    found = {}
    for name, (text, addressed) in SAID.items():
        event = message(text, addressed)

        def with_few(event: Event = event) -> object:
            return few.match(event)

        def with_lots(event: Event = event) -> object:
            return lots.match(event)

        found[name] = _both(with_few, with_lots)
    return found


def _both(one: Callable[[], object], other: Callable[[], object], rounds: int = 60) -> tuple[float, float]:
    """The medians of both, taken in turns so that they see the same machine."""
    times: tuple[list[float], list[float]] = ([], [])
    for call in (one, other):
        call()
    for _ in range(rounds):
        for call, taken in zip((one, other), times, strict=True):
            began = time.perf_counter()
            for _ in range(20):
                call()
            taken.append((time.perf_counter() - began) * 1e6 / 20)
    return statistics.median(times[0]), statistics.median(times[1])
