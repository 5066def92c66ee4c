"""What is inside is not connected to, however it is written and whoever says that it is there."""

import ipaddress
import socket

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from dragoman.adapting import is_outside
from dragoman.outward import OutwardResolver, outward


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "0.0.0.0",
        "0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::1",
        "[::1]",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:7f00:1",
        "::127.0.0.1",
        "2002:7f00:1::",
        "2002:0a00:1::1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
    ],
)
def test_what_is_inside_is_told_however_it_is_written(host: str) -> None:
    assert not is_outside(host)


@pytest.mark.parametrize("host", ["files.slack.com", "93.184.216.34", "2606:4700::6810:84e5", "[2606:4700::1111]"])
def test_the_rest_of_the_world_is_outside(host: str) -> None:
    assert is_outside(host)


@given(st.one_of(st.ip_addresses(network="10.0.0.0/8"), st.ip_addresses(network="127.0.0.0/8")))
def test_no_spelling_of_a_private_address_is_outside(address: ipaddress.IPv4Address) -> None:
    first, *rest = address.packed
    number = int(address)
    for host in (
        str(address),
        str(number),
        hex(number),
        f"0{number:o}",
        f"{first:#x}.{number & 0xFFFFFF}",
        f"0{first:o}.{rest[0]}.{int.from_bytes(rest[1:])}",
        f"::ffff:{address}",
    ):
        assert not is_outside(host)


class Names(AbstractResolver):
    """A name server that says what it is told to."""

    def __init__(self, **names: list[str]) -> None:
        self.names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=found,
                port=port,
                family=socket.AF_INET6 if ":" in found else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for found in self.names[host]
        ]

    async def close(self) -> None:
        pass


async def test_only_the_public_addresses_of_a_name_are_used() -> None:
    names = Names(mixed=["10.0.0.1", "93.184.216.34", "::1"], inside=["169.254.169.254"], sixth=["fd00::1"])
    resolver = OutwardResolver(inner=names)
    assert [each["host"] for each in await resolver.resolve("mixed", 443)] == ["93.184.216.34"]
    for inside in ("inside", "sixth"):
        with pytest.raises(OSError, match=f"{inside} is at no public address"):
            await resolver.resolve(inside, 443)


async def test_what_the_settings_name_may_be_inside() -> None:
    names = Names(proxy=["10.0.0.1"])
    (found,) = await OutwardResolver({"proxy"}, names).resolve("proxy", 3128)
    assert found["host"] == "10.0.0.1"


async def test_a_session_does_not_reach_a_server_of_the_inside(caplog: pytest.LogCaptureFixture) -> None:
    asked: list[str] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        asked.append(request.host)
        return web.Response(text="inside")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        # The machine's own name server says that these are here.
        async with aiohttp.ClientSession(connector=outward("https://slack.com/api/", None)) as session:
            for host in ("localhost", "2130706433", "0x7f000001"):
                with pytest.raises(aiohttp.ClientError):
                    await session.get(f"http://{host}:{port}/")
        assert asked == []
        assert "127.0.0.1" in caplog.text
        async with (
            aiohttp.ClientSession(connector=outward(f"http://localhost:{port}")) as session,
            session.get(f"http://localhost:{port}/") as home,
        ):
            assert await home.text() == "inside"
    finally:
        await runner.cleanup()
