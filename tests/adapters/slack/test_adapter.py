"""The adapter over real sockets, against the simulator."""

import asyncio
import logging
import subprocess
import sys
from typing import Any

import pytest

from adapters.slack.adapter_rig import Rig, make, rig
from dragoman import Address
from dragoman.action import Delete, Edit, React, Send, Target, Typing
from dragoman.content import Content
from dragoman.errors import AccountError, DeliveryError
from dragoman.event import Deleted, Edited, EventBase, MemberJoined, Message, Reaction
from dragoman_slack.adapter import SlackAdapter
from dragoman_slack.settings import SlackSettings
from dragoman_slack.simulator import SlackSimulator

QUICK: dict[str, Any] = {"ack_timeout": 0.05, "retry_delays": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)}


def send(r: Rig, text: str, key: str = "k", **more: Any) -> Send:
    return Send(key=key, address=more.pop("address", r.address()), content=Content(text=text), **more)


# Who we are


async def test_check_says_who_we_are() -> None:
    async with rig(running=False) as r:
        app = r.acme.app
        said = await r.adapter.check()
        assert said.startswith(f"dragoman ({app.user_id}) in acme ({r.acme.id})")
        assert "lacks" not in said


async def test_check_says_which_scopes_are_missing() -> None:
    async with rig(running=False) as r:
        r.acme.app.scopes -= {"reactions:write", "im:write"}
        with pytest.raises(AccountError, match="lacks the scopes im:write, reactions:write"):
            await r.adapter.check()


async def test_check_says_what_does_not_work_without_the_scopes_that_are_not_needed() -> None:
    async with rig(running=False) as r:
        r.acme.app.scopes -= {"files:read", "files:write"}
        said = await r.adapter.check()
        assert "without the scope files:read, attached files cannot be fetched" in said
        assert "without the scope files:write, files cannot be sent" in said


@pytest.mark.parametrize("setting", ["bot_token", "app_token"])
@pytest.mark.parametrize("how", ["check", "run"])
async def test_a_bad_token_ends_with_a_clear_error_that_does_not_tell_it(setting: str, how: str) -> None:
    async with SlackSimulator() as slack:
        adapter = make(slack, slack.workspace("acme").app, **{setting: "xoxb-very-secret"})
        with pytest.raises(AccountError, match=rf"'acme'.*{setting}.*invalid_auth.*copy it again") as caught:
            async with asyncio.timeout(10):
                await (adapter.check() if how == "check" else adapter.run(_take, _nothing))
        assert caught.value.account == "acme"
        assert "very-secret" not in f"{caught.value!r} {caught.value.__context__} {adapter.settings!r}"
        await adapter.close()


async def test_exchanged_tokens_are_named() -> None:
    async with SlackSimulator() as slack:
        app = slack.workspace("acme").app
        adapter = make(slack, app, bot_token=app.app_token, app_token=app.bot_token)
        with pytest.raises(AccountError, match=r"bot_token.*starts with xoxb-"):
            await adapter.check()
        await adapter.close()


async def test_an_app_that_is_removed_while_it_runs_ends_with_an_error() -> None:
    async with rig(running=False) as r:
        ready = asyncio.Event()
        task = asyncio.create_task(r.adapter.run(r.receive, ready.set))
        await ready.wait()
        r.acme.app.uninstalled = True
        r.slack.drop_sockets()
        with pytest.raises(AccountError, match=r"account_inactive.*install it again"):
            async with asyncio.timeout(10):
                await task


async def test_an_address_where_nothing_answers_is_named() -> None:
    async with SlackSimulator() as slack:
        app = slack.workspace("acme").app
        url = slack.url
    adapter = make(slack, app, api_url=url, max_retries=0)
    with pytest.raises(AccountError, match="no answer from"):
        await adapter.check()
    await adapter.close()


