"""Files that people attach: fetched from Discord's hosts only, without a token."""

import asyncio

import pytest

from adapters.discord.adapter_rig import Rig, make, rig
from dragoman import DeliveryError, FileRef, Message
from dragoman_discord.downloads import allowed
from dragoman_discord.simulator import DiscordSimulator

SECRET = "/attachments/1/2/a.txt?ex=1&is=2&hm=3&"


async def said(r: Rig, name: str = "plan.txt", content: bytes = b"do it") -> FileRef:
    await r.ann.say(r.general, "see", files={name: content})
    await r.got(1)
    event = r.events[-1]
    assert isinstance(event, Message)
    [file] = event.content.files
    return file


async def fetch(r: Rig, file: FileRef) -> bytes:
    return b"".join([piece async for piece in r.adapter.download(file)])


@pytest.mark.parametrize("content", [b"x", b"", bytes(range(256)) * 12_288], ids=["1 byte", "0 bytes", "3 MB"])
async def test_what_somebody_attached_is_had_in_pieces_and_no_token_is_sent(content: bytes) -> None:
    async with rig() as r:
        file = await said(r, "ein Plan (ü).txt", content)
        assert (file.name, file.size, file.media_type) == ("ein Plan (ü).txt", len(content), "text/plain")
        pieces = [piece async for piece in r.adapter.download(file)]
        assert b"".join(pieces) == content
        assert len(content) < 1_000_000 or len(pieces) > 10
        [fetched] = r.discord.fetched
        assert not {"Authorization", "Cookie"} & set(fetched.headers)


@pytest.mark.parametrize("why", ["ended", "forged", "deleted", "forbidden"])
async def test_an_address_that_gives_nothing_any_more_is_said_and_not_tried_again(why: str) -> None:
    async with rig() as r:
        file = await said(r)
        match why:
            case "ended":
                r.discord.advance(r.discord.attachment_lifetime + 1)
            case "forged":
                file = file.model_copy(update={"url": file.url.replace("hm=", "hm=0")})
            case "deleted":
                r.discord.attachments.clear()
            case _:
                r.discord.fail("GET /attachments", status=403)
        with pytest.raises(DeliveryError, match=r"'plan.txt' any more \(HTTP 40[34]\)") as caught:
            await fetch(r, file)
        assert (caught.value.code, caught.value.retry) == ("no_file", False)


@pytest.mark.parametrize(("status", "code"), [(500, "http_500"), (429, "http_429"), (0, "connection")])
async def test_what_may_pass_is_tried_again(status: int, code: str) -> None:
    async with rig() as r:
        file = await said(r)
        r.discord.fail("GET /attachments", status=status, times=None)
        with pytest.raises(DeliveryError, match=r"'plan\.txt'") as caught:
            await fetch(r, file)
        assert (caught.value.code, caught.value.retry) == (code, True)
        r.discord.recover()
        assert await fetch(r, file) == b"do it"


async def test_who_is_too_slow_is_tried_again() -> None:
    async with rig(settings={"timeout": 0.2}) as r:
        file = await said(r)
        r.discord.delay("GET /attachments", 60)
        with pytest.raises(DeliveryError) as caught:
            await fetch(r, file)
        assert (caught.value.code, caught.value.retry) == ("connection", True)
        r.discord.recover()


@pytest.mark.parametrize(
    "where",
    [
        "http://127.0.0.1:1/secret",
        "http://169.254.169.254/latest",
        "https://cdn.discordapp.com/attachments/1/2/x",
        "{origin}@127.0.0.1:1/x",
        "",
    ],
)
async def test_we_are_not_sent_on_to_other_hosts(where: str) -> None:
    async with rig() as r:
        file = await said(r)
        r.discord.fail("GET /attachments", status=302)
        r.discord.faults._faults[0].headers["Location"] = where.format(origin=r.discord.origin)
        if not where:
            # To itself, again and again.
            r.discord.fail("GET /attachments", status=302, times=None)
        with pytest.raises(DeliveryError) as caught:
            await fetch(r, file)
        assert caught.value.code in ("foreign_file", "bad_response")
        assert not caught.value.retry


async def test_at_the_same_host_we_may_be_sent_on() -> None:
    async with rig() as r:
        file = await said(r)
        r.discord.fail("GET /attachments", status=302)
        r.discord.faults._faults[0].headers["Location"] = file.url
        assert await fetch(r, file) == b"do it"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "plan.txt",
        "file:///etc/passwd",
        "ftp://cdn.discordapp.com/x",
        "http://cdn.discordapp.com/x",
        "//cdn.discordapp.com/x",
        "http://127.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://cdn.discordapp.com@evil.example/x",
        "https://ann:pw@cdn.discordapp.com/x",
        "https://ann@cdn.discordapp.com/x",
        "https://cdn.discordapp.com:8443/x",
        "https://cdn.discordapp.com:99999999/x",
        "https://cdn.discordapp.com.evil.example/x",
        "https://cdn.discordapp.com./x",
        "https://evil.example/cdn.discordapp.com",
        "https://evil.example\\@cdn.discordapp.com/x",
        "https://cdn.discordapp.com\\@evil.example/x",
        "https://evil.example#@cdn.discordapp.com/",
        "https://discord.com/api/v10/users/@me",
        "data:text/plain,x",
        "\x00",
    ],
)
async def test_any_other_address_is_refused_before_anything_is_sent(url: str) -> None:
    file = FileRef(id="1", name="plan.txt", url=url)
    with pytest.raises(DeliveryError, match=r"'plan\.txt' is not on Discord") as caught:
        allowed(file, url)
    assert (caught.value.code, caught.value.retry) == ("foreign_file", False)
    async with DiscordSimulator() as discord:
        discord.application("dragoman")
        # Nothing but its own host may be spoken to.
        adapter = make(discord)
        with pytest.raises(DeliveryError, match="is not on Discord"):
            async with asyncio.timeout(5):
                [piece async for piece in adapter.download(file)]
        await adapter.close()
        assert discord.fetched == []


@pytest.mark.parametrize("host", ["cdn.discordapp.com", "media.discordapp.net", "CDN.discordapp.com:443"])
def test_discords_own_addresses_are_left_as_they_are(host: str) -> None:
    url = allowed(FileRef(id="1"), f"https://{host}{SECRET}")
    assert url.scheme == "https"
    assert str(url).endswith(SECRET)


def test_another_place_is_the_only_one() -> None:
    file = FileRef(id="1", name="a")
    assert str(allowed(file, "http://127.0.0.1:8/a", "http://127.0.0.1:8")) == "http://127.0.0.1:8/a"
    for url in (
        "http://127.0.0.1:9/a",
        "https://127.0.0.1:8/a",
        "https://cdn.discordapp.com/a",
        "http://u@127.0.0.1:8/",
    ):
        with pytest.raises(DeliveryError, match=r"the host http://127\.0\.0\.1:8"):
            allowed(file, url, "http://127.0.0.1:8")
