"""The files that people attach, fetched from Discord's hosts and from nowhere else.

The address of a file came over an exchange, so it may say anything: it is looked at before anything is sent, and so is
every address that we are sent on to. No token goes along; the address is signed instead, and ends after a while
(https://docs.discord.com/developers/reference#signed-attachment-cdn-urls).
"""

from collections.abc import AsyncIterator
from typing import Final

import aiohttp
from yarl import URL

from dragoman import DeliveryError, FileRef
from dragoman.outward import outward

from .attachments import shown_name
from .settings import DiscordSettings
from .uploads import patience

__all__ = ["HOSTS", "allowed", "download"]

#: ``url`` and ``proxy_url`` of an attachment object
#: (https://docs.discord.com/developers/resources/message#attachment-object).
HOSTS: Final = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
#: Bytes that are handed on at once.
PIECE: Final = 64 * 1024
MOST_HOPS: Final = 3
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
#: What it answers when there is no such file, or the address has ended.
GONE: Final = frozenset({401, 403, 404, 410})
#: Bytes of a file that does not say how many it has.
UNKNOWN: Final = 100 * 1024 * 1024


def allowed(file: FileRef, address: str, cdn_url: str | None = None) -> URL:
    """The address of a file, if it is one of Discord's: https, one of `HOSTS`, no user and no port of its own.

    Args:
        cdn_url: the one place instead of them.

    Raises:
        DeliveryError: it is not.
    """
    try:
        url = URL(address)
        if cdn_url is not None:
            good = bool(url.host) and url.origin() == URL(cdn_url).origin()
        else:
            good = url.scheme == "https" and url.host in HOSTS and url.explicit_port in (None, 443)
        good = good and url.raw_user is None and url.raw_password is None
    except (ValueError, TypeError):
        good = False
    if not good:
        where = cdn_url or " or ".join(sorted(HOSTS))
        raise DeliveryError(
            f"the file {shown_name(file)!r} is not on Discord, so it is not fetched: its address must begin with "
            f"https and the host {where}",
            code="foreign_file",
        )
    return url


async def download(file: FileRef, settings: DiscordSettings) -> AsyncIterator[bytes]:
    """The bytes of a file, in pieces.

    Raises:
        DeliveryError: it is not on Discord (``foreign_file``), it is gone or its address has ended (``no_file``), or
            it cannot be had now (to be tried again).
    """
    url = allowed(file, file.url, settings.cdn_url)
    name = shown_name(file)
    total = patience(UNKNOWN if file.size is None else file.size, settings.timeout)
    timeout = aiohttp.ClientTimeout(total=total, sock_connect=settings.timeout, sock_read=settings.timeout)
    # As it is: what were unpacked on the way is not what somebody attached.
    headers = {"Accept-Encoding": "identity"}
    try:
        async with aiohttp.ClientSession(
            connector=outward(settings.cdn_url, settings.proxy),
            timeout=timeout,
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        ) as session:
            for _ in range(MOST_HOPS):
                async with session.get(url, allow_redirects=False, proxy=settings.proxy) as response:
                    if response.status in REDIRECTS:
                        further = url.join(URL(response.headers.get("Location", "")))
                        url = allowed(file, str(further), settings.cdn_url)
                        continue
                    _good(name, response.status)
                    async for piece in response.content.iter_chunked(PIECE):
                        yield piece
                    return
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise DeliveryError(
            f"the file {name!r} could not be fetched from Discord ({type(error).__name__})",
            code="connection",
            retry=True,
        ) from None
    raise DeliveryError(f"the file {name!r} could not be fetched: Discord sends us in a circle", code="bad_response")


def _good(name: str, status: int) -> None:
    """Raises for an answer that is no file."""
    if status == 200:
        return
    if status in GONE:
        raise DeliveryError(
            f"Discord does not give the file {name!r} any more (HTTP {status}): its message was deleted, or its "
            "address has ended, as it does after a while; fetch a file when its message comes",
            code="no_file",
        )
    retry = status >= 500 or status in (408, 429)
    raise DeliveryError(
        f"the file {name!r} could not be fetched from Discord: HTTP {status}", code=f"http_{status}", retry=retry
    )
