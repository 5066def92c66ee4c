"""The simulator is held to Slack's published specification, and to the table of what is newer."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import jsonschema
import pytest

from adapters.slack import spec_published
from adapters.slack.spec_rig import Rig, refused, rig
from dragoman_slack.simulator import additions
from dragoman_slack.simulator.api import METHODS, is_retired

NEW_METHODS = {addition.name for addition in additions.METHODS}
NEW_ARGUMENTS = {(addition.where, addition.name) for addition in additions.ARGUMENTS}
PUBLISHED = sorted(METHODS.keys() - NEW_METHODS)

Call = Callable[[Rig], Awaitable[Any]]


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    return spec_published.web()


def operation(spec: dict[str, Any], method: str) -> dict[str, Any]:
    (found,) = spec["paths"][f"/{method}"].values()
    assert isinstance(found, dict)
    return found


def test_every_method_is_published_or_in_the_table_of_additions(spec: dict[str, Any]) -> None:
    published = {path.removeprefix("/") for path in spec["paths"]}
    assert METHODS.keys() - published == NEW_METHODS
    assert not published & NEW_METHODS
    assert not any(is_retired(method) for method in METHODS)


def test_every_addition_names_slacks_page() -> None:
    for addition in (*additions.METHODS, *additions.ARGUMENTS, *additions.FIELDS):
        assert addition.page.startswith("https://docs.slack.dev/"), addition


@pytest.mark.parametrize("method", PUBLISHED)
def test_arguments_are_published_or_in_the_table_of_additions(method: str, spec: dict[str, Any]) -> None:
    published = {parameter["name"]: parameter for parameter in operation(spec, method)["parameters"]}
    declared = METHODS[method].arguments
    new = {name for where, name in NEW_ARGUMENTS if where == method}
    assert declared.keys() - published.keys() == new
    assert published.keys() - declared.keys() <= {"token"}
    for name, parameter in published.items():
        if parameter.get("required") and name != "token":
            assert declared[name].required, name
        if name in declared and parameter.get("type") in ("boolean", "integer"):
            assert declared[name].kind == {"boolean": "bool", "integer": "int"}[parameter["type"]], name


@pytest.mark.parametrize("method", PUBLISHED)
def test_json_is_read_by_the_methods_that_are_published_to_take_it(method: str, spec: dict[str, Any]) -> None:
    assert METHODS[method].json == ("application/json" in operation(spec, method)["consumes"])


async def _answers(r: Rig) -> AsyncIterator[tuple[str, Any]]:
    """A success of every published method, with as much in it as there can be."""
    web, here, me = r.web, r.general.id, r.app.user_id
    said = await r.ann.say(r.general, "@dragoman hello & <welcome> https://example.com")
    await r.bob.say(r.general, "in the thread", thread=said)
    await r.ann.react(said, "wave")
    await r.ann.edit(said, "hello again")
    shared = await r.ann.upload(r.general, name="cat.png", content=b"meow", text="a cat")
    await r.bob.leave(r.general)
    await r.bob.join(r.general)
    r.acme.usergroup("ops", r.ann, r.bob)
    secret, group = r.acme.channel("secret", private=True), r.acme.group(r.ann, r.bob)
    assert shared.files is not None
    every = "public_channel,private_channel,im,mpim"
    metadata = {"event_type": "x", "event_payload": {}}
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "hi"}}]
    posted = await web.chat_postMessage(
        channel=here,
        text="hi",
        blocks=blocks,
        attachments=[{"text": "x"}],
        metadata=metadata,
        thread_ts=said.ts,
    )
    yield "chat.postMessage", posted
    yield "chat.postMessage", await web.chat_postMessage(channel=r.ann.id, text="hi")
    yield "chat.update", await web.chat_update(channel=here, ts=posted["ts"], text="ho")
    yield "chat.postEphemeral", await web.chat_postEphemeral(channel=here, user=r.ann.id, text="hi")
    yield "chat.getPermalink", await web.chat_getPermalink(channel=here, message_ts=said.ts)
    yield "reactions.add", await web.reactions_add(channel=here, timestamp=said.ts, name="tada")
    yield "reactions.get", await web.reactions_get(channel=here, timestamp=said.ts)
    yield "reactions.remove", await web.reactions_remove(channel=here, timestamp=said.ts, name="tada")
    for channel in (here, secret.id, group.id, r.ann.dm().id):
        info = await web.conversations_info(channel=channel, include_num_members=True, include_locale=channel == here)
        yield "conversations.info", info
    yield "conversations.list", await web.conversations_list(types=every)
    yield "users.conversations", await web.users_conversations(types=every, user=me)
    yield "conversations.history", await web.conversations_history(channel=here, include_all_metadata=True)
    yield "conversations.history", await web.conversations_history(channel=here, limit=1)
    replies = await web.conversations_replies(channel=here, ts=said.ts, include_all_metadata=True)
    assert "metadata" in replies["messages"][2]
    yield "conversations.replies", replies
    yield "conversations.open", await web.conversations_open(users=r.ann.id)
    yield "conversations.open", await web.conversations_open(users=[r.ann.id, r.bob.id], return_im=True)
    yield "conversations.members", await web.conversations_members(channel=here, limit=1)
    yield "conversations.join", await web.conversations_join(channel=here)
    yield "conversations.leave", await web.conversations_leave(channel=here)
    yield "conversations.join", await web.conversations_join(channel=here)
    yield "users.info", await web.users_info(user=r.ann.id, include_locale=True)
    yield "users.info", await web.users_info(user=me)
    yield "usergroups.list", await web.usergroups_list()
    yield "usergroups.list", await web.usergroups_list(include_users=True, include_count=True, include_disabled=True)
    yield "users.list", await web.users_list(include_locale=True)
    yield "users.lookupByEmail", await web.users_lookupByEmail(email="ann@acme.example")
    yield "team.info", await web.team_info()
    yield "bots.info", await web.bots_info(bot=r.app.bot_id)
    yield "files.info", await web.files_info(file=shared.files[0].id)
    yield "emoji.list", await web.emoji_list()
    yield "auth.test", await web.auth_test()
    yield "api.test", await web.api_test()
    yield "chat.delete", await web.chat_delete(channel=here, ts=posted["ts"])


async def test_every_success_fits_the_published_schema(spec: dict[str, Any]) -> None:
    seen = set()
    async with rig() as r:
        async for method, answer in _answers(r):
            spec_published.validate(spec, method, answer.data)
            seen.add(method)
    assert seen == set(PUBLISHED)


@pytest.mark.parametrize("method", PUBLISHED)
async def test_required_arguments_are_demanded(method: str) -> None:
    required = [argument.name for argument in METHODS[method].arguments.values() if argument.required]
    if not required:
        return
    async with rig() as r:
        answer = await refused(r.web.api_call(method))
        assert answer["error"] == "invalid_arguments"
        assert answer["response_metadata"]["messages"] == [f"[ERROR] missing required field: {n}" for n in required]


async def test_events_fit_the_published_schemas() -> None:
    schemas = spec_published.events()
    seen = set()
    async with rig() as r:
        r.app.events |= {"member_left_channel"}
        message = await r.ann.say(r.general, "@dragoman hello")
        await r.ann.edit(message, "hello")
        await r.ann.react(message, "wave")
        await r.ann.unreact(message, "wave")
        await r.ann.delete(message)
        await r.ann.leave(r.general)
        await r.ann.join(r.general)
        await r.ann.change(real_name="Ann Lee-Okafor", tz="Asia/Tokyo")
        r.acme.usergroup("ops", r.ann).change(users=[r.bob])
        for place in (r.ann.dm(), r.acme.group(r.ann, r.bob), r.acme.channel("secret", private=True)):
            await r.ann.say(place, "hello")
        for delivery in r.slack.deliveries:
            event = delivery.payload["event"]
            name = delivery.kind
            if name == "message":
                kind = event["channel_type"]
                name = "message." + {"channel": "channels", "group": "groups"}.get(kind, kind)
            jsonschema.Draft4Validator(schemas[name]).validate(delivery.payload)
            if event.get("subtype") == "message_deleted":  # the one that the general schema describes
                required = set(schemas["message"]["properties"]["event"]["required"])
                assert required <= event.keys()
            seen.add(name)
    assert seen == r.app.events


async def test_hot_errors_of_the_published_methods_are_published(spec: dict[str, Any]) -> None:
    async with rig() as r:
        message = await r.ann.say(r.general, "hello")
        here = {"channel": r.general.id, "timestamp": message.ts}
        calls: list[tuple[str, dict[str, Any]]] = [
            ("chat.postMessage", {"channel": "C0NOWHERE00", "text": "x"}),
            ("chat.postMessage", {"channel": r.general.id}),
            ("chat.postMessage", {"channel": r.general.id, "text": "x" * 40_001}),
            ("chat.update", {"channel": r.general.id, "ts": message.ts, "text": "x"}),
            ("chat.update", {"channel": r.general.id, "ts": "1.000001", "text": "x"}),
            ("chat.delete", {"channel": r.general.id, "ts": message.ts}),
            ("reactions.add", {**here, "name": "no such"}),
            ("reactions.remove", {**here, "name": "wave"}),
            ("conversations.open", {}),
        ]
        for method, arguments in calls:
            codes = operation(spec, method)["responses"]["default"]["schema"]["properties"]["error"]["enum"]
            assert (await refused(r.web.api_call(method, json=arguments)))["error"] in codes
