"""Discord is told of slash commands only what it does not know."""

from typing import Any

import pytest

from dragoman import DeliveryError
from dragoman_discord.render import Call
from dragoman_discord.sync import Sync, same

ROLL: dict[str, Any] = {
    "name": "roll",
    "type": 1,
    "description": "Roll",
    "options": [
        {"name": "dice", "type": 3, "description": "Which", "required": True},
        {"name": "times", "type": 4, "description": "How often", "required": False, "min_value": 1, "max_value": 5},
    ],
}
HELP: dict[str, Any] = {"name": "help", "type": 1, "description": "Help"}
MENU: dict[str, Any] = {"id": "9", "name": "Report", "type": 3, "description": "", "application_id": "11"}


class Discord:
    """Keeps commands as Discord does, and the calls that it got."""

    def __init__(self, *commands: dict[str, Any]) -> None:
        self.commands = [self.given(command) for command in commands]
        self.calls: list[Call] = []
        self.refuse: DeliveryError | None = None

    def given(self, command: dict[str, Any]) -> dict[str, Any]:
        """As Discord gives it back: with what was not said, without what says nothing."""
        options = [
            {name: value for name, value in option.items() if (name, value) != ("required", False)}
            for option in command.get("options", [])
        ]
        more = {"id": "1", "application_id": "11", "version": "2", "name_localizations": None, "dm_permission": True}
        return {**more, **command, "options": options, "nsfw": False, "contexts": None}

    async def __call__(self, call: Call) -> Any:
        self.calls.append(call)
        if self.refuse is not None:
            raise self.refuse
        if call.method == "PUT":
            assert isinstance(call.body, list)
            self.commands = [self.given(command) for command in call.body]
        return self.commands

    @property
    def methods(self) -> list[str]:
        return [call.method for call in self.calls]


async def test_nothing_is_sent_when_nothing_changed() -> None:
    discord = Discord(HELP, ROLL)
    assert not await Sync("acme", discord, None).make("11", [ROLL, HELP])
    assert discord.methods == ["GET"]


async def test_what_changed_is_sent_once() -> None:
    discord = Discord(ROLL)
    sync = Sync("acme", discord, None)
    assert await sync.make("11", [ROLL, HELP])
    assert not await sync.make("11", [ROLL, HELP])
    assert discord.methods == ["GET", "PUT"]
    assert discord.calls[1].shown()["path"] == "/applications/11/commands"
    assert not await Sync("acme", discord, None).make("11", [HELP, ROLL])


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Throw"},
        {"options": []},
        {"options": ROLL["options"][::-1]},
        {"options": [{**ROLL["options"][0], "required": False}, ROLL["options"][1]]},
        {"options": [ROLL["options"][0], {**ROLL["options"][1], "max_value": 6}]},
        {"options": [{**ROLL["options"][0], "choices": [{"name": "a", "value": "a"}]}, ROLL["options"][1]]},
    ],
)
def test_every_difference_counts(change: dict[str, Any]) -> None:
    assert same([ROLL, HELP], [HELP, ROLL])
    assert not same([ROLL, HELP], [{**ROLL, **change}, HELP])


async def test_what_is_no_slash_command_stays() -> None:
    discord = Discord(ROLL, MENU)
    assert await Sync("acme", discord, None).make("11", [HELP])
    assert [command["name"] for command in discord.commands] == ["Report", "help"]
    assert "application_id" not in discord.calls[1].body[0]  # type: ignore[index]


async def test_for_one_guild_only_that_one_is_told() -> None:
    discord = Discord()
    await Sync("acme", discord, "100").make("11", [HELP])
    assert {call.shown()["path"] for call in discord.calls} == {"/applications/11/guilds/100/commands"}


async def test_after_a_refusal_it_is_tried_again() -> None:
    discord = Discord()
    sync = Sync("acme", discord, None)
    discord.refuse = DeliveryError("busy", code="503", retry=True)
    with pytest.raises(DeliveryError):
        await sync.make("11", [HELP])
    discord.refuse = None
    assert await sync.make("11", [HELP])
