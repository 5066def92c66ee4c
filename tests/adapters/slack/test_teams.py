"""An app that is installed for a whole organisation."""

import pytest

from adapters.slack.adapter_rig import Rig, rig
from dragoman import DeliveryError
from dragoman_slack.simulator import Workspace


def organised(r: Rig) -> Workspace:
    """Make the app one of a whole organisation; its second workspace."""
    second = r.slack.workspace("second")
    r.acme.app.organisation = "E0SIM"
    r.acme.app.teams = [r.acme, second]
    return second


async def test_channels_and_groups_of_all_its_workspaces_are_found() -> None:
    async with rig(running=False) as r:
        second = organised(r)
        there = second.channel("there")
        second.channel("general")
        second.usergroup("ops").users.append(r.ann.id)
        r.acme.usergroup("dev", r.ann)
        assert "(E0SIM)" in await r.adapter.check()
        for name, id in (("#there", there.id), ("#general", r.general.id)):
            found = await r.adapter.look_up_channel(name, "E0SIM")
            assert found is not None
            assert (found.id, found.tenant) == (id, "E0SIM")
        assert await r.adapter._directory.groups.of(r.ann.id) == ["dev", "ops"]
        asked = [call.args.get("team_id") for call in r.slack.calls if call.method == "conversations.list"]
        assert asked == [r.acme.id, second.id]
        assert sum(call.method == "auth.teams.list" for call in r.slack.calls) == 1


async def test_all_pages_of_workspaces_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman_slack.teams.PAGE", 1)
    async with rig(running=False) as r:
        there = organised(r).channel("there")
        found = await r.adapter.look_up_channel("#there", "E0SIM")
        assert found is not None
        assert found.id == there.id
        assert sum(call.method == "auth.teams.list" for call in r.slack.calls) == 2


async def test_any_other_app_names_no_workspace() -> None:
    async with rig(running=False) as r:
        await r.adapter.look_up_channel("#general", r.acme.id)
        await r.adapter.look_up_person(r.ann.id, r.acme.id)
        assert not any("team_id" in call.args for call in r.slack.calls)
        assert "auth.teams.list" not in {call.method for call in r.slack.calls}


async def test_an_outage_is_an_error_that_may_pass() -> None:
    async with rig(running=False, settings={"max_retries": 0}) as r:
        organised(r)
        r.slack.fail("auth.teams.list")
        with pytest.raises(DeliveryError) as caught:
            await r.adapter.look_up_channel("#general", "E0SIM")
        assert caught.value.retry
        assert await r.adapter.look_up_channel("#general", "E0SIM") is not None
