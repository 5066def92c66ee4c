"""User groups are roles: who leaves one loses it at once."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.adapter_rig import Rig, rig
from dragoman import PersonChanged
from dragoman_slack.api import Api
from dragoman_slack.groups import Groups
from dragoman_slack.payload import PayloadError
from dragoman_slack.settings import SlackSettings
from dragoman_slack.teams import Teams


def roles(r: Rig) -> dict[str, tuple[str, ...]]:
    """What the latest event says of each person."""
    found: dict[str, tuple[str, ...]] = {}
    for event in r.events:
        assert isinstance(event, PersonChanged)
        assert event.person is not None
        found[event.person.id] = event.person.roles
    return found


async def test_whoever_leaves_a_group_loses_the_role_and_whoever_joins_gets_it() -> None:
    async with rig() as r:
        bob, cho = r.acme.user("bob"), r.acme.user("cho")
        ops = r.acme.usergroup("ops", r.ann, cho)
        known = await r.adapter.look_up_person(r.ann.id, r.acme.id)
        assert known is not None
        assert known.roles == ("member", "ops")
        ops.change(users=[bob, cho])
        await r.slack.settled()
        assert roles(r) == {r.ann.id: ("member",), bob.id: ("member", "ops")}


@pytest.mark.parametrize("how", [{"disabled": True}, {"handle": "admins"}])
async def test_a_group_that_is_disabled_or_renamed_concerns_everybody_in_it(how: dict[str, Any]) -> None:
    async with rig() as r:
        bob = r.acme.user("bob")
        ops = r.acme.usergroup("ops", r.ann, bob)
        await r.adapter.look_up_person(r.ann.id, r.acme.id)
        ops.change(**how)
        await r.slack.settled()
        now = ("member", "admins") if "handle" in how else ("member",)
        assert roles(r) == {r.ann.id: now, bob.id: now}


async def test_a_new_description_concerns_nobody_whose_groups_are_known() -> None:
    async with rig() as r:
        ops = r.acme.usergroup("ops", r.ann)
        await r.adapter.look_up_person(r.ann.id, r.acme.id)
        ops.change()
        await r.slack.settled()
        assert r.events == []


async def test_while_slack_cannot_be_asked_the_event_is_not_acknowledged_and_comes_again() -> None:
    delays = (0.0,) * 6
    async with rig(ack_timeout=0.05, retry_delays=delays, settings={"max_retries": 0}) as r:
        ops = r.acme.usergroup("ops", r.ann)
        r.slack.fail("users.info")
        ops.change(users=[])
        await r.slack.until(lambda: r.events)
        assert roles(r) == {r.ann.id: ("member",)}
        await r.slack.settled()


async def test_of_very_many_people_those_who_lose_a_role_come_first(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("dragoman_slack.adapter.MOST_CONCERNED", 1)
    caplog.set_level("INFO", "dragoman_slack")
    async with rig() as r:
        ops = r.acme.usergroup("ops", r.ann)
        r.acme.app.events.discard("subteam_updated")
        ops.change(users=[r.acme.user("bob"), r.acme.user("cho")])
        await r.slack.settled()
        assert roles(r) == {r.ann.id: ("member",)}
        assert "3 people are concerned" in caplog.text


async def test_programs_and_strangers_to_slack_are_left_out() -> None:
    async with rig() as r:
        ops = r.acme.usergroup("ops")
        ops.users = ["U0NOBODY", r.acme.app.user_id]
        ops.change(users=[])
        await r.slack.settled()
        assert r.events == []


async def test_a_list_that_was_asked_for_before_the_change_is_not_believed() -> None:
    async with rig(running=False) as r:
        groups = r.adapter._directory.groups
        ops = r.acme.usergroup("ops", r.ann)
        r.slack.delay("usergroups.list", 0.05, times=1)
        asking = asyncio.create_task(groups.of(r.ann.id))
        await r.slack.until(lambda: [call for call in r.slack.calls if call.method == "usergroups.list"])
        groups.changed({"type": "subteam_members_changed", "removed_users": [r.ann.id]})
        await asking
        ops.users.clear()
        assert await groups.of(r.ann.id) == []


SETTINGS = SlackSettings.model_validate({"platform": "slack", "bot_token": "xoxb-1", "app_token": "xapp-1"})
Values: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([7])
Names = st.sampled_from(["id", "handle", "users", "date_delete"])


@given(
    st.sampled_from(["subteam_members_changed", "subteam_updated"]),
    st.dictionaries(st.sampled_from(["added_users", "removed_users", "subteam"]), Values),
    st.dictionaries(Names, Values),
)
def test_any_payload_is_read_or_an_error_that_names_the_field(
    kind: str, changes: dict[str, Any], subteam: dict[str, Any]
) -> None:
    api = Api(SETTINGS)
    groups = Groups("acme", api, Teams(api, lambda: 0.0), lambda: 0.0)
    event = {"type": kind, "subteam": {"id": "S1", "handle": "ops", "users": ["U1"], **subteam}, **changes}
    field = "event."
    found: list[str] = []
    try:
        found = groups.changed(event)
    except PayloadError as error:
        field = error.field
    assert field.startswith("event.")
    assert all(isinstance(id, str) for id in found)
