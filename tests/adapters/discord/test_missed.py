"""What is still to be read of the histories."""

from dragoman_discord.missed import Missed
from dragoman_discord.places import Places

READY = {"guilds": [{"id": "100", "unavailable": True}]}


def missed() -> Missed:
    return Missed("acme", None, Places())  # type: ignore[arg-type]


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
