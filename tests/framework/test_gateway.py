"""The gateway, with a real store, a broker in memory, and an adapter that does as the test says."""

import asyncio
import time

import pytest
from sqlalchemy import text

from dragoman import (
    AccountError,
    ActionBase,
    DeliveryError,
    Edit,
    Event,
    Fetch,
    FileRef,
    LookUp,
    Send,
    Target,
)
from dragoman.store.directory import read_person
from dragoman.store.engine import reading
from dragoman.store.enquiries import said_by
from framework.gateway_rig import Rig, general, impatient, rig
from support.samples import message, send

__all__ = ["impatient", "rig"]


def event(key: str = "e1") -> Event:
    return message("hello", key=key)


async def test_an_event_is_in_the_ledger_when_the_adapter_is_told_so(rig: Rig) -> None:
    async with rig.running():
        assert rig.adapter.receive is not None
        await rig.adapter.receive(event(key="k"))
        with rig.engine.connect() as connection:
            row = connection.execute(text("SELECT key, body FROM events")).one()
        assert row.key == "k"
        assert "traceparent" in row.body
        await rig.until(lambda: rig.broker.depth(rig.broker.topology.router_queue().name) == 1)
        await rig.adapter.receive(event(key="k"))  # again: it is known
        await rig.adapter.receive(event(key="other"))
        await rig.until(lambda: rig.broker.depth(rig.broker.topology.router_queue().name) == 2)


async def test_the_platform_is_not_told_ok_when_the_ledger_cannot_be_written(rig: Rig) -> None:
    async with rig.running():
        assert rig.adapter.receive is not None
        with rig.engine.begin() as connection:
            connection.execute(text("ALTER TABLE events RENAME TO gone"))
        with pytest.raises(Exception, match="no such table"):
            await rig.adapter.receive(event())
        with rig.engine.begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO events"))
        await rig.adapter.receive(event())


async def test_an_account_that_cannot_work_ends_a_gateway_that_has_no_other(rig: Rig) -> None:
    rig.adapter.broken = AccountError("account 'acme': the bot_token is wrong", account="acme")
    with pytest.raises(AccountError, match="bot_token"):
        await rig.gateway.run()


async def test_what_was_performed_when_it_stops_under_load_is_in_the_ledger(rig: Rig) -> None:
    async with rig.running():
        await rig.publish(*(send(key=f"k{n}", run="", ordinal=n) for n in range(300)))
        await rig.until(lambda: len(rig.adapter.performed) >= 20)
    performed = {action.key for action in rig.adapter.performed}
    assert {key for key in performed if rig.state(key) == "sent"} == performed


async def test_an_adapter_that_fails_is_started_again(rig: Rig) -> None:
    rig.adapter.broken = RuntimeError("a mistake of the adapter")
    task = asyncio.create_task(rig.gateway.run())
    await asyncio.sleep(0)
    rig.adapter.broken = None
    await rig.until(lambda: rig.adapter.receive is not None)
    rig.gateway.stop()
    await task


async def test_the_router_hears_of_an_event_when_the_directory_knows_who_it_is_from(rig: Rig) -> None:
    rig.adapter.answers.clear()
    async with rig.running():
        assert rig.adapter.receive is not None
        await rig.adapter.receive(event(key="k"))  # the platform is told "ok", whoever it was
        assert rig.broker.depth(rig.broker.topology.router_queue().name) == 0
        rig.adapter.answers.set()
        await rig.until(lambda: rig.broker.depth(rig.broker.topology.router_queue().name) == 1)
        with reading(rig.engine) as connection:
            known = read_person(connection, "acme", "T1", "U1")
        assert known is not None
        assert known.person.timezone == "Europe/Berlin"


@pytest.mark.parametrize("remembered", [True, False])
async def test_what_was_said_in_a_named_channel_is_edited_where_it_was_said(rig: Rig, remembered: bool) -> None:
    async with rig.running():
        await rig.publish(general("original"))
        await rig.until(lambda: rig.state("original") == "sent")
        rig.adapter.channels["#general"] = "C8"  # another channel has the name now
        rig.outbox._directory.distrust(rig.adapter.performed[0].address)
        if not remembered:
            rig.outbox.targets._sent.clear()  # as after a restart
        original = general("original")
        edit = Edit(key="edit", address=original.address, target=Target(key="original"), content=original.content)
        await rig.publish(edit)
        await rig.until(lambda: rig.state("edit") == "sent")
    assert [action.address.channel for action in rig.adapter.performed] == ["C7", "C7"]


async def test_a_channel_that_is_not_there_is_parked_and_one_that_cannot_be_looked_for_waits(rig: Rig) -> None:
    async with rig.running():
        await rig.publish(general("no", channel="#nope"), general("later", channel="#away"), general("yes"))
        await rig.until(lambda: rig.state("yes") == "sent" and rig.state("no") == "parked")
        await rig.until(lambda: rig.state("later") == "pending")
    assert "channel_not_found: account acme has no channel #nope" in rig.error("no")


async def test_a_look_up_is_done_by_the_gateway_and_does_not_wait_for_what_is_said(rig: Rig) -> None:
    rig.adapter.answers.clear()
    action = LookUp(key="who", address=send().address, person="U5")
    async with rig.running():
        await rig.publish(action, send(key="said", run=""))
        await rig.until(lambda: rig.state("said") == "sent")
        assert rig.state("who") is None
        rig.adapter.answers.set()
        await rig.until(lambda: rig.state("who") == "sent")
        with reading(rig.engine) as connection:
            assert read_person(connection, "acme", "T1", "U5") is not None
    assert [action.key for action in rig.adapter.performed] == ["said"]


