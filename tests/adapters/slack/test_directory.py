"""Look-ups of people and channels, against the simulator."""

import asyncio

import pytest

from adapters.slack.adapter_rig import Rig, make, rig
from dragoman import ChannelInfo, DeliveryError, Person
from dragoman_slack.api import Api
from dragoman_slack.directory import FRESH, GROUPED, STALE, Directory
from dragoman_slack.methods import DIRECTORY
from dragoman_slack.simulator import SlackSimulator

ANY = "*"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def called(r: Rig, method: str) -> int:
    return sum(1 for call in r.slack.calls if call.method == method)


def watched(r: Rig) -> tuple[Directory, Clock, Api]:
    """A directory whose time stands still."""
    clock = Clock()
    api = Api(r.adapter.settings)
    return Directory("acme", api, clock), clock, api


# People


async def test_somebody_is_known_with_name_zone_locale_and_roles() -> None:
    async with rig(running=False) as r:
        bob = r.acme.user("bob", real_name="Bob Okafor", tz="Africa/Lagos", locale="en-GB", owner=True)
        r.acme.usergroup("ops", bob, r.ann)
        r.acme.usergroup("admin", r.ann)
        disabled = r.acme.usergroup("old", r.ann)
        disabled.disabled = 1_700_000_001
        assert await r.adapter.look_up_person(bob.id, r.acme.id) == Person(
            id=bob.id,
            name="bob",
            locale="en-GB",
            timezone="Africa/Lagos",
            roles=("owner", "admin", "member", "ops"),
        )
        ann = await r.adapter.look_up_person(r.ann.id, ANY)
        assert ann is not None
        assert ann.roles == ("member", "ops")


async def test_guests_bots_and_strangers_are_told_apart() -> None:
    async with rig(running=False) as r:
        gus = r.acme.user("gus", guest=True)
        zoe = r.acme.user("zoe", team="T0ELSEWHERE", admin=True)
        guest, bot, stranger = [
            await r.adapter.look_up_person(id, r.acme.id) for id in (gus.id, r.acme.app.user_id, zoe.id)
        ]
        assert guest is not None
        assert guest.roles == ("guest",)
        assert bot is not None
        assert (bot.bot, bot.roles) == (True, ())
        assert stranger is not None
        assert (stranger.tenant, stranger.roles) == ("T0ELSEWHERE", ())


@pytest.mark.parametrize("id", ["U0NOBODY", ""])
async def test_nobody_is_none(id: str) -> None:
    async with rig(running=False) as r:
        assert await r.adapter.look_up_person(id, r.acme.id) is None


async def test_without_the_scope_user_groups_are_no_roles_and_not_asked_for_again() -> None:
    async with rig(running=False) as r:
        r.acme.usergroup("ops", r.ann)
        r.acme.app.scopes.discard("usergroups:read")
        for _ in range(2):
            found = await r.adapter.look_up_person(r.ann.id, r.acme.id)
            assert found is not None
            assert found.roles == ("member",)
        assert called(r, "usergroups.list") == 1
        assert "without the scope usergroups:read, user groups are no roles" in await r.adapter.check()


async def test_user_groups_are_asked_for_once_in_a_minute_for_all_people() -> None:
    async with rig(running=False) as r:
        directory, clock, api = watched(r)
        ops = r.acme.usergroup("ops")
        ids = [r.ann.id, *(r.acme.user(f"u{n}").id for n in range(5))]
        await asyncio.gather(*(directory.person(id, r.acme.id) for id in ids))
        assert called(r, "usergroups.list") == 1
        ops.users.append(r.ann.id)
        clock.now += GROUPED + 1
        found = await directory.person(r.ann.id, r.acme.id)
        assert found is not None
        assert found.roles == ("member", "ops")
        assert called(r, "usergroups.list") == 2
        await api.close()


async def test_a_missing_scope_is_an_error_that_names_it() -> None:
    async with rig(running=False) as r:
        r.acme.app.scopes.discard("users:read")
        with pytest.raises(DeliveryError, match="lacks the scope users:read") as caught:
            await r.adapter.look_up_person(r.ann.id, r.acme.id)
        assert not caught.value.retry


@pytest.mark.parametrize("method", ["users.info", "usergroups.list", "conversations.info", "conversations.list"])
async def test_an_outage_is_an_error_that_may_pass(method: str) -> None:
    async with rig(running=False, settings={"max_retries": 0}) as r:
        r.slack.fail(method)
        ask = r.adapter.look_up_person if method.startswith("user") else r.adapter.look_up_channel
        what = {"conversations.info": r.general.id, "conversations.list": "#general"}.get(method, r.ann.id)
        with pytest.raises(DeliveryError) as caught:
            await ask(what, r.acme.id)
        assert caught.value.retry
        assert await ask(what, r.acme.id) is not None


