"""What Discord's rate limits mean: https://docs.discord.com/developers/topics/rate-limits"""

import pytest

from adapters.discord.scripted_rig import POST, made, send
from dragoman import DeliveryError

LIMITED = {"message": "You are being rate limited.", "retry_after": 40.5, "global": False, "code": 0}


async def test_a_long_limit_of_a_channel_is_the_gateways_to_wait_for() -> None:
    async with made() as (discord, adapter):
        discord.answers[POST] = (429, LIMITED, {"Via": "1.1 google"})
        with pytest.raises(DeliveryError) as caught:
            await adapter.perform(send())
        error = caught.value
        assert (error.code, error.retry, error.after, error.whole) == ("429", True, 40.5, False)


async def test_a_limit_of_the_network_before_discord_is_for_the_whole_account() -> None:
    async with made() as (discord, adapter):
        discord.answers[POST] = (429, "<html>cloudflare", {"Retry-After": "600"})
        with pytest.raises(DeliveryError) as caught:
            await adapter.perform(send())
        error = caught.value
        assert (error.code, error.retry, error.after, error.whole) == ("http_429", True, 600.0, True)


async def test_discords_own_library_paces_it() -> None:
    async with made() as (_, adapter):
        assert adapter.pacing is None