async def test_what_a_filter_refuses_is_parked_with_its_reason_and_what_it_changes_is_sent(rig: Rig) -> None:
    def censor(action: ActionBase) -> ActionBase:
        assert isinstance(action, Send)
        if "secret" in action.content.text:
            raise DeliveryError("acme:censor has dropped it", code="plugin")
        return action.model_copy(update={"content": action.content.model_copy(update={"text": "changed"})})

    rig.filter = censor
    async with rig.running():
        await rig.publish(send(key="no", run="", text="a secret"), send(key="yes", run=""))
        await rig.until(lambda: rig.state("yes") == "sent")
    assert rig.state("no") == "parked"
    assert rig.error("no") == "plugin: acme:censor has dropped it"
    assert rig.adapter.texts == ["changed"]


# -- files, threads, and what adapters keep ------------------------------------------------------------


def fetch(id: str = "F1") -> Fetch:
    return Fetch(key=f"fetch {id}", address=message("x").address, file=FileRef(id=id, name=f"{id}.txt"))


async def test_a_file_is_fetched_into_the_bots_own_keeping_and_the_adapter_can_open_it(rig: Rig) -> None:
    rig.adapter.files["F1"] = b"x" * 300_000
    async with rig.running():
        await rig.publish(fetch())
        await rig.until(lambda: rig.state("fetch F1") == "sent")
        (blob,) = rig.sent("fetch F1").ids
        with rig.adapter.services.open_file(FileRef(id="x", blob=blob)) as source:
            assert source.read() == b"x" * 300_000


async def test_a_file_that_is_refused_or_too_large_is_parked_with_the_reason(rig: Rig) -> None:
    rig.adapter.files["big"] = b"x" * 2_000_000
    async with rig.running():
        await rig.publish(fetch("missing"), fetch("big"))
        await rig.until(lambda: {rig.state("fetch missing"), rig.state("fetch big")} == {"parked"})
    assert rig.error("fetch missing") == "no_file: there is no missing"
    assert rig.error("fetch big").startswith("file_too_large: a file may have 1,000,000 bytes")


async def test_an_adapter_is_told_that_a_file_is_gone(rig: Rig) -> None:
    async with rig.running():
        with pytest.raises(DeliveryError, match=r"'cat.png' is not in the bot's keeping any more") as gone:
            rig.adapter.services.open_file(FileRef(id="F", name="cat.png", blob="0" * 64))
    assert (gone.value.code, gone.value.retry) == ("no_file", False)


async def test_what_an_adapter_keeps_is_there_for_the_next_gateway(rig: Rig) -> None:
    async with rig.running():
        await rig.adapter.services.keep_credentials("e1", {"token": "secret"}, time.time() + 60)
        await rig.adapter.services.save_state("session", {"sequence": 3})
    again = Rig(rig.engine, rig.broker, rig.blobs)
    async with again.running():
        assert await again.adapter.services.credentials("e1") == {"token": "secret"}
        assert await again.adapter.services.credentials("e2") is None
        assert await again.adapter.services.load_state("session") == {"sequence": 3}
        assert await again.adapter.services.load_state("other") is None


@pytest.mark.parametrize("remembered", [True, False])
async def test_what_is_said_below_a_message_goes_to_its_thread_also_further_down(rig: Rig, remembered: bool) -> None:
    here = message("x").address.in_thread(None)
    root = send(key="root", run="").model_copy(update={"address": here})
    below = send(key="below", run="").model_copy(update={"address": here, "below": Target(key="root")})
    further = send(key="further", run="").model_copy(update={"address": here, "below": Target(key="below")})
    async with rig.running():
        for action in (root, below, further):
            await rig.publish(action)
            await rig.until(lambda key=action.key: rig.state(key) == "sent")  # type: ignore[misc]
            if not remembered:
                rig.outbox.targets._sent.clear()  # as after a restart
    assert [action.address.thread for action in rig.adapter.performed] == [None, "id-1", "id-1"]


@pytest.mark.usefixtures("impatient")
async def test_what_is_said_below_what_is_not_sent_yet_waits_and_below_what_never_was_is_said_in_the_channel(
    rig: Rig,
) -> None:
    here = message("x").address.in_thread(None)
    rig.adapter.away.add("root")
    root = send(key="root", run="").model_copy(update={"address": here})
    below = send(key="below", run="").model_copy(update={"address": here, "below": Target(key="root")})
    lost = send(key="lost", run="").model_copy(update={"address": here, "below": Target(key="never")})
    elsewhere = below.model_copy(update={"key": "elsewhere", "address": here.model_copy(update={"channel": "C9"})})
    async with rig.running():
        await rig.publish(root)
        await rig.until(lambda: rig.state("root") == "pending")
        await rig.publish(below, lost, elsewhere)
        for key in ("below", "lost", "elsewhere"):
            await rig.until(lambda key=key: rig.state(key) == "pending")  # type: ignore[misc]
        rig.adapter.away.clear()
        for key in ("lost", "elsewhere"):
            await rig.until(lambda key=key: rig.state(key) == "sent")  # type: ignore[misc]
    performed = [(action.key, action.address.thread) for action in rig.adapter.performed]
    assert [each for each in performed if each[0] != "elsewhere"] == [("root", None), ("below", "id-1"), ("lost", None)]
    assert ("elsewhere", "id-1") in performed


async def test_a_message_of_the_bots_is_found_by_the_platforms_id(rig: Rig) -> None:
    async with rig.running():
        await rig.publish(general("original"))
        await rig.until(lambda: rig.state("original") == "sent")
    with reading(rig.engine) as connection:
        assert said_by(connection, "acme", "C7", "id-1") == "original"
        assert said_by(connection, "acme", "C8", "id-1") is None
        assert said_by(connection, "other", "C7", "id-1") is None
