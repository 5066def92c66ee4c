"""What goes wrong on demand."""

import asyncio
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler

import dragoman_slack
from adapters.slack.spec_rig import Rig, rig
from dragoman_slack import SlackSettings


async def test_ratelimited_calls_say_when_to_come_again() -> None:
    async with rig() as r:
        r.slack.ratelimit("chat.postMessage", times=2, retry_after=7)
        for _ in range(2):
            with pytest.raises(SlackApiError) as caught:
                await r.web.chat_postMessage(channel=r.general.id, text="x")
            assert caught.value.response.status_code == 429
            assert caught.value.response.headers["Retry-After"] == "7"
            assert caught.value.response["error"] == "ratelimited"
        await r.web.chat_postMessage(channel=r.general.id, text="x")
        assert len(r.general.said) == 1


async def test_slack_sdks_own_handler_comes_again() -> None:
    async with rig() as r:
        r.slack.ratelimit("chat.postMessage", retry_after=0)
        r.web.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
        await r.web.chat_postMessage(channel=r.general.id, text="x")
        assert [call.error for call in r.slack.calls] == ["ratelimited", ""]


async def test_failed_calls_have_not_been_done() -> None:
    async with rig() as r:
        r.slack.fail("chat.postMessage", status=503)
        with pytest.raises(SlackApiError) as caught:
            await r.web.chat_postMessage(channel=r.general.id, text="x")
        assert caught.value.response.status_code == 503
        r.slack.fail("chat.postMessage", status=200, error="internal_error")
        with pytest.raises(SlackApiError, match="internal_error"):
            await r.web.chat_postMessage(channel=r.general.id, text="x")
        assert r.general.said == []


async def test_an_answer_can_get_lost_after_the_work_was_done() -> None:
    async with rig() as r:
        r.slack.hang_up("chat.postMessage", performed=True)
        with pytest.raises(aiohttp.ClientError):
            await r.web.chat_postMessage(channel=r.general.id, text="x")
        assert [message.text for message in r.general.said] == ["x"]


async def test_answers_can_be_late_for_any_method() -> None:
    async with rig() as r:
        r.slack.delay("*", 0.05, times=1)
        started = time.monotonic()
        await r.web.auth_test()
        assert time.monotonic() - started >= 0.05
        r.slack.delay("auth.test", 3600)
        r.slack.fail(times=None)
        r.slack.recover()
        await r.web.auth_test()


async def _ask(r: Rig, name: str, body: dict[str, Any] | None = None, status: int = 200) -> dict[str, Any]:
    address = f"{r.slack.origin}/_simulator/{name}"
    request = r.session.get(address) if body is None else r.session.post(address, json=body)
    async with request as answer:
        assert answer.status == status, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


async def test_people_without_python_talk_over_http() -> None:
    async with rig() as r:
        said = await _ask(r, "say", {"user": "ann", "channel": "general", "text": "hello @dragoman"})
        there = {"channel": "general", "ts": said["ts"]}
        await _ask(r, "react", {"user": "bob", "name": "wave", **there})
        await _ask(r, "edit", {"user": "ann", "text": "hello", **there})
        await _ask(r, "say", {"user": "bob", "channel": "#general", "text": "hi", "thread": said["ts"]})
        await _ask(r, "say", {"user": "ann", "channel": "@ann", "text": "only to you"})
        seen = (await _ask(r, "messages?channel=general"))["messages"]
        assert [(m["user"], m["text"], m["reactions"]) for m in seen] == [
            ("ann", "hello", {"wave": [r.bob.id]}),
            ("bob", "hi", {}),
        ]
        assert [message.text for message in r.ann.dm().messages] == ["only to you"]
        await _ask(r, "unreact", {"user": "bob", "name": "wave", **there})
        await _ask(r, "delete", {"user": "ann", **there})
        later = (await _ask(r, f"messages?channel=general&after={said['ts']}"))["messages"]
        assert [message["text"] for message in later] == ["hi"]


async def test_the_workspace_is_built_and_shown_over_http() -> None:
    async with rig() as r:
        await _ask(r, "channel", {"name": "small"})
        await _ask(r, "user", {"name": "cho", "locale": "ja-JP"})
        state = (await _ask(r, "state"))["workspaces"][0]
        assert state["apps"][0]["bot_token"] == r.app.bot_token
        assert {"general", "small"} <= state["channels"].keys()
        assert "cho" in state["users"]


async def test_slash_commands_and_new_profiles_come_over_http() -> None:
    async with rig() as r:
        bot = await r.connect()
        used = await _ask(r, "slash", {"user": "ann", "channel": "general", "text": "/roll 2d20"})
        await _ask(r, "change", {"user": "ann", "tz": "Asia/Tokyo"})
        await r.slack.until(lambda: len(bot.requests) == 2)
        command, changed = (request.payload for request in bot.requests)
        assert (command["text"], command["trigger_id"]) == ("2d20", used["trigger_id"])
        assert changed["event"]["user"]["tz"] == "Asia/Tokyo"
        assert (await _ask(r, "change", {"user": "ann", "id": "U2"}, status=400))["ok"] is False


async def test_mistakes_over_http_are_explained() -> None:
    async with rig() as r:
        answer = await _ask(r, "say", {"user": "eve", "channel": "general", "text": "x"}, status=400)
        assert answer == {"ok": False, "error": "nobody is called eve"}
        assert (await _ask(r, "say", {"user": "ann"}, status=400))["error"] == "missing: channel"
        assert (await _ask(r, "say", {"user": "ann", "channel": "nowhere"}, status=400))["ok"] is False
        assert (await _ask(r, "messages?channel=nowhere", status=400))["ok"] is False
        r.slack.workspace("globex")
        assert "which workspace" in (await _ask(r, "user", {"name": "x"}, status=400))["error"]


async def test_things_go_wrong_on_demand_over_http() -> None:
    async with rig() as r:
        bot = await r.connect()
        await _ask(r, "ratelimit", {"method": "auth.test", "retry_after": 1})
        with pytest.raises(SlackApiError, match="ratelimited"):
            await r.web.auth_test()
        await _ask(r, "fail", {"times": None})
        await _ask(r, "recover", {})
        await r.web.auth_test()
        assert (await _ask(r, "drop", {}))["dropped"] == 1
        await r.slack.connected()
        await _ask(r, "disconnect", {})
        await r.ann.say(r.general, "still there?")
        await r.slack.settled()
        assert "still there?" in [event["text"] for event in bot.events]


async def test_the_command_starts_a_workspace_and_says_how_to_use_it() -> None:
    adapters = Path(next(iter(dragoman_slack.__path__))).parent
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dragoman_slack.simulator", "--port", "0", "--bot", "robin"),
        env={"PYTHONPATH": str(adapters)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        text = ""
        while "Ctrl-C" not in text:
            line = await process.stdout.readline()
            assert line, text
            text += line.decode()
        settings = text.partition("dragoman.toml:")[2].partition("Workspace")[0]
        account = SlackSettings.model_validate(tomllib.loads(settings)["accounts"]["acme"])
        url, token = account.api_url, account.bot_token.get_secret_value()
        async with (
            aiohttp.ClientSession() as session,
            session.post(url + "auth.test", data={"token": token}) as said,
        ):
            assert (await said.json())["user"] == "robin"
    finally:
        process.terminate()
        await process.communicate()
