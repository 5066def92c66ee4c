"""What a handler may do, and in which order it leaves."""

import inspect
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from dragoman import (
    Action,
    Address,
    AddressError,
    Content,
    Context,
    Delete,
    Edit,
    Event,
    React,
    Send,
    SkillError,
    Target,
    Typing,
    action_key,
)
from support.samples import EVENTS, HERE, MANIFEST, message, task


class Outbox:
    def __init__(self) -> None:
        self.left: list[tuple[Action, ...]] = []

    def __call__(self, _: object, actions: Sequence[Action]) -> None:
        self.left.append(tuple(actions))


def context(event: Event | None = None, **options: Any) -> Context:
    return Context(task(event), clock=lambda: 5.0, **options)


def test_a_reply_goes_where_the_event_happened() -> None:
    ctx = context()
    ctx.reply("hello")
    (action,) = ctx.take()
    assert isinstance(action, Send)
    assert (action.address, action.content, action.run) == (HERE, Content(text="hello"), task().run)


def test_keys_and_ordinals_follow_from_event_handler_and_order_alone() -> None:
    def keys(attempt: int) -> list[tuple[str, int]]:
        ctx = Context(task().model_copy(update={"attempt": attempt}))
        ctx.reply("one")
        ctx.react("wave")
        ctx.reply("two")
        return [(action.key, action.ordinal) for action in ctx.take()]

    assert keys(1) == keys(2) == [(action_key("e1", "dice.roll", n), n) for n in range(3)]


def test_ordinals_go_on_after_a_flush() -> None:
    outbox = Outbox()
    ctx = context(outbox=outbox)
    ctx.reply("one")
    ctx.flush()
    ctx.reply("two")
    assert [action.ordinal for actions in [*outbox.left, ctx.take()] for action in actions] == [0, 1]


def test_a_flush_lets_go_what_was_said_once() -> None:
    outbox = Outbox()
    ctx = context(outbox=outbox)
    ctx.reply("one")
    ctx.flush()
    ctx.flush()
    assert [len(actions) for actions in outbox.left] == [1]
    assert ctx.take() == ()


def test_a_flush_without_a_way_out_keeps_everything_for_the_end() -> None:
    ctx = context()
    ctx.reply("one")
    ctx.flush()
    ctx.reply("two")
    assert len(ctx.take()) == 2


async def test_a_flush_in_a_coroutine_leaves_the_event_loop_free() -> None:
    outbox = Outbox()
    ctx = context(outbox=outbox, coroutine=True)
    ctx.reply("one")
    waiting = ctx.flush()
    assert inspect.isawaitable(waiting)
    assert outbox.left == []
    await waiting
    assert len(outbox.left) == 1


async def test_everything_may_be_awaited_and_need_not_be() -> None:
    ctx = context()
    handle = await ctx.reply("one")
    await ctx.edit(handle, "two")
    await ctx.delete(handle)
    await ctx.react("wave")
    await ctx.typing()
    assert [action.kind for action in ctx.take()] == ["send", "edit", "delete", "react", "typing"]


def test_what_was_said_can_be_edited_and_deleted_by_its_handle() -> None:
    ctx = context()
    handle = ctx.reply("one")
    assert ctx.edit(handle, Content(text="two")) is handle
    ctx.delete(handle)
    said, edit, delete = ctx.take()
    assert isinstance(edit, Edit)
    assert isinstance(delete, Delete)
    assert edit.target == delete.target == Target(key=said.key)
    assert edit.content.text == "two"
    assert edit.address == delete.address == HERE


def test_something_can_be_said_elsewhere_by_a_stored_address() -> None:
    there = Address(account="other", tenant="T", channel="C")
    ctx = context()
    handle = ctx.send(str(there), "hello")
    ctx.edit(handle, "hello!")
    assert [action.address for action in ctx.take()] == [there, there]


def test_a_broken_stored_address_is_told_and_nothing_is_said() -> None:
    ctx = context()
    with pytest.raises(AddressError):
        ctx.send("somewhere", "hello")
    assert ctx.take() == ()


@pytest.mark.parametrize("kind", ["message", "edited", "deleted", "reaction"])
def test_a_reaction_goes_on_the_message_that_the_event_is_about(kind: str) -> None:
    ctx = context(EVENTS[kind])
    ctx.react(":wave:", remove=True)
    (action,) = ctx.take()
    assert isinstance(action, React)
    assert (action.target, action.emoji, action.remove) == (Target(id="m1"), "wave", True)


def test_an_event_without_a_message_cannot_be_reacted_to() -> None:
    with pytest.raises(SkillError, match="a member_joined event has no message"):
        context(EVENTS["member_joined"]).react("wave")


def test_typing_lets_go_what_was_said_so_far() -> None:
    outbox = Outbox()
    ctx = context(outbox=outbox)
    ctx.reply("one")
    ctx.typing("thinks")
    ((said, typing),) = outbox.left
    assert (said.kind, typing.kind) == ("send", "typing")
    assert isinstance(typing, Typing)
    assert typing.status == "thinks"


def test_actions_carry_the_trace_and_the_hops() -> None:
    event = message().model_copy(update={"traceparent": "00-1-2-01"})
    ctx = Context(task(event).model_copy(update={"hops": (("worker", 4.0),)}), clock=lambda: 5.0)
    ctx.reply("one")
    (action,) = ctx.take()
    assert (action.traceparent, action.hops) == ("00-1-2-01", (("worker", 4.0), ("handler", 5.0)))


def test_the_attempt_the_reference_and_the_catalogue_are_there() -> None:
    ctx = Context(task().model_copy(update={"attempt": 2}), catalogue=lambda: (MANIFEST,))
    assert ctx.attempt == 2
    assert ctx.reference == task().run[:8].upper()
    assert ctx.catalogue() == (MANIFEST,)
    assert context().catalogue() == ()


def test_log_lines_carry_the_reference(caplog: pytest.LogCaptureFixture) -> None:
    ctx = context()
    with caplog.at_level(logging.INFO, logger="dragoman.skill.dice"):
        ctx.log.info("rolled %d", 6)
    assert caplog.messages == [f"rolled 6 (reference {ctx.reference})"]
    assert caplog.records[0].name == "dragoman.skill.dice"
