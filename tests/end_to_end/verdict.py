"""What became of each message: answered once, in its room, in order? And how that is told."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table

__all__ = ["Answer", "Asked", "Report", "Verdict", "judge"]


@dataclass(frozen=True)
class Asked:
    """A numbered message: where, and when by the platform's clock. They are numbered in the order of their saying."""

    number: int
    platform: str
    room: int
    at: float

    def __str__(self) -> str:
        return f"{self.number} in room-{self.room} of {self.platform}"


@dataclass(frozen=True)
class Answer:
    """Something that the bot said; ``number`` is `None` for what is no answer."""

    platform: str
    room: int
    at: float
    number: int | None
    text: str = ""


@dataclass(frozen=True)
class Verdict:
    """What is wrong with the answers of one platform, and how long they took.

    Attributes:
        doubled: answered more than once.
        misordered: answered after a message of the same room that was said later.
        strays: whatever else the bot said: apologies, answers in a wrong room.
        delays: seconds from a message to its answer, of all that were answered.
    """

    messages: int
    lost: tuple[Asked, ...] = ()
    doubled: tuple[Asked, ...] = ()
    misordered: tuple[Asked, ...] = ()
    strays: tuple[Answer, ...] = ()
    delays: tuple[float, ...] = ()

    def delay(self, share: float) -> float:
        """The seconds within which that share of the answers came; 1 for all. 0 if there are none."""
        delays = sorted(self.delays)
        return delays[round(share * (len(delays) - 1))] if delays else 0.0

    def wrong(self) -> list[tuple[float, str]]:
        """What is wrong with which message, and when that was said."""
        found = {"lost": self.lost, "doubled": self.doubled, "misordered": self.misordered}
        return [
            *((each.at, f"{what}: {each}") for what, several in found.items() for each in several),
            *((each.at, f"said: {each.text!r} in room-{each.room} of {each.platform}") for each in self.strays),
        ]

    @property
    def sound(self) -> bool:
        """Whether each message was answered exactly once and in order, and nothing else was said."""
        return not (self.lost or self.doubled or self.misordered or self.strays)


def judge(asked: Sequence[Asked], answers: Sequence[Answer]) -> Verdict:
    """Look at every message.

    Args:
        answers: those of one room in the order in which the platform shows them.
    """
    known = {each.number: each for each in asked}
    times: Counter[int] = Counter()
    strays: list[Answer] = []
    misordered: list[Asked] = []
    delays: list[float] = []
    latest: dict[tuple[str, int], int] = defaultdict(lambda: -1)
    for answer in answers:
        found = None if answer.number is None else known.get(answer.number)
        place = (answer.platform, answer.room)
        if found is None or place != (found.platform, found.room):
            strays.append(answer)
            continue
        times[found.number] += 1
        if times[found.number] > 1:
            continue
        delays.append(answer.at - found.at)
        if found.number < latest[place]:
            misordered.append(found)
        latest[place] = max(latest[place], found.number)
    return Verdict(
        len(known),
        tuple(each for each in asked if not times[each.number]),
        tuple(each for each in asked if times[each.number] > 1),
        tuple(misordered),
        tuple(strays),
        tuple(delays),
    )


@dataclass(frozen=True)
class Report:
    """What a run of the chaos has shown.

    Attributes:
        faults: how often each kind took place.
        verdicts: by platform.
        seconds: from the first message to the last answer.
    """

    seed: int
    broker: str
    faults: Mapping[str, int]
    verdicts: Mapping[str, Verdict]
    seconds: float

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, doubled or misordered."""
        return all(verdict.sound for verdict in self.verdicts.values())

    def table(self) -> Group:
        """For people."""
        faults = Table("fault", "times", title=f"{sum(self.faults.values())} faults", title_justify="left")
        faults.columns[1].justify = "right"
        for kind, count in sorted(self.faults.items()):
            faults.add_row(kind, str(count))
        title = f"seed {self.seed}, broker {self.broker}, {self.seconds:.0f} s"
        messages = Table("", *self.verdicts, title=title, title_justify="left")
        for column in messages.columns[1:]:
            column.justify = "right"
        rows: Mapping[str, Callable[[Verdict], str]] = {
            "messages": lambda verdict: f"{verdict.messages:,}",
            "lost": lambda verdict: str(len(verdict.lost)),
            "doubled": lambda verdict: str(len(verdict.doubled)),
            "misordered": lambda verdict: str(len(verdict.misordered)),
            "anything else said": lambda verdict: str(len(verdict.strays)),
            "median delay": lambda verdict: f"{verdict.delay(0.5):.2f} s",
            "95 % within": lambda verdict: f"{verdict.delay(0.95):.2f} s",
            "worst delay": lambda verdict: f"{verdict.delay(1.0):.2f} s",
        }
        for name, shown in rows.items():
            messages.add_row(name, *(shown(verdict) for verdict in self.verdicts.values()))
        return Group(faults, messages)

    def __str__(self) -> str:
        parts = [
            f"{platform}: {verdict.messages} messages, lost {_some(verdict.lost)}, doubled {_some(verdict.doubled)}, "
            f"misordered {_some(verdict.misordered)}, strays {[each.text for each in verdict.strays[:5]]}, "
            f"worst delay {verdict.delay(1.0):.1f} s"
            for platform, verdict in self.verdicts.items()
        ]
        return f"seed {self.seed}, {sum(self.faults.values())} faults on {self.broker}: {'; '.join(parts)}"


def _some(found: Sequence[Asked]) -> str:
    return f"{len(found)} ({', '.join(map(str, found[:5]))})" if found else "0"
