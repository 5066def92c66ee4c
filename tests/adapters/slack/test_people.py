"""Who somebody is: from a user object, and from the event that it has changed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.adapter_rig import rig
from adapters.slack.payloads import BOT, outer, user, user_change
from dragoman import Person, PersonChanged
from dragoman.wire import decode_event, encode
from dragoman_slack.normalise import normalise
from dragoman_slack.payload import PayloadError
from dragoman_slack.people import read_person, with_groups


def read(tenant: str = "T1", **more: Any) -> Person:
    return read_person(user(**more), "user", tenant)


def test_a_member_with_everything_that_slack_tells() -> None:
    assert read() == Person(
        id="U1", name="Sherlock", tenant=None, locale="en-GB", bot=False, timezone="Europe/London", roles=("member",)
    )


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"profile": {"display_name": "Sherlock", "real_name": "Sherlock Holmes"}}, "Sherlock"),
        ({"profile": {"display_name": "", "real_name": "S. Holmes"}}, "S. Holmes"),
        ({"profile": {}}, "Sherlock Holmes"),
        ({"profile": None, "real_name": None}, "sherlock"),
        ({"profile": None, "real_name": None, "name": ""}, ""),
    ],
)
def test_the_name_is_the_one_that_people_see(more: dict[str, Any], name: str) -> None:
    assert read(**more).name == name


@pytest.mark.parametrize(
    ("more", "roles"),
    [
        ({"is_admin": True}, ("admin", "member")),
        ({"is_admin": True, "is_owner": True}, ("owner", "admin", "member")),
        ({"is_admin": True, "is_owner": True, "is_primary_owner": True}, ("owner", "admin", "member")),
        ({"is_restricted": True}, ("guest",)),
        ({"is_restricted": True, "is_ultra_restricted": True}, ("guest",)),
        ({"is_bot": True}, ()),
        ({"id": "USLACKBOT"}, ()),
        ({"deleted": True, "is_admin": True}, ()),
        ({"is_invited_user": True}, ()),
        ({"is_admin": "yes"}, ("member",)),
    ],
)
def test_roles_are_what_slacks_flags_say(more: dict[str, Any], roles: tuple[str, ...]) -> None:
    assert read(**more).roles == roles


@pytest.mark.parametrize("more", [{"team_id": "T9"}, {"team_id": "T9", "is_stranger": True}, {"is_stranger": True}])
def test_an_admin_of_another_organisation_is_nothing_here(more: dict[str, Any]) -> None:
    found = read(is_admin=True, is_owner=True, **more)
    assert found.roles == ()
    assert found.tenant == ("T9" if "team_id" in more else None)


def test_in_an_organisation_its_own_admins_count_and_a_workspaces_do_not() -> None:
    grid = {"id": "U1", "enterprise_id": "E1", "teams": ["T2"], "is_admin": True, "is_owner": False}
    assert read("E1", enterprise_user=grid, team_id="T2") == read(is_admin=True)
    assert read("E1", enterprise_user={**grid, "is_admin": False}, is_admin=True).roles == ("member",)
    assert read("T2", enterprise_user=grid, team_id="T1", is_admin=True).roles == ("admin", "member")
    assert read("T3", enterprise_user=grid, team_id="T1", is_admin=True).roles == ()


@pytest.mark.parametrize("tz", ["", None, "Mars/Olympus", "../../etc/passwd", "America", "\x00"])
def test_a_time_zone_that_there_is_not_is_none(tz: str | None) -> None:
    assert read(tz=tz).timezone is None


def test_programs_are_told_from_people() -> None:
    assert read(is_bot=True).bot
    assert read(id="USLACKBOT").bot
    assert not read().bot


def test_user_groups_are_roles_but_cannot_make_an_admin() -> None:
    person = with_groups(read(), ["Ops", "admin", "OWNER", "dev-team", "ops", ""])
    assert person.roles == ("member", "dev-team", "ops")
    assert with_groups(read(is_restricted=True), ["member"]).roles == ("guest",)


def test_what_is_no_user_object_is_named() -> None:
    with pytest.raises(PayloadError, match=r"user\.id is missing"):
        read_person({}, "user", "T1")
    with pytest.raises(PayloadError, match=r"user\.profile\.display_name must be a text"):
        read(profile={"display_name": 7})


Values: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just({}) | st.just([])
)


@given(st.dictionaries(st.sampled_from(sorted(user())), Values))
def test_any_user_object_is_somebody_or_an_error_that_names_the_field(changes: dict[str, Any]) -> None:
    try:
        found = read_person({**user(), **changes}, "user", "T1")
    except PayloadError as error:
        wrong = error.field
    else:
        wrong = ""
        assert found.roles == () or "member" in found.roles or "guest" in found.roles
    assert not wrong or wrong.startswith("user.")


def test_a_changed_profile_is_an_event_with_the_whole_person() -> None:
    event = normalise(outer(user_change(is_admin=True)), BOT, "acme")
    assert isinstance(event, PersonChanged)
    assert event.person == read(is_admin=True)
    assert event.key == "slack/person_changed/acme/T1/U1/1648596712.000001"
    assert event.occurred == 1648596712.000001
    assert (event.address.account, event.address.tenant, event.address.channel) == ("acme", "T1", "@U1")
    assert (event.conversation, event.addressed) == ("direct", False)
    assert decode_event(encode(event)) == event


def test_without_event_ts_the_events_own_id_tells_changes_apart() -> None:
    event = {**user_change(), "event_ts": None}
    found = normalise(outer(event, event_id="Ev7"), BOT, "acme")
    assert found is not None
    assert found.key == "slack/person_changed/acme/T1/U1/Ev7"
    assert found.occurred == 1355517523.0


def test_a_change_of_the_bots_own_profile_is_not_news() -> None:
    assert normalise(outer(user_change(id=BOT.bot_user_id)), BOT, "acme") is None


async def test_whoever_changes_comes_in_with_their_user_groups() -> None:
    async with rig() as r:
        r.acme.usergroup("ops", r.ann)
        await r.ann.change(name="anna", tz="Asia/Tokyo", locale="ja-JP", is_admin=True)
        [event] = await r.got(1)
        assert isinstance(event, PersonChanged)
        assert event.person == Person(
            id=r.ann.id, name="anna", locale="ja-JP", timezone="Asia/Tokyo", roles=("admin", "member", "ops")
        )
        await r.slack.settled()


async def test_who_loses_a_role_loses_it_also_while_slack_does_not_tell_the_groups() -> None:
    async with rig(settings={"max_retries": 0}) as r:
        r.acme.usergroup("ops", r.ann)
        r.slack.fail("usergroups.list")
        await r.ann.change(is_admin=False)
        [event] = await r.got(1)
        assert event.person is not None
        assert event.person.roles == ("member",)
