"""Socket Mode: acknowledgements, retries, and connections that go away."""

import aiohttp
import pytest

from adapters.slack.spec_rig import rig


async def test_every_event_goes_to_one_of_several_sockets() -> None:
    async with rig() as r:
        first, second = await r.connect(), await r.connect()
        for number in range(10):
            await r.ann.say(r.general, str(number))
        await r.slack.until(lambda: len(first.requests) + len(second.requests) == 10)
        assert len(first.requests) == len(second.requests) == 5
        await r.slack.settled()


async def test_what_happens_while_no_socket_is_open_is_held() -> None:
    async with rig() as r:
        early = await r.ann.say(r.general, "anybody there?")
        assert early.accepted is None
        bot = await r.connect()
        [event] = await bot.got(1)
        assert event["ts"] == early.ts
        assert bot.requests[0].retry_attempt == 0


async def test_an_event_without_acknowledgement_is_sent_again_with_a_count_and_a_reason() -> None:
    async with rig(ack_timeout=0.05, retry_delays=(0.0, 0.01, 0.02)) as r:
        bot = await r.connect()
        bot.acking = False
        message = await r.ann.say(r.general, "hello")
        await r.slack.until(lambda: len(bot.requests) == 3)
        bot.acking = True
        await r.slack.until(lambda: message.accepted)
        attempts = [request.retry_attempt for request in bot.requests]
        assert attempts == list(range(len(attempts)))
        assert [request.retry_reason for request in bot.requests[:2]] == ["", "timeout"]
        assert len({request.envelope_id for request in bot.requests}) == len(bot.requests)
        assert len({request.payload["event_id"] for request in bot.requests}) == 1


async def test_slack_gives_up_after_three_retries() -> None:
    async with rig(ack_timeout=0.02, retry_delays=(0.0, 0.0, 0.0)) as r:
        bot = await r.connect()
        bot.acking = False
        await r.ann.say(r.general, "hello")
        [delivery] = r.slack.deliveries
        await r.slack.until(lambda: delivery.lost)
        assert delivery.attempts == 4
        assert delivery.accepted is None


async def test_what_was_not_acknowledged_on_a_dropped_socket_comes_again_on_the_next_one() -> None:
    async with rig(ack_timeout=60) as r:
        bot = await r.connect()
        bot.acking = False
        message = await r.ann.say(r.general, "hello")
        await r.slack.until(lambda: bot.requests)
        bot.acking = True
        assert r.slack.drop_sockets() == 1
        await r.slack.until(lambda: message.accepted)
        assert [request.retry_attempt for request in bot.requests] == [0, 1]


async def test_a_dropped_sockets_events_go_to_another_open_one() -> None:
    async with rig(ack_timeout=60) as r:
        first = await r.connect()
        first.acking = False
        message = await r.ann.say(r.general, "hello")
        await r.slack.until(lambda: first.requests)
        second = await r.connect()
        await first.close()
        await r.slack.until(lambda: message.accepted)
        assert len(second.requests) == 1


async def test_a_client_that_is_told_to_go_comes_back_and_misses_nothing() -> None:
    async with rig(ack_timeout=60) as r:
        bot = await r.connect()
        for number in range(30):
            await r.ann.say(r.general, str(number))
            if number % 10 == 5:
                await r.slack.disconnect("refresh_requested")
        await r.slack.settled()
        assert {event["text"] for event in bot.events} == {str(number) for number in range(30)}


async def test_a_warning_comes_before_the_socket_is_closed() -> None:
    async with rig() as r, aiohttp.ClientSession() as session:
        opened = await r.client(r.app.app_token).apps_connections_open(app_token=r.app.app_token)
        async with session.ws_connect(opened["url"]) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["num_connections"]) == ("hello", 1)
            await r.slack.disconnect("link_disabled", after=0.01)
            assert (await socket.receive_json())["reason"] == "warning"
            assert (await socket.receive_json())["reason"] == "link_disabled"
            assert (await socket.receive()).type == aiohttp.WSMsgType.CLOSE


async def test_refused_connections_are_tried_again_by_the_client() -> None:
    async with rig() as r:
        r.slack.refuse_connections(2)
        bot = await r.connect()
        await r.ann.say(r.general, "hello")
        await bot.got(1)


async def test_a_redelivered_message_is_the_same_event_once_more() -> None:
    async with rig() as r:
        bot = await r.connect()
        message = await r.ann.say(r.general, "hello")
        await bot.got(1)
        r.slack.redeliver(message)
        await r.slack.until(lambda: len(bot.requests) == 2)
        first, again = bot.requests
        assert first.payload == again.payload
        assert again.retry_attempt == 1
        await r.slack.until(lambda: message.deliveries[0].acks == 2)


async def test_a_ticket_opens_one_socket_only() -> None:
    async with rig() as r:
        opened = await r.client(r.app.app_token).apps_connections_open(app_token=r.app.app_token)
        async with r.session.ws_connect(opened["url"]):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await r.session.ws_connect(opened["url"])


async def test_an_eleventh_socket_is_one_too_many() -> None:
    async with rig() as r:
        client = r.client(r.app.app_token)
        sockets = []
        for _ in range(11):
            opened = await client.apps_connections_open(app_token=r.app.app_token)
            sockets.append(await r.session.ws_connect(opened["url"]))
        assert (await sockets[10].receive_json())["reason"] == "too_many_websockets"
        assert (await sockets[9].receive_json())["num_connections"] == 10
        for socket in sockets:
            await socket.close()


async def test_a_thousand_events_are_accepted_in_order_on_one_socket() -> None:
    async with rig() as r:
        bot = await r.connect()
        for number in range(1000):
            await r.ann.say(r.general, str(number))
        await r.slack.settled()
        assert [event["text"] for event in bot.events] == [str(number) for number in range(1000)]


async def test_two_workspaces_have_apps_of_their_own() -> None:
    async with rig() as r:
        bot = await r.connect()
        other = r.slack.workspace("globex")
        dot = other.user("dot")
        await dot.say(other.channel("general"), "hello")
        await r.ann.say(r.general, "hello")
        await r.slack.until(lambda: bot.requests)
        assert [event["team"] for event in bot.events] == [r.acme.id]
        assert other.app.bot_token != r.app.bot_token
        assert len(other.app.link.waiting) == 1
