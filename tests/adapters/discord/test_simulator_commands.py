"""Application commands over REST, and what people may put into them."""

from typing import Any

import pytest

from adapters.discord.spec_rig import Rig, rig

ROLL: dict[str, Any] = {
    "name": "roll",
    "description": "Roll dice",
    "options": [
        {"type": 3, "name": "dice", "description": "Such as 2d20", "required": True, "max_length": 10},
        {"type": 4, "name": "times", "description": "How often", "min_value": 1, "max_value": 20},
        {"type": 3, "name": "how", "description": "How", "choices": [{"name": "Fair", "value": "fair"}]},
        {"type": 5, "name": "quiet", "description": "Quietly"},
        {"type": 6, "name": "who", "description": "For whom"},
        {"type": 7, "name": "where", "description": "Where"},
        {"type": 8, "name": "crew", "description": "For which role"},
        {"type": 10, "name": "luck", "description": "Luck", "max_value": 1.0},
        {"type": 11, "name": "file", "description": "A file"},
    ],
}
DEPLOY: dict[str, Any] = {
    "name": "deploy",
    "description": "Deploy",
    "options": [
        {
            "type": 1,
            "name": "start",
            "description": "Start",
            "options": [{"type": 3, "name": "what", "description": "What"}],
        }
    ],
}


def path(r: Rig, guild: bool = False) -> str:
    return f"/applications/{r.app.id}{f'/guilds/{r.acme.id}' if guild else ''}/commands"


@pytest.mark.parametrize("guild", [False, True])
async def test_commands_are_made_listed_changed_and_deleted(guild: bool) -> None:
    async with rig() as r:
        here = path(r, guild)
        made = await r.call(f"POST {here}", ROLL)
        assert made.status == 201
        assert made.body["options"] == ROLL["options"]
        assert ("guild_id" in made.body) is guild
        again = await r.call(f"POST {here}", ROLL)
        assert (again.status, again.body) == (200, made.body)
        changed = await r.call(f"PATCH {here}/{made.body['id']}", {"description": "Throw dice"})
        assert changed.body["description"] == "Throw dice"
        assert changed.body["version"] != made.body["version"]
        listed = (await r.call(f"GET {here}")).body
        assert [command["id"] for command in listed] == [made.body["id"]]
        assert "name_localizations" not in listed[0]
        assert (await r.call(f"GET {here}?with_localizations=true")).body[0]["name_localizations"] is None
        assert (await r.call(f"GET {here}/{made.body['id']}")).body == changed.body
        assert (await r.call(f"GET {path(r, not guild)}")).body == []
        assert (await r.call(f"DELETE {here}/{made.body['id']}")).status == 204
        assert (await r.call(f"DELETE {here}/{made.body['id']}")).code == 10063


async def test_all_are_overwritten_at_once_and_what_stays_keeps_its_id() -> None:
    async with rig() as r:
        first = (await r.call(f"PUT {path(r)}", [ROLL, DEPLOY])).body
        second = (await r.call(f"PUT {path(r)}", [DEPLOY, {"name": "Look up", "type": 3}])).body
        assert [command["name"] for command in second] == ["deploy", "Look up"]
        assert second[0] == first[1]
        assert (await r.call(f"PUT {path(r)}", [])).body == []
        assert (await r.call(f"PUT /applications/{r.ann.id}/commands", [])).code == 10002


def option(**changes: Any) -> dict[str, Any]:
    return {"name": "x", "description": "x", "options": [{"type": 3, "name": "o", "description": "o", **changes}]}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"description": "x"}, "name"),
        ({"name": "Roll", "description": "x"}, "name"),
        ({"name": "roll it", "description": "x"}, "name"),
        ({"name": "x" * 33, "description": "x"}, "name"),
        ({"name": "x"}, "description"),
        ({"name": "x", "description": "x" * 101}, "description"),
        ({"name": "x", "type": 9}, "type"),
        ({"name": "x", "description": "no", "type": 2}, "description"),
        (option(type=12), "options.0.type"),
        (option(name="O"), "options.0.name"),
        (option(description=""), "options.0.description"),
        (option(min_value=1), "options.0.min_value"),
        (option(max_length=6001), "options.0.max_length"),
        (option(choices=[{"name": "a", "value": 1}]), "options.0.choices.0.value"),
        (option(choices=[{"name": "", "value": "a"}]), "options.0.choices.0.name"),
        (option(choices=[{"name": "a", "value": "a"}] * 26), "options.0.choices"),
        (option(choices=[{"name": "a", "value": "a"}], autocomplete=True), "options.0.choices"),
        ({**ROLL, "options": [ROLL["options"][0]] * 2}, "options"),
        ({**ROLL, "options": [ROLL["options"][1], ROLL["options"][0]]}, "options"),
        ({**ROLL, "options": [{"type": 3, "name": f"o{n}", "description": "o"} for n in range(26)]}, "options"),
        (option(type=1, options=[{"type": 1, "name": "y", "description": "y"}]), "options.0.options.0.type"),
    ],
)
async def test_a_command_that_is_wrong_is_refused_where_it_is(body: dict[str, Any], where: str) -> None:
    async with rig() as r:
        for answer, tree in (
            ((await r.call(f"POST {path(r)}", body)), []),
            ((await r.call(f"PUT {path(r)}", [ROLL, body])), ["1"]),
        ):
            assert answer.code == 50035
            node = answer.body["errors"]
            for part in [*tree, *where.split(".")]:
                node = node[part]
            assert node["_errors"]
        assert r.app.commands == {}


