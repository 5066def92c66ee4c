"""The simulator for people with ``curl``, and its command line."""

import asyncio
import sys
import tomllib
from typing import Any

import aiohttp

from adapters.discord.spec_rig import Rig, rig
from dragoman_discord import DiscordSettings
from dragoman_discord.simulator import DiscordSimulator
from dragoman_discord.simulator.__main__ import sample


async def post(r: Rig, act: str, expect: int = 200, /, **body: Any) -> dict[str, Any]:
    async with r.session.post(f"{r.discord.origin}/_simulator/{act}", json=body) as response:
        assert response.status == expect, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


async def test_people_talk_reply_edit_react_and_delete_by_name() -> None:
    async with rig() as r:
        said = await post(r, "say", user="ann", channel="general", text="@dragoman hello")
        assert said["content"] == f"{r.app.user.mention} hello"
        replied = await post(r, "reply", user="bob", id=said["id"], text="me too")
        await post(r, "edit", user="bob", id=replied["id"], text="me three")
        await post(r, "react", user="ann", id=replied["id"], emoji="🎲")
        thread = await post(r, "thread", user="ann", id=said["id"], name="plans")
        await post(r, "say", user="ann", channel="@ann", text="psst")
        async with r.session.get(
            f"{r.discord.origin}/_simulator/messages?channel=%23general&after={said['id']}"
        ) as page:
            (seen,) = (await page.json())["messages"]
        assert (seen["user"], seen["content"], seen["reply_to"]) == ("bob", "me three", said["id"])
        assert seen["reactions"] == {"🎲": 1}
        assert thread["id"] == said["id"]
        assert [message.content for message in r.ann.dm().messages] == ["psst"]
        await post(r, "unreact", user="ann", id=replied["id"], emoji="🎲")
        await post(r, "delete", user="bob", id=replied["id"])
        assert len(r.general.messages) == 1


async def test_commands_are_used_and_time_passes() -> None:
    async with rig() as r:
        await r.call(f"PUT /applications/{r.app.id}/commands", [{"name": "roll", "description": "Roll"}])
        used = await post(r, "slash", user="ann", channel="general", command="roll")
        assert used["state"] == "waiting"
        await post(r, "advance", seconds=4)
        assert r.discord.interactions[used["id"]].state == "failed"


async def test_things_go_wrong_and_well_again() -> None:
    async with rig() as r:
        await post(r, "ratelimit", retry_after=2, times=None)
        assert (await r.call("GET /users/@me")).status == 429
        await post(r, "recover")
        await post(r, "fail", status=500)
        assert (await r.call("GET /users/@me")).status == 500
        wire = await r.wire()
        await wire.identify(r.app)
        await post(r, "reconnect")
        await wire.until(7)
        await post(r, "invalidate", resumable=True)
        assert await wire.until(9) is True
        assert await post(r, "close", code=4000) == {"ok": True, "closed": 1}
        assert await wire.code() == 4000
        assert (await post(r, "drop"))["dropped"] in (0, 1)


async def test_new_people_channels_and_guilds() -> None:
    async with rig() as r:
        await post(r, "guild", name="other")
        assert "which guild?" in (await post(r, "user", 400, name="cho"))["error"]
        await post(r, "user", guild="other", name="cho", global_name="Cho")
        await post(r, "channel", guild="other", name="talk")
        async with r.session.get(f"{r.discord.origin}/_simulator/state") as response:
            state = await response.json()
        assert state["api_url"] == r.discord.api_url
        assert state["applications"][0]["token"] == r.app.token
        assert sorted(state["guilds"][1]["users"]) == ["cho", "dragoman"]


async def test_mistakes_are_explained() -> None:
    async with rig() as r:
        assert (await post(r, "say", 400, user="zoe", channel="general", text="x"))["error"] == "nobody is called zoe"
        assert (await post(r, "say", 400, user="ann", channel="none", text="x"))["error"] == "there is no channel none"
        assert (await post(r, "say", 400, user="ann", channel="general"))["error"] == "missing: text"
        assert (await post(r, "edit", 400, user="ann", id="1", text="x"))["error"] == "there is no message 1"
        async with r.session.get(f"{r.discord.origin}/_simulator/messages") as response:
            assert response.status == 400


async def test_the_sample_has_the_same_token_every_time() -> None:
    async with DiscordSimulator() as discord:
        app = sample(discord, "dragoman")
        assert app.token == "simulated.dragoman.token"
        assert [guild.name for guild in app.guilds()] == ["acme"]


async def test_the_command_line_says_where_to_point_a_bot() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dragoman_discord.simulator", "--port", "0", "--token", "mine"),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        text = ""
        async with asyncio.timeout(30):
            while "Ctrl-C" not in text:
                text += (await process.stdout.readline()).decode()
        settings = text.partition("dragoman.toml:")[2].partition("The guild")[0]
        account = DiscordSettings.model_validate(tomllib.loads(settings)["accounts"]["guild"])
        assert account.cdn_url is not None
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bot {account.token.get_secret_value()}"}) as session,
            session.get(f"{account.api_url}/users/@me") as response,
        ):
            assert (await response.json())["username"] == "dragoman"
    finally:
        process.terminate()
        await process.wait()
