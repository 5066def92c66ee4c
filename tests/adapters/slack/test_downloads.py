"""Files that people attach, against the simulator."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from adapters.slack.adapter_rig import Rig, make, rig
from adapters.slack.test_hosts import HOSTILE
from dragoman import DeliveryError, FileRef


async def fetch(r: Rig, file: FileRef) -> bytes:
    return b"".join([piece async for piece in r.adapter.download(file)])


async def attached(r: Rig, name: str = "cat.png", content: bytes = b"meow", text: str = "") -> FileRef:
    """What the event says of a file that Ann attaches."""
    before = len(r.said())
    await r.ann.say(r.general, text, files=[(name, content)])
    events = await r.messages(before + 1)
    (file,) = events[before].content.files
    return file


def asked(r: Rig) -> list[str]:
    return [call.method for call in r.slack.calls if call.method in ("files-pri", "files.info")]


async def test_a_file_comes_with_its_name_type_and_size() -> None:
    async with rig() as r:
        file = await attached(r, text="my cat")
        assert (file.name, file.media_type, file.size) == ("cat.png", "image/png", 4)
        assert await fetch(r, file) == b"meow"
        (event,) = r.said()
        assert event.content.plain == "my cat"


async def test_several_files_come_in_order() -> None:
    async with rig() as r:
        await r.ann.say(r.general, "", files=[("a", b"1"), ('b/ü "c".txt', b"2")])
        (event,) = await r.messages(1)
        assert [(file.name, await fetch(r, file)) for file in event.content.files] == [
            ("a", b"1"),
            ('b/ü "c".txt', b"2"),
        ]


async def test_many_bytes_come_in_pieces() -> None:
    async with rig() as r:
        content = bytes(range(256)) * 12_000
        file = await attached(r, "big.bin", content)
        pieces = [piece async for piece in r.adapter.download(file)]
        assert len(pieces) > 10
        assert b"".join(pieces) == content


@pytest.mark.parametrize("url", [url for url in HOSTILE if url])
async def test_a_hostile_address_is_refused_before_anything_is_sent(url: str) -> None:
    async with rig(running=False) as r:
        with pytest.raises(DeliveryError, match=r"'x\.png' is not kept by Slack") as caught:
            await fetch(r, FileRef(id="F1", name="x.png", url=url))
        assert (caught.value.code, caught.value.retry) == ("bad_url", False)
        assert not r.slack.calls


@pytest.mark.parametrize(("name", "content"), [("cat.png", b"meow"), ("page.html", b"<p>")])
async def test_the_login_page_is_no_file(name: str, content: bytes) -> None:
    async with rig() as r:
        file = await attached(r, name, content)
        r.acme.app.scopes.discard("files:read")
        with pytest.raises(DeliveryError, match=rf"'{name}': .*lacks the scope files:read") as caught:
            await fetch(r, file)
        assert (caught.value.code, caught.value.retry) == ("missing_scope", False)


async def test_a_file_that_is_a_page_is_a_file() -> None:
    async with rig() as r:
        file = await attached(r, "page.html", b"<!DOCTYPE html>Mine")
        assert file.media_type == "text/html"
        assert await fetch(r, file) == b"<!DOCTYPE html>Mine"


async def test_slacks_redirect_to_its_login_is_not_followed() -> None:
    async with rig() as r:
        file = await attached(r)
        r.slack.tokens.clear()
        with pytest.raises(DeliveryError, match=r"another host, its login page perhaps: .*files:read") as caught:
            await fetch(r, file)
        assert (caught.value.code, caught.value.retry) == ("missing_scope", False)


@asynccontextmanager
async def host(location: str | None = None) -> AsyncIterator[tuple[str, list[str]]]:
    """A host on loopback that sends on to ``location`` (without a query), and the tokens that it was shown."""
    seen: list[str] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        if location is None or request.query:
            return web.Response(body=b"here")
        return web.Response(status=302, headers={"Location": location})

    application = web.Application()
    application.router.add_get("/{rest:.*}", take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    finally:
        await runner.cleanup()


async def sent_on(r: Rig, location: str) -> bytes:
    """What comes of a file at a host that sends on to there."""
    async with host(location) as (origin, _):
        adapter = make(r.slack, r.acme.app, api_url=f"{origin}/api/")
        try:
            return b"".join([piece async for piece in adapter.download(FileRef(id="F1", url=f"{origin}/a"))])
        finally:
            await adapter.close()


async def test_no_redirect_takes_the_token_to_another_host() -> None:
    async with rig(running=False) as r, host() as (other, seen):
        for location in (f"{other}/evil", "https://evil.example/", "", "http://[", "//evil.example/x"):
            with pytest.raises(DeliveryError, match="another host"):
                await sent_on(r, location)
        assert not seen


async def test_a_redirect_within_the_host_is_followed_but_not_for_ever() -> None:
    async with rig(running=False) as r:
        assert await sent_on(r, "/b?x=1") == b"here"
        with pytest.raises(DeliveryError, match="without end"):
            await sent_on(r, "/b")


async def test_a_file_that_is_gone_is_no_file() -> None:
    async with rig() as r:
        file = await attached(r)
        r.acme.files[file.id].deleted = True
        for there in (file, file.model_copy(update={"url": ""})):
            with pytest.raises(DeliveryError, match=r"no file 'cat\.png'") as caught:
                await fetch(r, there)
            assert (caught.value.code, caught.value.retry) == ("no_file", False)


@pytest.mark.parametrize("status", [429, 500, 503, 0])
async def test_what_may_pass_may_be_tried_again(status: int) -> None:
    async with rig() as r:
        file = await attached(r)
        r.slack.fail("files-pri", status=status, times=2)  # a GET is asked again once
        with pytest.raises(DeliveryError, match=r"'cat\.png'") as caught:
            await fetch(r, file)
        assert caught.value.retry
        r.slack.recover()
        assert await fetch(r, file) == b"meow"


async def test_an_answer_that_does_not_come_is_not_waited_for_long() -> None:
    async with rig(settings={"timeout": 0.2}) as r:
        file = await attached(r)
        r.slack.delay("files-pri", 30.0)
        with pytest.raises(DeliveryError, match="did not come") as caught:
            await fetch(r, file)
        assert (caught.value.code, caught.value.retry) == ("connection", True)


async def test_a_file_from_another_organisation_is_asked_for_by_its_id() -> None:
    async with rig() as r:
        zoe = r.acme.user("zoe", team="T0ELSEWHERE")
        await zoe.say(r.general, "from afar", files=[("plan.pdf", b"%PDF")])
        event = next(event for event in await r.messages(1) if event.content.files)
        (file,) = event.content.files
        assert (file.name, file.url, file.size) == ("", "", None)
        assert await fetch(r, file) == b"%PDF"
        assert asked(r) == ["files.info", "files-pri"]
        r.acme.app.scopes.discard("files:read")
        with pytest.raises(DeliveryError, match=r"files\.info: the token lacks the scope files:read"):
            await fetch(r, file)


async def test_the_token_is_in_no_error_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with rig() as r:
        file = await attached(r)
        r.slack.hang_up("files-pri", times=2)
        with pytest.raises(DeliveryError) as caught:
            await fetch(r, file)
        assert r.acme.app.bot_token not in f"{caught.value!r}{caught.value.__cause__}"
        logged = [record.getMessage() for record in caplog.records if record.name.startswith(("dragoman", "slack"))]
        assert r.acme.app.bot_token not in "\n".join(logged)
