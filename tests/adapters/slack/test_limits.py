"""What Slack's rate limits mean: https://docs.slack.dev/apis/web-api/rate-limits"""

import pytest

from adapters.slack.adapter_rig import Rig, rig
from dragoman import Content, DeliveryError, Pacing, Send
from dragoman_slack.settings import SlackSettings

TOKENS = {"platform": "slack", "bot_token": "xoxb", "app_token": "xapp"}


def hello(r: Rig) -> Send:
    return Send(key="e|x.y|0", address=r.address(), content=Content(text="hi"))


async def test_a_limit_of_what_is_said_is_the_gateways_to_wait_for() -> None:
    async with rig(running=False) as r:
        r.slack.ratelimit("chat.postMessage", retry_after=30)
        with pytest.raises(DeliveryError) as caught:
            await r.adapter.perform(hello(r))
        error = caught.value
        assert (error.code, error.retry, error.after, error.whole) == ("ratelimited", True, 30.0, True)
        assert len(r.slack.calls) == 1
        await r.adapter.perform(hello(r))
        assert [message.text for message in r.general.said] == ["hi"]


async def test_a_limit_of_what_is_only_read_is_waited_for_by_the_sdk() -> None:
    async with rig(running=False) as r:
        r.slack.ratelimit("users.info", retry_after=0)
        person = await r.adapter.look_up_person(r.ann.id, r.acme.id)
        assert person is not None
        assert [call.error for call in r.slack.calls if call.method == "users.info"] == ["ratelimited", ""]


async def test_other_refusals_ask_for_no_pause() -> None:
    async with rig(running=False) as r:
        r.slack.fail("chat.postMessage", status=200, error="is_archived")
        with pytest.raises(DeliveryError) as caught:
            await r.adapter.perform(hello(r))
        assert caught.value.after is None


@pytest.mark.parametrize(
    ("given", "pacing"),
    [
        ({}, Pacing(every=1.0, burst=5)),
        ({"pace": 4}, Pacing(every=0.25, burst=5)),
        ({"pace": 0}, None),
        ({"api_url": "http://127.0.0.1:1/api/"}, None),
        ({"api_url": "http://127.0.0.1:1/api/", "pace": 2}, Pacing(every=0.5, burst=5)),
    ],
)
def test_the_pace_in_one_channel_is_slacks_unless_the_settings_say_otherwise(
    given: dict[str, object], pacing: Pacing | None
) -> None:
    assert SlackSettings.model_validate({**TOKENS, **given}).pacing == pacing


async def test_the_gateway_is_told_the_pace() -> None:
    async with rig(running=False, settings={"pace": 2}) as r:
        assert r.adapter.pacing == Pacing(every=0.5, burst=5)
