"""Answers to slash commands where the bot is not."""

import logging
from typing import Any

import pytest

from adapters.slack.adapter_rig import Rig, rig
from adapters.slack.payloads import slash
from dragoman import Content, DeliveryError, EventBase, MemoryServices, Send, SlashCommand
from dragoman_slack.replies import GOOD_FOR, Replies
from dragoman_slack.simulator import Channel
from dragoman_slack.slash import read_slash

QUIET: dict[str, Any] = {"max_retries": 0}


async def used(r: Rig, channel: Channel) -> EventBase:
    """The event of a command that Ann uses there."""
    before = len(r.events)
    await r.ann.slash("/roll 2d20", channel)
    return (await r.got(before + 1))[before]


def answer(r: Rig, event: EventBase, text: str = "17", ordinal: int = 0, **more: Any) -> Send:
    content = Content(text=text, files=more.pop("files", ()))
    return Send(key=f"{event.key}|dice.roll|{ordinal}", address=event.address, content=content, **more)


def outside(r: Rig, kind: str = "public") -> Channel:
    """A conversation that the bot is not in."""
    if kind == "public":
        return r.acme.channel("elsewhere", bot=False)
    if kind == "private":
        return r.acme.channel("secret", private=True, bot=False)
    return r.acme.dm(r.ann, r.acme.install("other"))


def texts(channel: Channel) -> list[str]:
    return [message.text for message in channel.said]


@pytest.mark.parametrize("kind", ["public", "private", "between people"])
async def test_a_command_is_answered_for_everybody_where_the_bot_is_not(kind: str) -> None:
    async with rig() as r:
        there = outside(r, kind)
        r.acme.app.commands, r.acme.apps[-1].commands = None, set() if kind == "between people" else None
        event = await used(r, there)
        sent = await r.adapter.perform(answer(r, event, "**17** <&>"))
        assert sent.ids == ()
        assert texts(there) == ["*17* &lt;&amp;&gt;"]
        assert not r.slack.ephemerals


async def test_where_the_bot_is_the_answer_is_a_message_with_an_id() -> None:
    async with rig() as r:
        event = await used(r, r.general)
        sent = await r.adapter.perform(answer(r, event))
        assert sent.ids == (r.general.said[0].ts,)
        assert not [call for call in r.slack.calls if call.method == "response_url"]


async def test_the_address_is_kept_before_the_event_is_handed_over_and_is_not_in_it() -> None:
    async with rig() as r:
        found: list[Any] = []

        async def taking(event: EventBase) -> None:
            found.append(await r.kept.credentials(event.key))

        r.taking = taking
        event = await used(r, outside(r))
        (kept,) = found
        (url,) = [delivery.payload["response_url"] for delivery in r.slack.deliveries]
        assert kept["response_url"] == url
        assert url not in event.model_dump_json()


async def test_an_answer_after_a_restart_arrives_and_is_not_given_twice() -> None:
    async with rig() as r:
        there = outside(r)
        event = await used(r, there)
        adapter = r.another()
        action = answer(r, event)
        await adapter.perform(action)
        await r.adapter.perform(action.model_copy(update={"again": True}))
        await r.adapter.perform(answer(r, event, "and 4", 1, again=True))
        assert texts(there) == ["17", "and 4"]


async def test_an_answer_that_did_not_arrive_is_given_again_and_what_did_is_not() -> None:
    async with rig(settings=QUIET) as r:
        there = outside(r)
        event = await used(r, there)
        action = answer(r, event, "word " * 1500)
        await r.adapter.perform(answer(r, event, "first", 7))
        r.slack.fail("response_url", status=503)
        with pytest.raises(DeliveryError, match="response_url: HTTP 503") as caught:
            await r.adapter.perform(action)
        assert caught.value.retry
        await r.adapter.perform(action.model_copy(update={"again": True}))
        assert [text[:5].strip() for text in texts(there)] == ["first", "word", "word"]


async def test_slack_takes_five_answers_and_the_sixth_is_refused_with_advice() -> None:
    async with rig() as r:
        there = outside(r)
        event = await used(r, there)
        for ordinal in range(5):
            await r.adapter.perform(answer(r, event, str(ordinal), ordinal))
        with pytest.raises(DeliveryError, match=r"0 are left, and this needs 1\. Invite the bot") as caught:
            await r.adapter.perform(answer(r, event, "6", 6))
        assert (caught.value.code, caught.value.retry) == ("used_url", False)
        assert texts(there) == ["0", "1", "2", "3", "4"]