async def test_slack_being_away_at_the_start_is_waited_for() -> None:
    async with rig(running=False, settings={"max_retries": 0}) as r:
        r.slack.fail("auth.test", status=502)
        r.slack.fail("apps.connections.open", status=500)
        r.slack.refuse_connections(1)
        task = asyncio.create_task(r.adapter.run(r.receive, r.ready.set))
        await asyncio.wait_for(r.ready.wait(), 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _take(event: EventBase) -> None: ...


def _nothing() -> None: ...


# What it would do


def test_what_an_action_becomes_is_shown_without_a_call() -> None:
    settings = {"platform": "slack", "bot_token": "xoxb-1", "app_token": "xapp-1", "unfurl": True}
    adapter = SlackAdapter("acme", SlackSettings.model_validate(settings))
    address = Address(account="acme", tenant="T1", channel="C1")
    [call] = adapter.render(Send(key="k", address=address, content=Content(text="**hi**")))
    assert (call["method"], call["channel"], call["text"], call["unfurl_links"]) == (
        "chat.postMessage",
        "C1",
        "*hi*",
        True,
    )
    assert adapter.render(Typing(key="k", address=address)) == []
    assert adapter.render(React(key="k", address=address, target=Target(id="1.1"), emoji="wave")) == [
        {"method": "reactions.add", "channel": "C1", "timestamp": "1.1", "name": "wave"}
    ]
    with pytest.raises(DeliveryError, match="never sent"):
        adapter.render(Delete(key="k", address=address, target=Target(key="other")))


# In


async def test_everything_that_happens_comes_in() -> None:
    async with rig() as r:
        message = await r.ann.say(r.general, "hello *you* & <me>")
        await r.ann.say(r.general, "again", thread=message)
        await r.ann.edit(message, "hello everybody")
        await r.ann.react(message, "wave")
        await r.ann.unreact(message, "wave")
        await r.ann.delete(message)
        await r.ann.upload(r.general, name="cat.png", size=5)
        bob = r.acme.user("bob")
        side = r.acme.channel("side", members=[r.ann])
        await bob.join(side)
        await r.slack.settled()
        kinds = [event.kind for event in r.events]
        assert sorted(kinds) == sorted(
            ["message", "message", "edited", "reaction", "reaction", "deleted", "message", "member_joined"]
        )
        first = next(event for event in r.said() if event.id == message.ts)
        assert first.content.plain == "hello *you* & <me>"
        assert first.content.text == "hello **you** & \\<me\\>"
        assert first.address == r.address()
        assert first.person is not None
        assert first.person.id == r.ann.id
        expected: set[type[EventBase]] = {Message, Edited, Deleted, Reaction, MemberJoined}
        assert {type(event) for event in r.events} == expected
        assert [file.name for event in r.said() for file in event.content.files] == ["cat.png"]
        assert {event.address.thread for event in r.said()} == {None, message.ts}


async def test_a_mention_that_slack_sends_as_two_events_is_taken_once_and_both_are_acknowledged() -> None:
    async with rig() as r:
        message = await r.ann.say(r.general, "@dragoman roll 2d6")
        await r.slack.settled()
        assert len(message.deliveries) == 2
        assert all(delivery.accepted for delivery in message.deliveries)
        (event,) = await r.messages(1)
        assert (event.addressed, event.request) == (True, "roll 2d6")


async def test_a_mention_in_a_group_is_a_groups_message() -> None:
    async with rig() as r:
        group = r.acme.group(r.ann, r.acme.user("bob"))
        await r.ann.say(group, "hello")
        await r.messages(1)
        await r.ann.say(group, "@dragoman roll")
        _, event = await r.messages(2)
        assert event.conversation == "group"


async def test_a_direct_message_is_addressed() -> None:
    async with rig() as r:
        await r.ann.say(r.ann.dm(), "roll")
        (event,) = await r.messages(1)
        assert (event.conversation, event.addressed, event.request) == ("direct", True, "roll")


async def test_the_bot_does_not_hear_itself() -> None:
    async with rig() as r:
        sent = await r.adapter.perform(send(r, "I say"))
        await r.adapter.perform(React(key="r", address=r.address(), target=Target(id=sent.ids[0]), emoji="wave"))
        edit = Content(text="I said")
        await r.adapter.perform(Edit(key="e", address=r.address(), target=Target(id=sent.ids[0]), content=edit))
        await r.adapter.perform(Delete(key="d", address=r.address(), target=Target(id=sent.ids[0])))
        await r.ann.say(r.general, "you said")
        await r.slack.settled()
        assert [event.content.plain for event in r.said()] == ["you said"]
        assert len(r.events) == 1


async def test_slack_is_told_only_after_the_event_was_taken() -> None:
    async with rig() as r:
        gate = asyncio.Event()
        in_hand: list[EventBase] = []

        async def taking(event: EventBase) -> None:
            in_hand.append(event)
            r.slack.changed()
            await gate.wait()

        r.taking = taking
        said = [await r.ann.say(r.general, str(n)) for n in range(20)]
        # All of them are in hand at once, so that the gateway can commit many together.
        await r.slack.until(lambda: len(in_hand) == 20)
        assert not any(message.accepted for message in said)
        gate.set()
        await r.slack.settled()
        assert len(r.events) == 20


async def test_what_could_not_be_taken_comes_again(caplog: pytest.LogCaptureFixture) -> None:
    async with rig(**QUICK) as r:
        failures = iter([OSError("disk full")])

        async def taking(event: EventBase) -> None:
            for error in failures:
                raise error

        r.taking = taking
        message = await r.ann.say(r.general, "hello")
        await r.slack.until(lambda: message.accepted)
        assert [event.content.plain for event in r.said()] == ["hello"]
        assert "was not taken; Slack will send it again" in caplog.text


async def test_a_broken_payload_is_said_acknowledged_and_survived(caplog: pytest.LogCaptureFixture) -> None:
    async with rig() as r:
        broken = r.acme.app.deliver({"type": "message", "channel": "C1", "text": "no ts", "user": "U1"})
        strange = r.acme.app.deliver({"type": "team_rename", "name": "x"})
        await r.slack.until(lambda: broken.accepted and strange.accepted)
        assert "event.ts is missing" in caplog.text
        await r.ann.say(r.general, "still there?")
        assert (await r.messages(1))[0].content.plain == "still there?"


@pytest.mark.parametrize("how", ["refresh", "warning", "drop", "refuse"])
async def test_a_connection_that_goes_is_replaced_and_nothing_is_lost(how: str) -> None:
    async with rig() as r:
        await r.ann.say(r.general, "before")
        await r.slack.settled()
        match how:
            case "refresh":
                await r.slack.disconnect()
            case "warning":
                await r.slack.disconnect("refresh_requested", after=0.01)
            case "drop":
                r.slack.drop_sockets()
            case "refuse":
                r.slack.refuse_connections(1)
                r.slack.drop_sockets()
        await r.ann.say(r.general, "after")
        await r.slack.until(lambda: {"before", "after"} <= {event.content.plain for event in r.said()})
        await r.slack.settled()
        await r.slack.connected()


async def test_two_accounts_live_side_by_side() -> None:
    async with SlackSimulator() as slack:
        tasks, heard = [], []
        adapters = []
        for name in ("acme", "umbrella"):
            workspace = slack.workspace(name)
            adapter = make(slack, workspace.app, name)
            ready = asyncio.Event()

            async def receive(event: EventBase) -> None:
                heard.append(event)
                slack.changed()

            tasks.append(asyncio.create_task(adapter.run(receive, ready.set)))
            await asyncio.wait_for(ready.wait(), 10)
            adapters.append(adapter)
            await workspace.user("ann").say(workspace.channel("general"), name)
        await slack.until(lambda: len(heard) == 2)
        assert sorted((e.address.account, e.address.tenant) for e in heard) == sorted(
            (w.name, w.id) for w in slack.workspaces.values()
        )
        for task, adapter in zip(tasks, adapters, strict=True):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await adapter.close()


# Out


async def test_it_sends_edits_reacts_and_deletes() -> None:
    async with rig(running=False) as r:
        sent = await r.adapter.perform(send(r, "**hi** <you>"))
        (message,) = r.general.said
        assert sent.ids == (message.ts,)
        assert message.text == "*hi* &lt;you&gt;"
        target = Target(id=message.ts)
        edited = await r.adapter.perform(
            Edit(key="e", address=r.address(), target=target, content=Content(text="*ho*"))
        )
        assert (message.text, edited.ids) == ("_ho_", (message.ts,))
        react = React(key="r", address=r.address(), target=target, emoji="wave")
        await r.adapter.perform(react)
        await r.adapter.perform(react)
        assert list(message.reactions) == ["wave"]
        unreact = React(key="u", address=r.address(), target=target, emoji="wave", remove=True)
        await r.adapter.perform(unreact)
        await r.adapter.perform(unreact)
        assert not message.reactions
        delete = Delete(key="d", address=r.address(), target=target)
        assert (await r.adapter.perform(delete)).ids == (message.ts,)
        assert not r.general.said
        with pytest.raises(DeliveryError, match="message_not_found"):
            await r.adapter.perform(delete)
        await r.adapter.perform(delete.model_copy(update={"again": True}))


async def test_a_reply_stays_in_its_thread_also_when_it_is_split() -> None:
    async with rig(running=False) as r:
        root = await r.ann.say(r.general, "tell me")
        sent = await r.adapter.perform(send(r, "word " * 3000, address=r.address(thread=root.ts)))
        parts = [r.general.find(ts) for ts in sent.ids]
        assert len(parts) == 4
        assert all(part is not None and part.thread_ts == root.ts for part in parts)


async def test_typing_shows_a_status_and_a_platform_without_it_is_no_failure() -> None:
    async with rig(running=False) as r:
        root = await r.ann.say(r.general, "tell me")
        typing = Typing(key="t", address=r.address(thread=root.ts), status="thinks")
        await r.adapter.perform(typing)
        assert [(thread, status) for _, thread, status in r.slack.statuses] == [(root.ts, "thinks")]
        r.slack.fail("assistant.threads.setStatus", status=200, error="feature_not_enabled")
        assert (await r.adapter.perform(typing)).ids == ()
        assert (await r.adapter.perform(Typing(key="t", address=r.address()))).ids == ()


@pytest.mark.parametrize("thread", [False, True])
async def test_what_was_sent_already_is_not_sent_again(thread: bool) -> None:
    async with rig(running=False) as r:
        root = await r.ann.say(r.general, "tell me")
        where = r.address(thread=root.ts if thread else None)
        action = send(r, "word " * 3000, address=where)
        first = await r.adapter.perform(action)
        again = await r.adapter.perform(action.model_copy(update={"again": True}))
        assert again == first
        assert len(r.general.said) == 4
        await r.adapter.perform(send(r, "other", key="k2", address=where, again=True))
        assert len(r.general.said) == 5


async def test_a_send_that_broke_in_the_middle_goes_on_where_it_was() -> None:
    async with rig(running=False, settings={"max_retries": 0}) as r:
        action = send(r, "word " * 3000, hops=(("slack", 1.0),))
        await r.adapter.perform(send(r, "noise", key="noise"))
        r.slack.hang_up("chat.postMessage", performed=True)
        with pytest.raises(DeliveryError) as caught:
            await r.adapter.perform(action)
        assert (caught.value.code, caught.value.retry) == ("connection", True)
        assert len(r.general.said) == 2
        sent = await r.adapter.perform(action.model_copy(update={"again": True}))
        assert len(sent.ids) == 4
        assert len(r.general.said) == 5


async def test_an_edit_that_does_not_fit_is_not_continued_twice() -> None:
    async with rig(running=False) as r:
        sent = await r.adapter.perform(send(r, "short"))
        content = Content(text="word " * 2000)
        action = Edit(key="e", address=r.address(), target=Target(id=sent.ids[0]), content=content)
        first = await r.adapter.perform(action)
        assert len(first.ids) == 3
        assert await r.adapter.perform(action.model_copy(update={"again": True})) == first
        assert len(r.general.said) == 3


async def test_server_errors_are_tried_again() -> None:
    async with rig(running=False) as r:
        sent = await r.adapter.perform(send(r, "hi"))
        r.slack.fail("chat.update", status=503)
        edit = Edit(key="e", address=r.address(), target=Target(id=sent.ids[0]), content=Content(text="ho"))
        await r.adapter.perform(edit)
        assert [message.text for message in r.general.said] == ["ho"]
        assert [call.method for call in r.slack.calls][-2:] == ["chat.update", "chat.update"]


@pytest.mark.parametrize("performed", [True, False])
@pytest.mark.parametrize("status", [500, 503])
async def test_what_slack_may_have_posted_in_spite_of_its_error_is_looked_for_first(
    status: int, performed: bool
) -> None:
    async with rig(running=False) as r:
        r.slack.fail("chat.postMessage", status=status, performed=performed)
        action = send(r, "hi")
        with pytest.raises(DeliveryError) as caught:
            await r.adapter.perform(action)
        assert caught.value.retry
        await r.adapter.perform(action.model_copy(update={"again": True}))
        assert [message.text for message in r.general.said] == ["hi"]


@pytest.mark.parametrize(
    ("status", "error", "retry"),
    [
        (200, "channel_not_found", False),
        (200, "internal_error", True),
        (502, "bad", True),
        (429, "ratelimited", True),
    ],
)
async def test_a_refusal_says_whether_trying_again_may_help(status: int, error: str, retry: bool) -> None:
    async with rig(running=False, settings={"max_retries": 0}) as r:
        r.slack.fail("chat.postMessage", status=status, error=error)
        with pytest.raises(DeliveryError, match=error) as caught:
            await r.adapter.perform(send(r, "hi"))
        assert (caught.value.code, caught.value.retry) == (error, retry)


async def test_a_missing_scope_is_named() -> None:
    async with rig(running=False) as r:
        r.acme.app.scopes.discard("chat:write")
        with pytest.raises(DeliveryError, match="lacks the scope chat:write") as caught:
            await r.adapter.perform(send(r, "hi"))
        assert caught.value.code == "missing_scope"


async def test_slack_being_away_is_a_failure_that_may_pass() -> None:
    async with SlackSimulator() as slack:
        app, url = slack.workspace("acme").app, slack.url
    adapter = make(slack, app, api_url=url, max_retries=0)
    where = Rig(SlackSimulator()).address()
    with pytest.raises(DeliveryError) as caught:
        await adapter.perform(Send(key="k", address=where, content=Content(text="hi")))
    assert (caught.value.code, caught.value.retry) == ("connection", True)
    await adapter.close()


async def test_a_closed_adapter_can_be_used_again() -> None:
    async with rig(running=False) as r:
        await r.adapter.perform(send(r, "one"))
        await r.adapter.close()
        await r.adapter.close()
        await r.adapter.perform(send(r, "two", key="k2"))
        assert len(r.general.said) == 2


async def test_no_token_is_ever_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with rig(settings={"max_retries": 0}) as r:
        app = r.acme.app
        r.slack.refuse_connections(1)
        r.slack.drop_sockets()
        r.slack.fail("chat.postMessage", status=500)
        with pytest.raises(DeliveryError):
            await r.adapter.perform(send(r, "hi"))
        await r.slack.connected()
        await r.ann.say(r.general, "hello")
        await r.messages(1)
        assert caplog.text
        logged = "\n".join(
            record.getMessage() for record in caplog.records if record.name.startswith(("dragoman", "slack_sdk"))
        )
        assert app.bot_token not in logged
        assert app.app_token not in logged
        assert "ticket" not in logged


def test_importing_the_package_does_not_import_the_sdk() -> None:
    code = "import sys, dragoman_slack; print([m for m in ('slack_sdk', 'aiohttp') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
