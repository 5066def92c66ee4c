"""Answers to slash commands: in time, later, too late, seen by all or by one."""

from typing import Any

import pytest

from adapters.discord.spec_rig import Answered, Rig, rig
from dragoman_discord.simulator import Interaction


async def used(r: Rig) -> Interaction:
    await r.call(f"PUT /applications/{r.app.id}/commands", [{"name": "roll", "description": "Roll"}])
    return await r.ann.slash(r.general, "roll")


async def respond(r: Rig, interaction: Interaction, kind: int, query: str = "", **data: Any) -> Answered:
    body = {"type": kind, **({"data": data} if data else {})}
    return await r.call(f"POST /interactions/{interaction.id}/{interaction.token}/callback{query}", body, token="")


def state(interaction: Interaction) -> str:
    return interaction.state


def hook(interaction: Interaction, rest: str = "") -> str:
    return f"/webhooks/{interaction.app.id}/{interaction.token}{rest}"


async def test_the_session_is_told_who_used_what_where() -> None:
    async with rig() as r:
        wire = await r.wire()
        # It needs no intent.
        await wire.identify(r.app, 0)
        interaction = await used(r)
        told = await wire.until("INTERACTION_CREATE")
        assert (told["id"], told["token"], told["type"]) == (interaction.id, interaction.token, 2)
        assert (told["member"]["user"]["id"], told["guild_id"], told["channel_id"]) == (
            r.ann.id,
            r.acme.id,
            r.general.id,
        )
        assert told["locale"] == "en-US"
        assert interaction.told
        await r.ann.slash(r.ann.dm(), "roll")
        told = await wire.until("INTERACTION_CREATE")
        assert (told["user"]["id"], told["context"], "member" in told) == (r.ann.id, 1, False)


async def test_a_response_is_a_message_of_the_channel() -> None:
    async with rig() as r:
        interaction = await used(r)
        assert state(interaction) == "waiting"
        assert (await respond(r, interaction, 4, content="6")).status == 204
        message = await interaction.reply()
        assert (message.content, message.type, message.channel) == ("6", 20, r.general)
        assert state(interaction) == "answered"
        assert r.discord.said() == [message]
        shown = (await r.call(f"GET /channels/{r.general.id}/messages/{message.id}")).body
        assert shown["interaction_metadata"]["id"] == interaction.id
        assert (shown["application_id"], shown["webhook_id"]) == (r.app.id, r.app.id)


async def test_with_response_the_message_is_answered() -> None:
    async with rig() as r:
        interaction = await used(r)
        answer = (await respond(r, interaction, 4, "?with_response=true", content="6")).body
        assert answer["resource"]["message"]["content"] == "6"
        assert answer["interaction"]["response_message_id"] == answer["resource"]["message"]["id"]
        thinking = await respond(r, await used(r), 5, "?with_response=true")
        assert thinking.body["interaction"]["response_message_loading"] is True


async def test_thinking_is_followed_by_an_edit_or_the_first_follow_up() -> None:
    async with rig() as r:
        wire = await r.wire()
        await wire.identify(r.app)
        for call in ("PATCH", "POST"):
            interaction = await used(r)
            await respond(r, interaction, 5)
            assert state(interaction) == "thinking"
            assert (await wire.until("MESSAGE_CREATE"))["flags"] == 128
            assert interaction.said == []
            where = "/messages/@original" if call == "PATCH" else "?wait=true"
            done = await r.call(f"{call} {hook(interaction, where)}", {"content": "done"}, token="")
            assert (done.status, done.body["flags"]) == (200, 0)
            assert (await wire.until("MESSAGE_UPDATE"))["content"] == "done"
            assert [message.content for message in interaction.said] == ["done"]
            assert state(interaction) == "answered"


async def test_follow_ups_are_posted_read_edited_and_deleted() -> None:
    async with rig() as r:
        interaction = await used(r)
        await respond(r, interaction, 4, content="first")
        assert (await r.call(f"GET {hook(interaction, '/messages/@original')}", token="")).body["content"] == "first"
        more = (await r.call(f"POST {hook(interaction)}", {"content": "second"}, token="")).body
        assert more["message_reference"]["message_id"] == interaction.messages[0].id
        one = f"/messages/{more['id']}"
        assert (await r.call(f"PATCH {hook(interaction, one)}", {"content": "2nd"}, token="")).body["content"] == "2nd"
        assert (await r.call(f"GET {hook(interaction, one)}", token="")).body["content"] == "2nd"
        assert (await r.call(f"DELETE {hook(interaction, one)}", token="")).status == 204
        assert (await r.call(f"GET {hook(interaction, one)}", token="")).code == 10008
        assert (await r.call(f"DELETE {hook(interaction, '/messages/@original')}", token="")).status == 204
        assert interaction.said == []


