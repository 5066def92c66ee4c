"""What a handler may do, and in which order it leaves."""

import asyncio
import inspect
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dragoman import (
    NOWHERE,
    Action,
    Address,
    AddressError,
    CommandTrigger,
    Content,
    Context,
    Delete,
    Edit,
    Event,
    Handle,
    HandlerManifest,
    LookUp,
    Person,
    React,
    Scheduled,
    Send,
    Sent,
    SkillError,
    Target,
    Typing,
    User,
    action_key,
)
from dragoman.task import Task
from support.samples import EVENTS, HERE, MANIFEST, message, task
from support.services import FakeServices


def context(event: Event | None = None, services: FakeServices | None = None, **options: Any) -> Context:
    return Context(task(event), services or FakeServices(), clock=lambda: 5.0, **options)


def test_a_reply_goes_where_the_event_happened() -> None:
    ctx = context()
    ctx.reply("hello")
    (action,) = ctx.take()
    assert isinstance(action, Send)
    assert (action.address, action.content, action.run) == (HERE, Content(text="hello"), task().run)


def test_keys_and_ordinals_follow_from_event_handler_and_order_alone() -> None:
    def keys(attempt: int) -> list[tuple[str, int]]:
        ctx = Context(task().model_copy(update={"attempt": attempt}), FakeServices())
        ctx.reply("one")
        ctx.react("wave")
        ctx.reply("two")
        return [(action.key, action.ordinal) for action in ctx.take()]

    assert keys(1) == keys(2) == [(action_key("e1", "dice.roll", n), n) for n in range(3)]


def test_ordinals_go_on_after_a_flush() -> None:
    services = FakeServices()
    ctx = context(services=services)
    ctx.reply("one")
    ctx.flush()
    ctx.reply("two")
    assert [action.ordinal for actions in [*services.left, ctx.take()] for action in actions] == [0, 1]


def test_a_flush_lets_go_what_was_said_once() -> None:
    services = FakeServices()
    ctx = context(services=services)
    ctx.reply("one")
    ctx.flush()
    ctx.flush()
    assert [len(actions) for actions in services.left] == [1]
    assert ctx.take() == ()


async def test_a_flush_in_a_coroutine_leaves_the_event_loop_free() -> None:
    services = FakeServices()
    ctx = context(services=services, coroutine=True)
    ctx.reply("one")
    waiting = ctx.flush()
    assert inspect.isawaitable(waiting)
    assert services.left == []
    await waiting
    assert len(services.left) == 1


async def test_everything_may_be_awaited_and_need_not_be() -> None:
    services = FakeServices()
    ctx = context(services=services)
    handle = await ctx.reply("one")
    await ctx.edit(handle, "two")
    await ctx.delete(handle)
    await ctx.react("wave")
    await ctx.typing()
    (left,) = services.left
    assert [action.kind for action in left] == ["send", "edit", "delete", "react", "typing"]


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
    ctx = context(services=FakeServices(accounts=("acme", "other")))
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
    services = FakeServices()
    ctx = context(services=services)
    ctx.reply("one")
    ctx.typing("thinks")
    ((said, typing),) = services.left
    assert (said.kind, typing.kind) == ("send", "typing")
    assert isinstance(typing, Typing)
    assert typing.status == "thinks"


def test_actions_carry_the_trace_and_the_hops() -> None:
    event = message().model_copy(update={"traceparent": "00-1-2-01"})
    ctx = Context(task(event).model_copy(update={"hops": (("worker", 4.0),)}), FakeServices(), clock=lambda: 5.0)
    ctx.reply("one")
    (action,) = ctx.take()
    assert (action.traceparent, action.hops) == ("00-1-2-01", (("worker", 4.0), ("handler", 5.0)))


def test_the_attempt_the_reference_and_the_catalogue_are_there() -> None:
    ctx = Context(task().model_copy(update={"attempt": 2}), FakeServices(MANIFEST))
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


def test_an_account_that_is_not_in_the_settings_is_told_at_once() -> None:
    ctx = context(services=FakeServices(accounts=("acme", "umbrella")))
    with pytest.raises(SkillError, match="there is no account 'umbrela' in the settings; did you mean 'umbrella'"):
        ctx.send("umbrela:#general", "hello")
    with pytest.raises(SkillError, match=r"no account 'zzz' in the settings \(there are: acme, umbrella\)"):
        ctx.send(Address(account="zzz", tenant="T", channel="C"), "hello")
    with pytest.raises(SkillError, match="is no place that there could be"):
        ctx.send("#" + "x" * 300, "hello")
    assert ctx.take() == ()


def test_a_channel_is_given_by_its_name_on_this_account_or_another() -> None:
    ctx = context(services=FakeServices(accounts=("acme", "other")))
    ctx.send("#general", "hello")
    ctx.send("other:#general", "hello")
    assert [action.address for action in ctx.take()] == [
        Address(account=HERE.account, tenant=HERE.tenant, channel="#general"),
        Address(account="other", tenant="*", channel="#general"),
    ]


def test_a_person_gets_a_direct_message() -> None:
    ctx = context()
    ctx.send(User(id="U2"), "hello")
    (action,) = ctx.take()
    assert action.address == Address(account=HERE.account, tenant=HERE.tenant, channel="@U2")


def scheduled() -> Scheduled:
    return Scheduled(key="t1", address=NOWHERE, conversation="channel", skill="dice", handler="roll", due=5.0)


def test_what_belongs_to_no_conversation_has_nobody_to_reply_to() -> None:
    with pytest.raises(SkillError, match=r'belongs to no conversation.*ctx\.send\("acme:#general"'):
        context(scheduled()).reply("hello")


