"""What can be made to go wrong, and rate limits."""

import asyncio

import aiohttp
import pytest

from adapters.discord.spec_rig import rig
from dragoman_discord.simulator.compression import Unsupported, packer
from dragoman_discord.simulator.refused import ERRORS

POST = "POST /channels/{channel_id}/messages"


@pytest.mark.parametrize("whole", [False, True])
async def test_a_rate_limit_says_how_long_and_where_it_comes_from(whole: bool) -> None:
    async with rig() as r:
        r.discord.ratelimit("/users", retry_after=1.5, whole=whole)
        answer = await r.call("GET /users/@me")
        assert answer.status == 429
        assert answer.body == {
            "message": "You are being rate limited.",
            "retry_after": 1.5,
            "global": whole,
            "code": 0,
        }
        assert answer.headers["Retry-After"] == "2"
        assert answer.headers["Via"]
        assert answer.headers.get("X-RateLimit-Global") == ("true" if whole else None)
        assert (await r.call("GET /users/@me")).status == 200


async def test_a_ban_by_the_network_has_no_via() -> None:
    async with rig() as r:
        r.discord.ratelimit(via=False, retry_after=3600)
        answer = await r.call("GET /users/@me")
        assert (answer.status, answer.body, answer.headers["Retry-After"]) == (429, None, "3600")
        assert "Via" not in answer.headers


async def test_limits_are_counted_by_channel_and_told_in_headers() -> None:
    async with rig(limits={POST: (2, 5.0)}) as r:
        other = r.acme.channel("other")
        where = f"POST /channels/{r.general.id}/messages"
        first = await r.call(where, {"content": "1"})
        assert (first.headers["X-RateLimit-Limit"], first.headers["X-RateLimit-Remaining"]) == ("2", "1")
        assert 0 < float(first.headers["X-RateLimit-Reset-After"]) <= 5
        assert (await r.call(where, {"content": "2"})).headers["X-RateLimit-Remaining"] == "0"
        third = await r.call(where, {"content": "3"})
        assert third.status == 429
        assert 0 < third.body["retry_after"] <= 5
        assert (await r.call(f"POST /channels/{other.id}/messages", {"content": "1"})).status == 200
        r.discord.advance(5)
        assert (await r.call(where, {"content": "3"})).status == 200
        assert [message.content for message in r.general.said] == ["1", "2", "3"]


async def test_the_global_limit_is_for_all_calls_of_an_app() -> None:
    async with rig(limits={"global": (2, 1.0)}) as r:
        assert [(await r.call("GET /users/@me")).status for _ in range(2)] == [200, 200]
        answer = await r.call("GET /gateway/bot")
        assert (answer.status, answer.body["global"]) == (429, True)


@pytest.mark.parametrize("performed", [False, True])
async def test_a_failed_call_was_made_or_not(performed: bool) -> None:
    async with rig() as r:
        r.discord.fail(POST, status=502, performed=performed)
        answer = await r.call(f"POST /channels/{r.general.id}/messages", {"content": "x"})
        assert answer.status == 502
        assert len(r.general.said) == performed
        r.discord.hang_up(POST, performed=performed)
        with pytest.raises(aiohttp.ClientError):
            await r.call(f"POST /channels/{r.general.id}/messages", {"content": "x"})
        assert len(r.general.said) == 2 * performed


async def test_a_refusal_can_be_asked_for() -> None:
    async with rig() as r:
        r.discord.fail(POST, status=403, code=50013)
        answer = await r.call(f"POST /channels/{r.general.id}/messages", {"content": "x"})
        assert (answer.status, answer.body) == (403, {"message": "Missing Permissions", "code": 50013})


async def test_answers_are_late_until_it_recovers() -> None:
    async with rig() as r:
        r.discord.delay("GET /users/@me", 30)
        late = asyncio.create_task(r.call("GET /users/@me"))
        await r.discord.until(lambda: len(r.discord.calls) == 1)
        assert not late.done()
        r.discord.recover()
        async with asyncio.timeout(10):
            assert (await late).status == 200
            assert (await r.call("GET /users/@me")).status == 200


async def test_calls_are_remembered() -> None:
    async with rig() as r:
        await r.post("hello")
        await r.call("GET /channels/1")
        first, second = r.discord.calls
        assert (first.route, first.body, first.status, first.app) == (POST, {"content": "hello"}, 200, r.app)
        assert (second.status, second.error) == (404, "10003 Unknown Channel")


def test_errors_have_statuses_that_clients_know() -> None:
    assert {status for status, _ in ERRORS.values()} <= {400, 401, 403, 404, 413, 429}


def test_zstd_needs_a_library_and_others_are_unknown() -> None:
    try:
        packed = packer("zstd-stream")("text")
    except Unsupported as error:
        assert "zstandard" in str(error)  # noqa: PT017 - where it is installed, it packs
    else:
        assert isinstance(packed, bytes)
    with pytest.raises(Unsupported):
        packer("br")