async def test_an_ephemeral_answer_is_seen_by_one_only() -> None:
    async with rig() as r:
        wire = await r.wire()
        await wire.identify(r.app)
        interaction = await used(r)
        await respond(r, interaction, 4, content="psst", flags=64)
        (message,) = interaction.said
        assert message.seen_by is r.ann
        assert r.general.messages == []
        assert r.discord.said() == [message]
        assert (await r.call(f"GET /channels/{r.general.id}/messages/{message.id}")).code == 10008
        edited = await r.call(f"PATCH {hook(interaction, '/messages/@original')}", {"content": "pst"}, token="")
        assert edited.body["flags"] == 64
        await r.ann.say(r.general, "next")
        assert (await wire.until("MESSAGE_CREATE"))["content"] == "next"


async def test_it_is_answered_once_and_in_time() -> None:
    async with rig() as r:
        interaction = await used(r)
        await respond(r, interaction, 4, content="6")
        assert (await respond(r, interaction, 4, content="6")).code == 40060
        late = await used(r)
        r.discord.advance(3.1)
        assert state(late) == "failed"
        assert (await respond(r, late, 4, content="6")).code == 10062
        assert (await r.call(f"POST {hook(late)}", {"content": "x"}, token="")).code == 10015
        assert (await r.call(f"PATCH {hook(late, '/messages/@original')}", {"content": "x"}, token="")).code == 10015


async def test_the_time_for_a_response_is_a_setting() -> None:
    async with rig(response_limit=60.0) as r:
        interaction = await used(r)
        r.discord.advance(59)
        assert (await respond(r, interaction, 5)).status == 204


async def test_its_token_ends_after_a_quarter_of_an_hour() -> None:
    async with rig() as r:
        interaction = await used(r)
        await respond(r, interaction, 5)
        r.discord.advance(899)
        assert (await r.call(f"POST {hook(interaction)}", {"content": "x"}, token="")).status == 200
        r.discord.advance(2)
        for call in (f"POST {hook(interaction)}", f"PATCH {hook(interaction, '/messages/@original')}"):
            answer = await r.call(call, {"content": "x"}, token="")
            assert (answer.status, answer.code) == (401, 50027)


async def test_what_no_answer_may_be() -> None:
    async with rig() as r:
        interaction = await used(r)
        assert (await respond(r, interaction, 4)).code == 50006
        assert (await respond(r, interaction, 4, content="x" * 2001)).body["errors"]["data"]["content"]["_errors"]
        assert (await respond(r, interaction, 8)).code == 50035
        assert (await respond(r, interaction, 99)).code == 50035
        wrong = f"POST /interactions/{interaction.id}/token/callback"
        assert (await r.call(wrong, {"type": 5}, token="")).code == 10062
        assert (await r.call("POST /webhooks/1/token", {"content": "x"}, token="")).code == 10015
        assert (await r.call(f"POST /webhooks/{r.app.id}/token", {"content": "x"}, token="")).code == 50027
        assert state(interaction) == "waiting"


async def test_nobody_is_told_of_a_command_while_the_app_is_away() -> None:
    async with rig() as r:
        interaction = await used(r)
        assert not interaction.told


async def test_completions_are_asked_for_while_somebody_types() -> None:
    async with rig() as r:
        wire = await r.wire()
        await wire.identify(r.app)
        option = {"type": 3, "name": "dice", "description": "Dice", "required": True, "autocomplete": True}
        other = {"type": 3, "name": "how", "description": "How"}
        command = {"name": "roll", "description": "Roll", "options": [option, other]}
        await r.call(f"PUT /applications/{r.app.id}/commands", [command])
        typing = await r.ann.complete(r.general, "roll", "dice", "2d")
        told = await wire.until("INTERACTION_CREATE")
        assert told["type"] == 4
        assert told["data"]["options"] == [{"name": "dice", "type": 3, "value": "2d", "focused": True}]
        assert (await respond(r, typing, 4, content="no")).code == 50035
        assert (await respond(r, typing, 8, choices=[{"name": "x"}] * 26)).code == 50035
        assert (await respond(r, typing, 8, choices=[{"name": "", "value": "x"}])).code == 50035
        choices = [{"name": "Two dice", "value": "2d6"}]
        assert (await respond(r, typing, 8, choices=choices)).status == 204
        assert await typing.completions() == choices
        assert r.discord.said() == []
        with pytest.raises(ValueError, match="'how' has no completions"):
            await r.ann.complete(r.general, "roll", "how", "x")
        late = await r.ann.complete(r.general, "roll", "dice", "2d")
        r.discord.advance(3.1)
        assert (await respond(r, late, 8, choices=[])).code == 10062
        with pytest.raises(TimeoutError, match="completions"):
            await late.completions(timeout=0.01)