async def test_a_rate_limit_is_waited_for() -> None:
    async with rig(running=False) as r:
        r.slack.ratelimit("users.info", retry_after=0)
        assert await r.adapter.look_up_person(r.ann.id, r.acme.id) is not None
        assert called(r, "users.info") == 2


async def test_a_bad_token_is_a_delivery_error() -> None:
    async with SlackSimulator() as slack:
        acme = slack.workspace("acme")
        adapter = make(slack, acme.app, bot_token="xoxb-wrong")
        with pytest.raises(DeliveryError, match="bot_token"):
            await adapter.look_up_person("U1", ANY)
        await adapter.close()


# Channels


async def test_a_channel_is_found_by_id_and_by_name() -> None:
    async with rig(running=False) as r:
        known = ChannelInfo(id=r.general.id, tenant=r.acme.id, name="general")
        assert await r.adapter.look_up_channel(r.general.id, r.acme.id) == known
        assert await r.adapter.look_up_channel("#general", ANY) == known
        assert await r.adapter.look_up_channel("#General", ANY) == known


async def test_private_channels_are_found_that_the_bot_is_in() -> None:
    async with rig(running=False) as r:
        inside = r.acme.channel("inside", private=True)
        outside = r.acme.channel("outside", private=True, bot=False)
        found = await r.adapter.look_up_channel("#inside", ANY)
        assert found == ChannelInfo(id=inside.id, tenant=r.acme.id, name="inside")
        assert await r.adapter.look_up_channel("#outside", ANY) is None
        assert await r.adapter.look_up_channel(outside.id, r.acme.id) is None


async def test_a_direct_conversation_is_opened_once_and_has_no_name() -> None:
    async with rig(running=False) as r:
        first = await r.adapter.look_up_channel(f"@{r.ann.id}", ANY)
        assert first == ChannelInfo(id=r.ann.dm().id, tenant=r.acme.id, name="")
        assert await r.adapter.look_up_channel(f"@{r.ann.id}", ANY) == first
        assert called(r, "conversations.open") == 1
        assert await r.adapter.look_up_channel(first.id, r.acme.id) == first


@pytest.mark.parametrize("channel", ["C0NOWHERE", "#nowhere", "@U0NOBODY", "#", "@", ""])
async def test_what_there_is_not_is_none(channel: str) -> None:
    async with rig(running=False) as r:
        assert await r.adapter.look_up_channel(channel, r.acme.id) is None


async def test_nobody_talks_to_who_has_left() -> None:
    async with rig(running=False) as r:
        r.ann.deleted = True
        assert await r.adapter.look_up_channel(f"@{r.ann.id}", ANY) is None


async def test_archived_channels_are_not_found_by_name() -> None:
    async with rig(running=False) as r:
        r.general.archived = True
        assert await r.adapter.look_up_channel("#general", ANY) is None


async def test_all_pages_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman_slack.directory.PAGE", 2)
    async with rig(running=False) as r:
        last = [r.acme.channel(f"c{n}") for n in range(5)][-1]
        found = await r.adapter.look_up_channel("#c4", ANY)
        assert found is not None
        assert found.id == last.id
        assert called(r, "conversations.list") == 3


async def test_names_are_remembered_and_new_ones_are_asked_for_after_a_while() -> None:
    async with rig(running=False) as r:
        directory, clock, api = watched(r)

        async def found(name: str) -> bool:
            return await directory.channel(name, r.acme.id) is not None

        assert await asyncio.gather(*(found("#general") for _ in range(5))) == [True] * 5
        assert called(r, "conversations.list") == 1
        r.acme.channel("new")
        assert not await found("#new")
        clock.now += STALE + 1
        assert await found("#general")
        assert called(r, "conversations.list") == 1
        assert await found("#new")
        assert called(r, "conversations.list") == 2
        clock.now += FRESH + 1
        assert await found("#general")
        assert called(r, "conversations.list") == 3
        await api.close()


async def test_what_slack_answers_is_checked() -> None:
    async with rig(running=False) as r:
        r.ann.name = 7  # type: ignore[assignment]
        with pytest.raises(DeliveryError, match=r"users\.info: .*display_name must be a text"):
            await r.adapter.look_up_person(r.ann.id, r.acme.id)


async def test_it_calls_what_is_in_the_table_of_scopes_and_nothing_else() -> None:
    async with rig(running=False) as r:
        r.acme.app.scopes = {scope for scopes in DIRECTORY.values() for scope in scopes}
        assert await r.adapter.look_up_person(r.ann.id, r.acme.id)
        for channel in (r.general.id, r.ann.dm().id, r.acme.group(r.ann).id, "#general", f"@{r.ann.id}"):
            assert await r.adapter.look_up_channel(channel, r.acme.id)
        # Those of whole organisations and of what was missed are in test_teams.py and test_missed.py.
        elsewhere = {"auth.teams.list", "users.conversations"}
        assert {call.method for call in r.slack.calls} - {"auth.test"} == DIRECTORY.keys() - elsewhere
        assert not [call for call in r.slack.calls if call.error]