async def test_what_needs_more_answers_than_there_are_is_not_begun() -> None:
    async with rig() as r:
        there = outside(r)
        event = await used(r, there)
        with pytest.raises(DeliveryError, match="5 are left"):
            await r.adapter.perform(answer(r, event, "word " * 5000))
        assert not there.said


async def test_an_address_that_has_ended_is_a_refusal() -> None:
    async with rig() as r:
        event = await used(r, outside(r))
        for reply in r.acme.app.replies.values():
            reply.ends = 0.0
        with pytest.raises(DeliveryError, match="HTTP 404, expired_url") as caught:
            await r.adapter.perform(answer(r, event))
        assert (caught.value.code, caught.value.retry) == ("expired_url", False)


async def test_what_is_no_answer_to_a_command_is_refused_as_ever() -> None:
    async with rig() as r:
        there = outside(r)
        event = await used(r, there)
        for key in ("timer/7|dice.roll|0", event.key):
            with pytest.raises(DeliveryError, match="not_in_channel: invite the bot"):
                await r.adapter.perform(Send(key=key, address=event.address, content=Content(text="x")))
        assert not there.said


async def test_a_refusal_for_another_reason_is_not_got_round() -> None:
    async with rig() as r:
        event = await used(r, r.general)
        r.general.archived = True
        with pytest.raises(DeliveryError, match="is_archived"):
            await r.adapter.perform(answer(r, event))
        assert not r.general.said


async def test_files_are_named_where_they_cannot_be_sent() -> None:
    async with rig() as r:
        there = outside(r)
        event = await used(r, there)
        for ordinal, text in enumerate(("see", "")):
            files = (r.kept.put("pie.png", b"pie"),)
            assert (await r.adapter.perform(answer(r, event, text, ordinal, files=files))).ids == ()
        assert texts(there) == ["see\n\npie.png", "pie.png"]


async def test_the_address_is_in_no_log_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with rig(settings=QUIET) as r:
        event = await used(r, outside(r))
        (secret,) = r.acme.app.replies
        said = ""
        for status in (500, 404, 0):
            r.slack.fail("response_url", status=status)
            with pytest.raises(DeliveryError) as caught:
                await r.adapter.perform(answer(r, event))
            said += f"{caught.value!r}{caught.value.__cause__}"
        await r.adapter.perform(answer(r, event))
        logged = [record.getMessage() for record in caplog.records if record.name.startswith(("dragoman", "slack"))]
        assert secret not in said + "\n".join(logged)
        assert r.acme.app.bot_token not in str([call.args for call in r.slack.calls if call.method == "response_url"])


class Away(MemoryServices):
    async def keep_credentials(self, event_key: str, secret: Any, until: float) -> None:
        raise OSError(f"the store is away: {secret}")


async def test_a_command_goes_on_while_nothing_can_be_kept(caplog: pytest.LogCaptureFixture) -> None:
    async with rig() as r:
        r.adapter.services = Away()
        await used(r, r.general)
        assert "its response_url was not kept (OSError)" in caplog.text
        assert "/commands/" not in caplog.text


def command(**more: Any) -> tuple[SlashCommand, dict[str, Any]]:
    payload = slash(**more)
    return read_slash(payload, "acme", at=5.0), payload


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/x", "http://hooks.slack.com/x", "https://hooks.slack.com@evil.example/", "file:///x", 7, ""],
)
async def test_an_address_that_is_not_slacks_is_not_kept(url: Any) -> None:
    async with rig(running=False) as r:
        services = MemoryServices()
        event, payload = command(response_url=url)
        await Replies("acme", r.adapter._api, lambda: services).keep(event, payload)
        assert await services.credentials(event.key) is None


async def test_it_is_kept_for_as_long_as_slack_takes_it() -> None:
    async with rig(running=False) as r:
        now = 1000.0
        services = MemoryServices()
        replies = Replies("acme", r.adapter._api, lambda: services, lambda: now)
        event, payload = command()
        await replies.keep(event, payload)
        assert await services.credentials(event.key) == {
            "response_url": "https://hooks.slack.com/commands/1234/5678",
            "until": now + GOOD_FOR,
        }
        action = answer(r, event)
        assert await replies.known(action)
        now += GOOD_FOR + 1
        assert not await replies.known(action)
        assert not await replies.answer(action, unfurl=False)
