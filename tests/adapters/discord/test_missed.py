"""What is still to be read of the histories."""

from dragoman_discord.missed import Missed
from dragoman_discord.places import Places
from dragoman_discord.render import EPOCH, Call

READY = {"guilds": [{"id": "100", "unavailable": True}]}


def missed() -> Missed:
    return Missed("acme", None, Places(), 900.0)  # type: ignore[arg-type]


def test_a_guild_is_read_once_and_owed_until_all_of_it_was_handed_over() -> None:
    found = missed()
    found.expect(READY, 1_700_000_000.0, direct=True)
    after = found.owed("100")
    assert after is not None
    assert found.owed("100") is None, "somebody reads it already"
    assert set(found.unread) == {"100", "@me"}
    assert found.read("100", all=True) is None
    assert set(found.unread) == {"@me"}


def test_what_could_not_be_read_is_owed_from_the_same_place() -> None:
    found = missed()
    found.owe("100", "5")
    assert found.owed("100") == "5"
    assert found.read("100", all=False) is None
    assert found.owed("100") == "5"


def test_a_gap_that_comes_while_another_is_read_is_read_after_it() -> None:
    found = missed()
    found.owe("100", "5")
    assert found.owed("100") == "5"
    found.owe("100", "9")
    assert found.read("100", all=True) == "9"
    assert found.read("100", all=True) is None
    assert not found.unread


def test_what_is_said_now_waits_until_what_was_missed_is_read_or_cannot_be() -> None:
    for all in (True, False):
        found = missed()
        assert found.gate("100") is None
        found.owe("100", "5")
        gate = found.gate("100")
        assert gate is not None
        assert found.owed("100") == "5"
        assert found.gate("100") is gate
        assert not gate.is_set()
        found.read("100", all=all)
        assert gate.is_set()
        assert found.gate("100") is None


def test_a_gap_that_comes_while_another_is_read_keeps_the_gate_closed() -> None:
    found = missed()
    found.owe("100", "5")
    gate = found.gate("100")
    found.owed("100")
    found.owe("100", "9")
    found.read("100", all=True)
    assert gate is not None
    assert not gate.is_set()
    found.read("100", all=True)
    assert gate.is_set()


def test_a_session_without_direct_messages_does_not_owe_them() -> None:
    found = missed()
    found.expect(READY, 1_700_000_000.0, direct=False)
    assert set(found.unread) == {"100"}
    assert found.gate("@me") is None


def test_the_first_gap_counts() -> None:
    found = missed()
    found.owe("100", "5")
    found.owe("100", "9")
    assert found.owed("100") == "5"


def test_who_stops_leaves_it_to_the_next() -> None:
    found = missed()
    found.owe("100", "5")
    found.owed("100")
    found.stopped()
    assert found.owed("100") == "5"
    assert found.owed(None) is None


def test_the_latest_direct_messages_are_remembered() -> None:
    found = missed()
    for number in range(300):
        found.talk(str(number))
    found.talk("150")
    assert (len(found.direct), found.direct[-1]) == (200, "150")


class Histories:
    """Remembers after which id it was asked to read."""

    def __init__(self) -> None:
        self.after: list[str] = []

    async def call(self, call: Call) -> list[object]:
        self.after.append(str(call.query["after"]))
        return []


async def test_nothing_is_read_that_is_older_than_catch_up() -> None:
    histories, now = Histories(), 1_700_000_000.0
    found = Missed("acme", histories, Places(), 900.0, clock=lambda: now)  # type: ignore[arg-type]
    found.talk("7")
    long_ago, lately = (str(int((now - ago) * 1000) - EPOCH << 22) for ago in (5000.0, 100.0))
    for after in (long_ago, lately):
        assert [payload async for payload in found.payloads("@me", after)] == []
    assert histories.after == [str(int((now - 900.0) * 1000) - EPOCH << 22), lately]


def test_without_catch_up_nothing_is_ever_owed() -> None:
    found = Missed("acme", None, Places(), 0.0)  # type: ignore[arg-type]
    found.expect(READY, 1_700_000_000.0, direct=True)
    assert not found.unread
    assert found.owed("100") is None
