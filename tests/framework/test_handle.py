"""The handle of a message, of the bot's or of anybody's."""

import pytest

from dragoman import Address, Handle, React, Send, SkillError, Target
from support.samples import EVENTS
from support.services import FakeServices

from .test_context import context

HERE = Address(account="acme", tenant="T1", channel="C2")


@pytest.mark.parametrize("thread", [None, "17.5"])
@pytest.mark.parametrize("message", ["1700.1", "a|b", "|"])
def test_the_handle_of_anybodys_message_can_be_stored(thread: str | None, message: str) -> None:
    handle = Handle.of(HERE.in_thread(thread), message)
    assert Handle.parse(str(handle)) == handle
    assert (handle.address.thread, handle.target, handle.key) == (thread, Target(id=message), "")


@pytest.mark.parametrize("text", ["", "1:acme/T1/C2", "1:acme/T1/C2|", "1:acme/T1/C2||", "acme|key"])
def test_what_is_no_handle_is_said_so(text: str) -> None:
    with pytest.raises(SkillError, match="is not a message's handle"):
        Handle.parse(text)


def test_anybodys_message_can_be_reacted_to_and_answered_in_its_thread() -> None:
    ctx = context()
    ctx.react("wave", on=Handle.of(HERE, "m1"), optional=True)
    ctx.send(HERE, "below", below=Handle.of(HERE, "m1"))
    # It is in a thread itself.
    ctx.send(HERE, "beside", below=str(Handle.of(HERE.in_thread("m0"), "m1")))
    wave, below, beside = ctx.take()
    assert isinstance(wave, React)
    assert isinstance(below, Send)
    assert isinstance(beside, Send)
    assert (wave.target, wave.address, wave.optional) == (Target(id="m1"), HERE, True)
    assert (below.below, beside.below) == (Target(id="m1"), Target(id="m0"))


def test_an_event_is_about_the_message_of_that_id_in_that_channel() -> None:
    event = EVENTS["reaction"]
    ctx = context(event, FakeServices())
    message = getattr(event, "id", "")
    assert ctx.about(Handle.of(event.address, message))
    assert not ctx.about(Handle.of(event.address, f"{message}0"))
    assert not ctx.about(Handle.of(event.address.model_copy(update={"channel": "C999"}), message))
