"""The adapter over real sockets, against a Discord that says what a test tells it to."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Collection
from typing import Any

import pytest

from adapters.discord import payloads as p
from adapters.discord.scripted import Scripted
from adapters.discord.scripted_rig import HERE, HISTORY, POST, connected, made, ours, send
from dragoman import (
    AccountError,
    ActionBase,
    Content,
    Delete,
    DeliveryError,
    Edit,
    EventBase,
    MemoryServices,
    React,
    Target,
    Typing,
)
from dragoman_discord.render import nonce
from dragoman_discord.settings import DiscordSettings

# Who we are


async def test_check_says_who_we_are() -> None:
    async with made() as (_, adapter):
        assert await adapter.check() == "dragoman (10)"


@pytest.mark.parametrize("how", ["check", "run"])
async def test_a_bad_token_ends_with_a_clear_error_that_does_not_tell_it(how: str) -> None:
    async with made(token="very.secret") as (discord, adapter):
        discord.answers["GET /users/@me"] = (401, {"message": "401: Unauthorized", "code": 0})
        with pytest.raises(AccountError, match="'acme': Discord does not take the token: copy it again") as caught:
            async with asyncio.timeout(10):
                await (adapter.check() if how == "check" else adapter.run(_take, _nothing))
        assert "very.secret" not in f"{caught.value!r} {caught.value.__context__} {adapter.settings!r}"


async def test_check_says_which_intents_are_off() -> None:
    async with made() as (discord, adapter):
        discord.answers["GET /oauth2/applications/@me"]["flags"] = 1 << 14
        with pytest.raises(AccountError, match=r"without the Message Content Intent.*or set message_content = false$"):
            await adapter.check()
    async with made(message_content=False) as (discord, adapter):
        discord.answers["GET /oauth2/applications/@me"]["flags"] = 1 << 14
        assert await adapter.check() == "dragoman (10)"


async def test_check_says_that_slash_commands_go_elsewhere() -> None:
    async with made() as (discord, adapter):
        discord.answers["GET /oauth2/applications/@me"]["interactions_endpoint_url"] = "https://x.y"
        assert "Interactions Endpoint URL, which must be empty" in await adapter.check()


async def test_what_is_not_discord_is_named() -> None:
    async with made() as (discord, adapter):
        discord.answers["GET /oauth2/applications/@me"] = "<html>"
        with pytest.raises(AccountError, match="does not say who we are"):
            await adapter.check()


async def test_an_address_where_nothing_answers_is_named() -> None:
    async with Scripted() as discord:
        adapter = discord.adapter()
    with pytest.raises(AccountError, match=f"no answer from {discord.url}"):
        await adapter.check()
    await adapter.close()


async def test_discord_being_away_at_the_start_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman_discord.adapter.delays", lambda: lambda: 0.0)
    async with made(shards=0) as (discord, adapter):
        me, gateway = discord.answers["GET /users/@me"], discord.answers["GET /gateway/bot"]
        discord.answers["GET /users/@me"] = [(503, {"message": "no"}), lambda body: me]
        discord.answers["GET /gateway/bot"] = [(503, {"message": "no"}), lambda body: [], gateway]
        task = asyncio.create_task(adapter.run(_take, _nothing))
        await discord.session()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _take(event: EventBase) -> None: ...


def _nothing() -> None: ...


async def test_who_is_started_again_resumes() -> None:
    async with made() as (discord, adapter):

        async def broken(event: EventBase) -> None: ...

        for op in (2, 6):
            task = asyncio.create_task(adapter.run(broken, _nothing))
            connection = await discord.connection()
            assert (await connection.hello())["op"] == op
            await connection.dispatch("READY", {"session_id": "s", "resume_gateway_url": discord.gateway, "guilds": []})
            await connection.dispatch("MESSAGE_CREATE", p.message())
            await connection.send(1)
            await connection.receive(1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


# What goes out


async def test_what_is_sent_has_the_ids_that_discord_gave() -> None:
    async with made() as (discord, adapter):
        discord.answers[POST] = [lambda body: {"id": "1"}, lambda body: {"id": "2"}]
        sent = await adapter.perform(send("word " * 450))
        assert sent.ids == ("1", "2")
        assert [body["nonce"] for body in discord.posted(POST)] == [nonce("k", 1), nonce("k", 2)]
        assert adapter.render(send("word " * 450))[0]["json"] == discord.posted(POST)[0]


@pytest.mark.parametrize(
    ("action", "what", "ids"),
    [
        (
            Edit(key="k", address=HERE, target=Target(id="7"), content=Content(text="x")),
            "PATCH /channels/200/messages/7",
            ("7",),
        ),
        (Delete(key="k", address=HERE, target=Target(id="7")), "DELETE /channels/200/messages/7", ("7",)),
        (
            React(key="k", address=HERE, target=Target(id="7"), emoji="+1"),
            "PUT /channels/200/messages/7/reactions/👍/@me",
            (),
        ),
        (Typing(key="k", address=HERE), "POST /channels/200/typing", ()),
    ],
)
async def test_other_actions(action: ActionBase, what: str, ids: tuple[str, ...]) -> None:
    async with made() as (discord, adapter):
        discord.answers[what] = {"id": "7"} if isinstance(action, Edit) else (200, None)
        assert (await adapter.perform(action)).ids == ids
        assert discord.asked[-1][0] == what


async def test_a_refusal_is_discords_own_and_says_what_to_do() -> None:
    async with made() as (discord, adapter):
        discord.answers[POST] = (403, {"message": "Missing Permissions", "code": 50013})
        with pytest.raises(DeliveryError, match="Missing Permissions: the bot's role lacks") as caught:
            await adapter.perform(send())
        assert (caught.value.code, caught.value.retry) == ("50013", False)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((503, {"message": "no", "code": 0}), "http_503"),
        ((429, "<html>cloudflare"), "http_429"),
        ((400, {"message": "overloaded", "code": 130000}), "130000"),
    ],
)
async def test_what_may_pass_is_to_be_tried_again(answer: object, code: str) -> None:
    async with made() as (discord, adapter):
        discord.answers[POST] = answer
        with pytest.raises(DeliveryError) as caught:
            await adapter.perform(send())
        assert (caught.value.code, caught.value.retry) == (code, True)


async def test_a_token_that_is_refused_now_is_no_reason_to_try_again() -> None:
    async with made() as (discord, adapter):
        discord.answers["GET /users/@me"] = (401, {"message": "401: Unauthorized", "code": 0})
        with pytest.raises(DeliveryError) as caught:
            await adapter.perform(send())
        assert (caught.value.code, caught.value.retry) == ("401", False)


async def test_a_thread_that_is_not_there_yet_is_started_on_its_message() -> None:
    async with made() as (discord, adapter):
        there = HERE.in_thread("77")
        unknown = (404, {"message": "Unknown Channel", "code": 10003})
        discord.answers["POST /channels/77/messages"] = [unknown, lambda body: {"id": "1"}]
        discord.answers["POST /channels/200/messages/77/threads"] = {"id": "77", "type": 11, "parent_id": "200"}
        assert (await adapter.perform(send("Build failed", address=there))).ids == ("1",)
        assert discord.posted("POST /channels/200/messages/77/threads") == [{"name": "Build failed"}]


async def test_a_thread_that_cannot_be_started_is_an_unknown_channel() -> None:
    async with made() as (discord, adapter):
        discord.answers["POST /channels/77/messages"] = (404, {"message": "Unknown Channel", "code": 10003})
        discord.answers["POST /channels/200/messages/77/threads"] = (404, {"message": "Unknown Message", "code": 10008})
        with pytest.raises(DeliveryError, match="Unknown Channel"):
            await adapter.perform(send(address=HERE.in_thread("77")))


async def test_a_deletion_that_was_done_before_is_done() -> None:
    async with made() as (discord, adapter):
        discord.answers["DELETE /channels/200/messages/7"] = (404, {"message": "Unknown Message", "code": 10008})
        delete = Delete(key="k", address=HERE, target=Target(id="7"), again=True)
        assert (await adapter.perform(delete)).ids == ("7",)
        with pytest.raises(DeliveryError):
            await adapter.perform(delete.model_copy(update={"again": False}))


async def test_typing_that_is_refused_is_nothing() -> None:
    async with made() as (_, adapter):
        await adapter.perform(Typing(key="k", address=HERE))


# What may have been done before


async def test_what_this_process_has_sent_is_not_sent_again() -> None:
    async with made() as (discord, adapter):
        discord.answers[POST] = {"id": "1"}
        await adapter.perform(send())
        assert (await adapter.perform(send(again=True))).ids == ("1",)
        assert len(discord.posted(POST)) == 1
        assert discord.posted(HISTORY) == []


async def test_what_another_process_has_sent_is_found_by_what_it_says() -> None:
    async with made() as (discord, adapter):
        first = "word " * 380
        discord.answers[HISTORY] = [
            p.message(first.strip()),
            ours("5", adapter.render(send("word " * 450))[0]["json"]["content"]),
        ]
        discord.answers[POST] = {"id": "6"}
        assert (await adapter.perform(send("word " * 450, again=True))).ids == ("5", "6")
        assert [body["nonce"] for body in discord.posted(POST)] == [nonce("k", 2)]


@pytest.mark.parametrize(
    "other",
    [
        ours("5", "other"),
        p.message("hi"),
        ours("5", "hi", message_reference={"message_id": "9"}),
        ours("5", "hi", interaction_metadata={"id": "9"}),
    ],
    ids=["other words", "somebody else's", "a reply", "an answer to a command"],
)
async def test_what_is_not_the_same_is_not_taken_for_it(other: dict[str, Any]) -> None:
    async with made() as (discord, adapter):
        discord.answers[HISTORY] = [other]
        discord.answers[POST] = {"id": "6"}
        assert (await adapter.perform(send(again=True))).ids == ("6",)


async def test_what_the_ledger_has_as_another_actions_is_not_taken_for_it() -> None:
    class Ledger(MemoryServices):
        async def said_by(self, channel: str, ids: Collection[str]) -> dict[str, str]:
            return {id: {"5": "another", "6": "k"}[id] for id in ids if id != "7"}

    async with made() as (discord, adapter):
        adapter.services = Ledger()
        discord.answers[HISTORY] = [ours("5", "hi"), ours("6", "hi"), ours("7", "hi")]
        assert (await adapter.perform(send(again=True))).ids == ("6",)


async def test_while_discord_knows_the_nonce_it_is_posted_again_and_nothing_is_searched() -> None:
    async with made() as (discord, adapter):
        discord.answers[HISTORY] = [ours("5", "hi")]
        discord.answers[POST] = {"id": "6"}
        lately = send(again=True).model_copy(update={"hops": (("worker", time.time()), ("delivery", time.time()))})
        assert (await adapter.perform(lately)).ids == ("6",)
        assert discord.posted(HISTORY) == []
        long_ago = lately.model_copy(update={"key": "l", "hops": (("worker", 1.0), ("delivery", time.time()))})
        assert (await adapter.perform(long_ago)).ids == ("5",)


async def test_a_message_counts_for_one_action_only() -> None:
    async with made() as (discord, adapter):
        discord.answers[POST] = [lambda body: {"id": "5"}, lambda body: {"id": "6"}]
        discord.answers[HISTORY] = lambda body: [ours("5", "hi")]
        await adapter.perform(send(key="one"))
        assert (await adapter.perform(send(key="two", again=True))).ids == ("6",)


async def test_where_the_history_may_not_be_read_there_is_the_nonce() -> None:
    async with made() as (discord, adapter):
        discord.answers[HISTORY] = (403, {"message": "Missing Access", "code": 50001})
        discord.answers[POST] = {"id": "6"}
        assert (await adapter.perform(send(again=True))).ids == ("6",)


async def test_what_the_gateway_told_us_of_our_own_is_known() -> None:
    async with connected() as (discord, adapter, connection, events):
        await connection.dispatch("MESSAGE_CREATE", ours("5", "hi", nonce=nonce("k", 1)))
        await connection.dispatch("MESSAGE_DELETE", {"id": "5", "channel_id": p.GENERAL, "guild_id": p.GUILD})
        await connection.dispatch("MESSAGE_CREATE", p.message("theirs"))
        assert (await asyncio.wait_for(events.get(), 10)).kind == "message"
        assert (await adapter.perform(send(again=True))).ids == ("5",)
        assert discord.posted(POST) == []


# Settings


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"token": " "}, "is empty"),
        ({"shard_ids": (0,)}, "shard_ids needs shards"),
        ({"shards": 2, "shard_ids": (2,)}, "counted from 0 to 1"),
        ({"patience": 3}, "less than or equal to 2.5"),
        ({"gateway_url": "https://x"}, "pattern"),
        ({"surprise": 1}, "Extra inputs"),
    ],
)
def test_wrong_settings_are_named(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        DiscordSettings.model_validate({"platform": "discord", "token": "a.b", **given})


def test_a_token_may_be_pasted_with_what_stands_before_it() -> None:
    settings = DiscordSettings.model_validate({"platform": "discord", "token": " Bot a.b ", "api_url": "http://x/"})
    assert (settings.token.get_secret_value(), settings.api_url) == ("a.b", "http://x")


def test_importing_the_package_loads_no_sdk() -> None:
    modules = "dragoman_discord, dragoman_discord.normalise, dragoman_discord.render"
    code = f"import sys, {modules}; print('discord' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