def test_without_a_conversation_a_channels_name_is_enough_where_there_is_one_account() -> None:
    ctx = context(scheduled())
    ctx.send("#general", "hello")
    (action,) = ctx.take()
    assert action.address == Address(account="acme", tenant="*", channel="#general")
    with pytest.raises(SkillError, match="on which account is #general"):
        context(scheduled(), FakeServices(accounts=("a", "b"))).send("#general", "hello")


def test_a_handle_can_be_stored_and_used_by_any_later_task() -> None:
    handle = context().reply("one")
    stored = str(handle)
    assert Handle.parse(stored) == handle
    ctx = context(message("later"))
    ctx.edit(stored, "two")
    ctx.react("wave", on=stored)
    ctx.delete(stored)
    assert {getattr(action, "target", None) for action in ctx.take()} == {Target(key=handle.key)}
    with pytest.raises(SkillError, match="is not a message's handle"):
        ctx.edit("something", "two")


def test_an_event_is_about_the_message_that_the_platform_made_of_it() -> None:
    services = FakeServices()
    handle = context().reply("vote!")
    ctx = context(EVENTS["reaction"], services)
    assert not ctx.about(handle)
    services.performed[handle.key] = Sent(ids=("m0", "m1"))
    assert ctx.about(handle)
    assert ctx.about(str(handle))
    assert not context(EVENTS["member_joined"], services).about(handle)


def test_the_time_is_the_persons_own() -> None:
    event = message().model_copy(update={"person": Person(id="U1", timezone="Asia/Tokyo")})
    assert context(event).now().isoformat() == "1970-01-01T09:00:05+09:00"
    assert context(services=FakeServices(timezone="Europe/Berlin")).now().isoformat() == "1970-01-01T01:00:05+01:00"


def test_something_is_asked_for_later_once_however_often_the_run_is_tried() -> None:
    services = FakeServices()
    ids = [
        [
            ctx.later(timedelta(hours=2), "wake", text="tea"),
            ctx.later(datetime(2030, 1, 1, tzinfo=UTC), "wake", text="cake"),
        ]
        for ctx in [context(services=services, schedules={"wake": list}) for _ in range(2)]
    ]
    assert ids[0] == ids[1]
    tea, cake = services.timers.pending("dice")
    assert (tea.due_at, tea.event.arguments, tea.event.address) == (7205.0, {"text": "tea"}, HERE)
    assert cake.due_at == datetime(2030, 1, 1, tzinfo=UTC).timestamp()
    assert context(services=services).cancel(tea.id)
    assert not context(services=services).cancel(tea.id)


@pytest.mark.parametrize(
    ("when", "handler", "arguments", "error"),
    [
        (timedelta(hours=1), "roll", {}, r"dice\.roll cannot be run later: declare it with @skill\.schedule"),
        (timedelta(hours=1), "gone", {}, r"dice\.gone cannot be run later"),
        (datetime(2030, 1, 1), "wake", {}, "a moment needs a time zone"),  # what the test is about
        (timedelta.min, "wake", {}, "is no time that comes"),
        (datetime.max.replace(tzinfo=UTC), "wake", {}, "is no time that comes"),
        (timedelta(hours=1), "wake", {"x": object()}, "wake does not take these arguments"),
    ],
)
def test_what_cannot_happen_later_is_told_at_once(
    when: datetime | timedelta, handler: str, arguments: dict[str, Any], error: str
) -> None:
    with pytest.raises(SkillError, match=error):
        context(schedules={"wake": list}).later(when, handler, **arguments)


def test_somebody_in_the_directory_is_found_without_asking_the_platform() -> None:
    services = FakeServices()
    services.people["U2"] = Person(id="U2", name="Bo", timezone="Asia/Tokyo")
    assert context(services=services).look_up(User(id="U2")) == services.people["U2"]
    assert services.left == []


def test_somebody_unknown_is_asked_for_without_changing_the_keys_of_what_is_said() -> None:
    class Platform(FakeServices):
        def leave(self, task: Task, actions: Sequence[Action]) -> None:
            super().leave(task, actions)
            self.people["U2"] = Person(id="U2", name="Bo")

    services = Platform()
    ctx = context(services=services)
    assert ctx.look_up("U2").name == "Bo"
    ((asked,),) = services.left
    assert isinstance(asked, LookUp)
    assert asked.person == "U2"
    ctx.reply("hello")
    assert ctx.take()[0].key == action_key("e1", "dice.roll", 0)


@pytest.mark.parametrize("user", ["", "x\0", "x" * 300])
def test_what_is_no_persons_id_is_not_asked_for(user: str) -> None:
    with pytest.raises(SkillError, match="is no person's id"):
        context().look_up(user)


def test_somebody_whom_the_platform_does_not_know_is_an_id() -> None:
    class Platform(FakeServices):
        def leave(self, task: Task, actions: Sequence[Action]) -> None:
            self.performed[actions[0].key] = Sent()

    assert context(services=Platform()).look_up("U2") == Person(id="U2")


async def test_what_waits_for_the_store_is_refused_on_an_event_loop() -> None:
    ctx = context(coroutine=True, schedules={"wake": list})
    for call in (lambda: ctx.look_up("U2"), lambda: ctx.later(timedelta(1), "wake"), lambda: ctx.store.get("x")):
        with pytest.raises(SkillError, match=r"asyncio\.to_thread"):
            call()
    assert await asyncio.to_thread(ctx.store.get, "x", 1) == 1


def test_may_asks_the_rules() -> None:
    manifest = HandlerManifest(name="roll", trigger=CommandTrigger(names=("roll",)), allow=("admin",))
    assert not context().may(MANIFEST, manifest)
    event = message().model_copy(update={"person": Person(id="U1", roles=("admin",))})
    assert context(event).may(MANIFEST, manifest)
