"""What leaves through a gateway, once and in order: with a real store, a broker in memory and an adapter that obeys."""

import pytest

from dragoman import (
    Delete,
    DeliveryError,
    Edit,
    Send,
    Target,
)
from dragoman.store.ledger import postpone_actions
from framework.gateway_rig import Rig, general, impatient, rig
from support.samples import send

__all__ = ["impatient", "rig"]


async def test_an_action_is_performed_once_however_often_it_comes(rig: Rig) -> None:
    async with rig.running():
        once = send(key="once", run="")
        await rig.publish(once, once, once.model_copy(update={"again": True}))
        await rig.until(lambda: rig.state("once") == "sent")
        await rig.publish(once, send(key="last", run=""))
        await rig.until(lambda: rig.state("last") == "sent")
        assert [action.key for action in rig.adapter.performed] == ["once", "last"]


async def test_what_is_said_in_one_conversation_leaves_in_order(rig: Rig) -> None:
    async with rig.running():
        actions = [send(key=f"k{n}", run="", ordinal=n, text=str(n)) for n in range(50)]
        await rig.publish(*actions)
        await rig.until(lambda: len(rig.adapter.performed) == 50)
        assert rig.adapter.texts == [str(n) for n in range(50)]


async def test_what_its_run_said_before_leaves_first_even_if_the_broker_has_lost_it(rig: Rig) -> None:
    first, second = (send(key=f"k{n}", run="r" * 26, ordinal=n, text=str(n)) for n in range(2))
    with rig.engine.begin() as connection:
        postpone_actions(connection, [first, second])
    async with rig.running():
        await rig.publish(second)
        await rig.until(lambda: rig.state("k1") == "sent")
        assert rig.adapter.texts == ["0", "1"]
        assert rig.adapter.performed[0].again


async def test_what_the_platform_refuses_is_parked_with_its_reason(rig: Rig) -> None:
    rig.adapter.failures = [DeliveryError("the channel is archived", code="is_archived")]
    async with rig.running():
        await rig.publish(send(key="no", run=""), send(key="yes", run=""))
        await rig.until(lambda: rig.state("yes") == "sent")
        assert rig.state("no") == "parked"
        assert "is_archived" in rig.error("no")


def elsewhere(key: str) -> Send:
    action = send(key=key, run="", text=key)
    return action.model_copy(update={"address": action.address.model_copy(update={"channel": "C9"})})


@pytest.mark.usefixtures("impatient")
async def test_what_cannot_be_done_now_holds_up_what_comes_after_it_there_and_nowhere_else(rig: Rig) -> None:
    rig.adapter.away = {"first"}
    async with rig.running():
        # More than a gateway takes from its queue at once.
        later = [send(key=f"k{n}", run="", text=str(n)) for n in range(150)]
        await rig.publish(send(key="first", run="", text="first"), *later)
        await rig.publish(elsewhere("elsewhere"))
        await rig.until(lambda: rig.state("elsewhere") == "sent")
        assert rig.adapter.texts == ["elsewhere"]
        await rig.until(lambda: rig.state("k149") == "pending")
        rig.adapter.away.clear()
        await rig.until(lambda: rig.state("k149") == "sent")
        assert rig.adapter.texts == ["elsewhere", "first", *(str(n) for n in range(150))]
        # Nobody knows what became of it the first time.
        assert rig.adapter.performed[1].again


@pytest.mark.usefixtures("impatient")
async def test_what_waits_for_its_turn_is_not_taken_for_new_when_it_is_published_again(rig: Rig) -> None:
    rig.adapter.away = {"first"}
    async with rig.running():
        both = send(key="first", run="", text="first"), send(key="second", run="", text="second")
        await rig.publish(*both)
        await rig.until(lambda: rig.state("second") == "pending")
        await rig.publish(*(action.model_copy(update={"again": True}) for action in both), elsewhere("elsewhere"))
        await rig.until(lambda: rig.state("elsewhere") == "sent")
        rig.adapter.away.clear()
        await rig.until(lambda: rig.state("second") == "sent")
        assert rig.adapter.texts == ["elsewhere", "first", "second"]