async def test_names_must_differ_and_there_are_not_more_than_a_hundred() -> None:
    async with rig() as r:
        twice = await r.call(f"PUT {path(r)}", [ROLL, ROLL])
        assert twice.body["errors"]["1"]["_errors"][0]["code"] == "APPLICATION_COMMANDS_DUPLICATE_NAME"
        many = [{"name": f"c{number}", "description": "x"} for number in range(101)]
        assert (await r.call(f"PUT {path(r)}", many)).code == 30032
        assert len((await r.call(f"PUT {path(r)}", many[:100])).body) == 100
        assert (await r.call(f"POST {path(r)}", many[100])).code == 30032


async def test_options_go_with_their_types_and_what_they_name() -> None:
    async with rig() as r:
        await r.call(f"PUT {path(r)}", [ROLL, DEPLOY])
        crew = r.acme.role("crew")
        file = r.discord.attach(r.general, "a.txt", b"a")
        used = await r.ann.slash(
            r.general,
            "roll",
            dice="2d6",
            times=3,
            how="Fair",
            quiet=True,
            who=r.bob,
            where=r.general,
            crew=crew,
            luck=0.5,
            file=file,
        )
        data = used.payload()["data"]
        assert {each["name"]: each["value"] for each in data["options"]} == {
            "dice": "2d6",
            "times": 3,
            "how": "fair",
            "quiet": True,
            "who": r.bob.id,
            "where": r.general.id,
            "crew": crew.id,
            "luck": 0.5,
            "file": file.id,
        }
        resolved = data["resolved"]
        assert {name: list(found) for name, found in resolved.items()} == {
            "users": [r.bob.id],
            "members": [r.bob.id],
            "channels": [r.general.id],
            "roles": [crew.id],
            "attachments": [file.id],
        }
        nested = (await r.ann.slash(r.general, "deploy start", what="all")).payload()["data"]["options"]
        assert nested == [{"name": "start", "type": 1, "options": [{"name": "what", "type": 3, "value": "all"}]}]


@pytest.mark.parametrize(
    ("command", "options", "why"),
    [
        ("roll", {}, "'dice' is required"),
        ("roll", {"dice": 6}, "takes no int"),
        ("roll", {"dice": "x" * 11}, "0 to 10 characters"),
        ("roll", {"dice": "d6", "times": 21}, "from 1 to 20"),
        ("roll", {"dice": "d6", "times": True}, "takes no bool"),
        ("roll", {"dice": "d6", "how": "foul"}, "one of Fair"),
        ("roll", {"dice": "d6", "color": "red"}, "no option 'color'"),
        ("deploy", {}, "needs one of start"),
        ("deploy stop", {}, "has no 'stop'"),
        ("unknown", {}, "nobody offers /unknown"),
    ],
)
async def test_discords_client_would_not_send_it(command: str, options: dict[str, Any], why: str) -> None:
    async with rig() as r:
        await r.call(f"PUT {path(r)}", [ROLL, DEPLOY])
        with pytest.raises(ValueError, match=why):
            await r.ann.slash(r.general, command, **options)


async def test_a_guilds_own_command_goes_before_the_global_one() -> None:
    async with rig() as r:
        await r.call(f"PUT {path(r)}", [ROLL, {"name": "here", "description": "x", "contexts": [0]}])
        own = (await r.call(f"PUT {path(r, True)}", [{**ROLL, "description": "here"}])).body[0]
        assert (await r.ann.slash(r.general, "roll", dice="d6")).command.id == own["id"]
        assert (await r.ann.slash(r.ann.dm(), "roll", dice="d6")).command.id != own["id"]
        with pytest.raises(ValueError, match="nobody offers /here"):
            await r.ann.slash(r.ann.dm(), "here")
        r.general.deny(r.acme.id, "USE_APPLICATION_COMMANDS")
        with pytest.raises(ValueError, match="has no USE_APPLICATION_COMMANDS"):
            await r.bob.slash(r.general, "roll", dice="d6")
