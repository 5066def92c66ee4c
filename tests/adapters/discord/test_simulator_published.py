"""The simulator is held to Discord's published document; `spec_rig` does so with all calls of the other tests."""

from typing import Any

import pytest

from adapters.discord import spec_published
from adapters.discord.spec_published import Published
from adapters.discord.spec_rig import rig
from dragoman_discord.simulator import Said
from dragoman_discord.simulator.api import METHODS


@pytest.fixture
def published() -> Published:
    return spec_published.required()


def test_every_method_is_published(published: Published) -> None:
    assert {method.route for method in METHODS} <= published.routes
    for method in METHODS:
        security = published.operation(method.route).get("security", [])
        assert ({} in security) == method.open, method.route


def test_the_document_finds_what_is_wrong_with_a_call(published: Published) -> None:
    route = "POST /channels/{channel_id}/messages"
    ratelimit = dict.fromkeys(published.document["components"]["headers"], "1")
    good: dict[str, Any] = {"code": 50006, "message": "Cannot send an empty message"}
    assert published.problems(Said(route, 0, status=400, answer=good)) == []
    wrong = (
        Said(route, 0, status=400, answer={"message": "no code"}),
        Said(route, 0, status=200, answer={"id": 5}, performed=True, headers=ratelimit),
        Said(route, 0, status=204, performed=True, headers=ratelimit),
        Said(route, 0, body={"content": 5}, performed=True),
        Said(route, 0, body={"text": "hello"}, performed=True),
        Said(route, 0, query={"wait": "true"}, performed=True),
        Said("GET /gateway/bot", 0, status=200, answer={}, performed=True, headers=ratelimit),
        Said("GET /users/@me", 0, body={}, performed=True),
        Said("GET /nothing", 0, status=200),
    )
    for call in wrong:
        assert published.problems(call), call


async def test_what_the_gateway_tells_is_as_the_api_answers_it(published: Published) -> None:
    async with rig() as r:
        wire = await r.wire()
        r.acme.role("crew", r.ann)
        r.acme.custom_emoji("blob")
        await wire.identify(r.app)
        guild = await wire.until("GUILD_CREATE")
        for name, schema in (
            ("roles", "GuildRoleResponse"),
            ("emojis", "EmojiResponse"),
            ("members", "GuildMemberResponse"),
            ("channels", "GuildChannelResponse"),
        ):
            assert guild[name]
            assert [problem for each in guild[name] for problem in published.errors(schema, each)] == []
        said = await r.ann.upload(r.general, name="a.txt", content=b"a", text="@bob :blob: see")
        await r.bob.reply(said, "I see")
        await r.ann.edit(said, "@bob look")
        thread = await r.ann.start_thread(said, "more")
        await r.bob.react(said, "🎲")
        for event in ("MESSAGE_CREATE", "MESSAGE_CREATE", "MESSAGE_UPDATE"):
            assert published.errors("MessageResponse", _message(await wire.until(event))) == []
        shown = await wire.until("THREAD_CREATE")
        assert shown.pop("newly_created") is True
        assert shown["id"] == thread.id
        assert published.errors("ThreadResponse", shown) == []
        member = (await wire.until("MESSAGE_REACTION_ADD"))["member"]
        assert published.errors("GuildMemberResponse", member) == []


def _message(data: dict[str, Any]) -> dict[str, Any]:
    """Without what only the gateway has: https://docs.discord.com/developers/events/gateway-events#message-create"""
    assert data["guild_id"]
    assert data["member"]["joined_at"]
    assert data["channel_type"] == 0
    assert all(user["member"] for user in data["mentions"])
    for user in data["mentions"]:
        del user["member"]
    return {name: value for name, value in data.items() if name not in ("guild_id", "member", "channel_type")}
