"""Answers to slash commands, within Discord's deadlines."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.discord import payloads as p
from dragoman import DeliveryError
from dragoman_discord.interactions import VALID, Interaction, Interactions, _left
from dragoman_discord.render import Call

KEY = "discord/slash/acme/100/200/5"
BODY = {"content": "hi", "allowed_mentions": {"parse": []}, "nonce": "n", "enforce_nonce": True}
NEVER = 1e6


class Discord:
    """Answers calls, and remembers them as ``METHOD last/part``."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.refusals: list[str] = []
        self.held: asyncio.Event | None = None
        self.called = asyncio.Event()
        self.resource: dict[str, Any] | None = {"message": {"id": "1"}}
        self.original: dict[str, Any] = {}

    async def __call__(self, call: Call) -> Any:
        self.calls.append(call)
        self.called.set()
        if self.held is not None:
            await self.held.wait()
        if self.refusals and (code := self.refusals.pop(0)):
            raise DeliveryError(code, code=code)
        if call.path.endswith("/callback"):
            return {"interaction": {}, "resource": self.resource} if call.query else ""
        return {"id": str(len(self.calls)), **(self.original if call.method == "GET" else {})}

    def said(self) -> list[tuple[str, object]]:
        """What was called, and with which type or content."""
        found = []
        for call in self.calls:
            body = call.body if isinstance(call.body, dict) else {}
            found.append((f"{call.method} {call.path.rpartition('/')[2]}", body.get("type", body.get("content"))))
        return found


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def begun(discord: Discord, patience: float = NEVER, clock: Clock | None = None) -> tuple[Interactions, Interaction]:
    interactions = Interactions(discord, patience, clock=clock or Clock())
    interactions.begin(KEY, p.interaction(), p.APP)
    found = interactions.find(KEY, p.GENERAL)
    assert found is not None
    return interactions, found


async def test_the_first_thing_said_is_the_response() -> None:
    discord = Discord()
    interactions, interaction = begun(discord)
    assert await interactions.say(interaction, BODY) == "1"
    assert discord.said() == [("POST callback", 4)]
    assert discord.calls[0].shown() == {
        "method": "POST",
        "path": f"/interactions/{p.SNOWFLAKE}/a-token/callback",
        "query": {"with_response": "true"},
        "json": {"type": 4, "data": {"content": "hi", "allowed_mentions": {"parse": []}}},
    }
    await interactions.close()


async def test_what_follows_is_a_follow_up() -> None:
    discord = Discord()
    interactions, interaction = begun(discord)
    await interactions.say(interaction, BODY)
    assert await interactions.say(interaction, BODY) == "2"
    assert discord.calls[1].shown()["path"] == f"/webhooks/{p.APP}/a-token"
    assert discord.calls[1].query == {"wait": "true"}
    await interactions.close()


async def test_after_its_patience_discord_is_told_to_wait_and_the_answer_edits_that() -> None:
    discord = Discord()
    interactions, interaction = begun(discord, patience=0.0)
    await asyncio.wait_for(discord.called.wait(), 5)
    assert await interactions.say(interaction, BODY) == "2"
    await interactions.say(interaction, BODY)
    assert discord.said() == [("POST callback", 5), ("PATCH @original", "hi"), ("POST {webhook_token}", "hi")]
    await interactions.close()


async def test_who_has_answered_is_not_told_to_wait() -> None:
    discord = Discord()
    interactions, interaction = begun(discord)
    await interactions.say(interaction, BODY)
    await interactions.defer(interaction)
    assert discord.said() == [("POST callback", 4)]
    await interactions.close()


async def test_an_answer_waits_for_the_deferral_that_is_under_way() -> None:
    discord = Discord()
    discord.held = asyncio.Event()
    interactions, interaction = begun(discord, patience=0.0)
    await asyncio.wait_for(discord.called.wait(), 5)
    answer = asyncio.create_task(interactions.say(interaction, BODY))
    await asyncio.sleep(0)
    assert len(discord.calls) == 1
    discord.held.set()
    await answer
    assert discord.said() == [("POST callback", 5), ("PATCH @original", "hi")]
    await interactions.close()


async def test_after_fifteen_minutes_it_is_said_in_the_channel() -> None:
    discord, clock = Discord(), Clock()
    interactions, _ = begun(discord, clock=clock)
    clock.now = VALID - 1
    assert interactions.find(KEY, p.GENERAL) is not None
    clock.now = VALID
    assert interactions.find(KEY, p.GENERAL) is None
    await interactions.close()


async def test_only_what_is_said_where_it_was_used_is_its_answer() -> None:
    interactions, _ = begun(Discord())
    assert interactions.find(KEY, "201") is None
    assert interactions.find("discord/slash/acme/100/200/6", p.GENERAL) is None
    await interactions.close()


@pytest.mark.parametrize("code", ["10062", "10015", "50027"])
async def test_if_discord_does_not_know_it_any_more_it_is_said_in_the_channel(code: str) -> None:
    discord = Discord()
    discord.refusals = [code]
    interactions, interaction = begun(discord)
    assert await interactions.say(interaction, BODY) is None
    assert interactions.find(KEY, p.GENERAL) is None
    assert await interactions.say(interaction, BODY) is None
    assert len(discord.calls) == 1
    await interactions.close()


async def test_a_response_of_which_we_did_not_hear_is_the_answer() -> None:
    discord = Discord()
    discord.original = {"content": "hi ", "flags": 0}
    discord.refusals = ["40060"]
    interactions, interaction = begun(discord)
    assert await interactions.say(interaction, BODY) == "2"
    assert discord.said() == [("POST callback", 4), ("GET @original", None)]
    await interactions.close()


async def test_a_response_without_a_message_is_asked_for_it() -> None:
    discord = Discord()
    discord.resource = None
    interactions, interaction = begun(discord)
    assert await interactions.say(interaction, BODY) == "2"
    assert discord.said()[1] == ("GET @original", None)
    await interactions.close()


async def test_other_refusals_are_the_callers_to_see() -> None:
    discord = Discord()
    discord.refusals = ["50035"]
    interactions, interaction = begun(discord)
    with pytest.raises(DeliveryError):
        await interactions.say(interaction, BODY)
    assert await interactions.say(interaction, BODY) == "1"
    await interactions.close()


async def test_a_deferral_that_is_refused_is_no_end() -> None:
    discord = Discord()
    discord.refusals = ["10062"]
    interactions, interaction = begun(discord)
    await interactions.defer(interaction)
    assert await interactions.say(interaction, BODY) is None
    await interactions.close()


async def test_the_same_interaction_again_changes_nothing() -> None:
    interactions, interaction = begun(Discord())
    interactions.begin(KEY, p.interaction(token="other"), p.APP)
    assert interactions.find(KEY, p.GENERAL) is interaction
    await interactions.close()


@pytest.mark.parametrize(
    ("age", "left"),
    [(0.0, 1.5), (1.0, 0.5), (2.9, 0.0), (3.1, 1.5), (-5.0, 1.5)],
    ids=["just now", "a second ago", "to another process", "by another clock", "in the future"],
)
def test_an_interaction_that_came_before_has_less_patience_left(
    age: float, left: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dragoman_discord.interactions.time", SimpleNamespace(time=lambda: p.AT + age))
    found = _left(Interaction(p.SNOWFLAKE, "t", p.APP, p.GENERAL, 0.0), 1.5)
    assert found == pytest.approx(left, abs=0.001)