@pytest.mark.usefixtures("impatient")
async def test_what_fails_for_long_is_left_to_the_sweeper_with_the_rest_of_its_run(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dragoman.outbox.INSIST", 0.0)
    rig.adapter.away = {"r0"}
    async with rig.running():
        run = [send(key=f"r{n}", run="r" * 26, ordinal=n, text=str(n)) for n in range(3)]
        with rig.engine.begin() as connection:
            postpone_actions(connection, run)
        await rig.publish(*run, send(key="another", run="", text="another"))
        await rig.until(lambda: rig.state("another") == "sent")
        assert rig.adapter.texts == ["another"]
        assert [rig.state(f"r{n}") for n in range(3)] == ["pending"] * 3
        rig.adapter.away.clear()
        # The sweeper publishes them again.
        await rig.publish(*(action.model_copy(update={"again": True}) for action in run))
        await rig.until(lambda: rig.state("r2") == "sent")
        assert rig.adapter.texts == ["another", "0", "1", "2"]


async def test_what_somebody_else_has_deleted_already_leaves_the_rest_to_be_deleted(rig: Rig) -> None:
    rig.adapter.parts = 3
    async with rig.running():
        original = send(key="original", run="", text="a long text")
        await rig.publish(original)
        await rig.until(lambda: rig.state("original") == "sent")
        gone = DeliveryError("unknown message", code="10008")
        rig.adapter.failures = [gone]
        delete = Delete(key="delete", address=original.address, target=Target(key="original"))
        await rig.publish(delete)
        await rig.until(lambda: rig.state("delete") == "sent")
        targets = [action.target.id for action in rig.adapter.performed if isinstance(action, Delete)]
        assert targets == ["id-1.1", "id-1.2"]
        rig.adapter.failures = [gone, gone, gone]
        await rig.publish(delete.model_copy(update={"key": "again"}))
        await rig.until(lambda: rig.state("again") == "parked")


async def test_an_edit_finds_its_message_by_the_key_of_what_sent_it(rig: Rig) -> None:
    async with rig.running():
        original = send(key="original", run="", text="first")
        await rig.publish(original)
        await rig.until(lambda: rig.state("original") == "sent")
        edit = Edit(key="edit", address=original.address, target=Target(key="original"), content=original.content)
        nowhere = edit.model_copy(update={"key": "nowhere", "target": Target(key="never sent")})
        await rig.publish(edit, nowhere)
        await rig.until(lambda: rig.state("nowhere") == "parked")
    (performed,) = (action for action in rig.adapter.performed if isinstance(action, Edit))
    assert performed.target.id == "id-1"


async def test_what_a_run_says_on_anothers_account_is_left_to_its_gateway(rig: Rig) -> None:
    theirs = send(key="theirs", run="r" * 26, ordinal=0)
    theirs = theirs.model_copy(update={"address": theirs.address.model_copy(update={"account": "umbrella"})})
    ours = send(key="ours", run="r" * 26, ordinal=1)
    with rig.engine.begin() as connection:
        postpone_actions(connection, [theirs, ours])
    async with rig.running():
        await rig.publish(ours)
        await rig.until(lambda: rig.state("ours") == "sent")
        assert [action.key for action in rig.adapter.performed] == ["ours"]
        assert rig.state("theirs") == "pending"


async def test_what_goes_to_a_channel_by_name_and_by_id_leaves_in_one_order(rig: Rig) -> None:
    async with rig.running():
        named = [general(f"n{n}", said=str(n), ordinal=n) for n in range(20)]
        await rig.publish(*named)
        await rig.until(lambda: len(rig.adapter.performed) == 20)
        places = {action.address for action in rig.adapter.performed}
        by_id = general("id", said="20").model_copy(update={"address": places.pop()})
        await rig.publish(by_id)
        # The two may be in different partitions: see docs/sending.md.
        await rig.until(lambda: rig.state("id") == "sent")
        await rig.publish(general("again", said="21"))
        await rig.until(lambda: rig.state("again") == "sent")
    assert {action.address.channel for action in rig.adapter.performed} == {"C7"}
    assert rig.adapter.texts == [str(n) for n in range(22)]
