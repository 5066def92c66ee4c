"""What is asked of Discord is as its OpenAPI document says (https://github.com/discord/discord-api-spec)."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from adapters.discord import payloads as p
from adapters.discord.scripted_rig import HERE, send
from adapters.discord.test_interactions import KEY, NEVER, Clock, Discord
from dragoman import Content, Delete, Edit, React, Target, Typing, action_key
from dragoman_discord.interactions import Interactions
from dragoman_discord.render import Call, calls, lookup, start_thread

EVENT = f"discord/message/acme/{p.GUILD}/{p.GENERAL}/{p.SNOWFLAKE}"
LINKS = "[@a](dragoman:user/1) [@b](dragoman:group/2) [@here](dragoman:everyone/here)"
#: What paths are called there.
NAMES = {"{webhook_id}": "{interaction_id}", "{webhook_token}": "{interaction_token}", "{emoji}": "{emoji_name}"}


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    found = Path(os.environ.get("DRAGOMAN_API_SPECS", "")) / "discord-openapi.json"
    if not found.is_file():
        pytest.skip("DRAGOMAN_API_SPECS does not name the folder with the published specifications")
    loaded: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    return loaded


def check(spec: dict[str, Any], call: Call) -> None:
    path = call.path
    if path.startswith("/interactions") or "{emoji}" in path:
        for ours, theirs in NAMES.items():
            path = path.replace(ours, theirs)
    operation = spec["paths"][path][call.method.lower()]
    parameters = {each["name"] for each in operation.get("parameters", [])}
    assert call.query.keys() <= parameters
    if call.body is None:
        assert not operation.get("requestBody", {}).get("required")
        return
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": spec["components"]}).validate(call.body)


@pytest.mark.parametrize(
    "action",
    [
        send(LINKS, key=action_key(EVENT, "x.y", 0)),
        send("word " * 900),
        Edit(key="k", address=HERE, target=Target(id="7"), content=Content(text="word " * 900)),
        Edit(key="k", address=HERE, target=Target(id="7"), content=Content()),
        Delete(key="k", address=HERE, target=Target(id="7")),
        React(key="k", address=HERE, target=Target(id="7"), emoji="wave"),
        React(key="k", address=HERE, target=Target(id="7"), emoji="wave", remove=True),
        Typing(key="k", address=HERE),
    ],
    ids=lambda action: action.kind,
)
def test_actions(spec: dict[str, Any], action: Any) -> None:
    for call in calls(action):
        check(spec, call)


def test_looking_and_starting_threads(spec: dict[str, Any]) -> None:
    check(spec, lookup(send(), after="5"))
    check(spec, start_thread(send(address=HERE.in_thread("7"))))


async def test_answers_to_interactions(spec: dict[str, Any]) -> None:
    [call] = calls(send(LINKS))
    assert isinstance(call.body, dict)
    discord = Discord()
    discord.resource = None
    interactions = Interactions(discord, NEVER, clock=Clock())
    interactions.begin(KEY, p.interaction(), p.APP)
    interactions.begin(f"{KEY}5", p.interaction(), p.APP)
    first, second = interactions.find(KEY, p.GENERAL), interactions.find(f"{KEY}5", p.GENERAL)
    assert first is not None
    assert second is not None
    await interactions.say(first, call.body)
    await interactions.say(first, call.body)
    await interactions.defer(second)
    await interactions.say(second, call.body)
    assert len(discord.calls) == 5
    for each in discord.calls:
        check(spec, each)
    await interactions.close()
