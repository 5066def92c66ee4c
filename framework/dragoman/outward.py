"""Connections to the outside only: to the platform, and never to what is beside the bot.

A platform's address may say anything, and so may the name server that is asked for it: behind a public name there may
be this machine, its neighbours, or the metadata of a cloud (169.254.169.254). `outward` makes the connections of an
adapter's HTTP session; it looks at each address after it has been resolved, and connects to the one that it looked at.
"""

import logging
import socket
from collections.abc import Collection

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from yarl import URL

from .adapting import is_outside

__all__ = ["OutwardResolver", "outward"]

log = logging.getLogger(__name__)


def outward(*home: str | None) -> aiohttp.TCPConnector:
    """The connections of a session that may only go outside.

    Args:
        home: addresses (URLs) of the account's own settings, whose hosts may be anywhere: ``api_url``, ``proxy``.
    """
    hosts = {URL(each).host or "" for each in home if each}
    return aiohttp.TCPConnector(resolver=OutwardResolver(hosts))


class OutwardResolver(AbstractResolver):
    """Resolves names, and refuses those that are inside.

    Args:
        home: the hosts that may be.
        inner: who resolves.
    """

    def __init__(self, home: Collection[str] = (), inner: AbstractResolver | None = None) -> None:
        self._home = frozenset(home)
        self._inner = inner or DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The public addresses of a host.

        Raises:
            OSError: it has none, or is not known.
        """
        found = await self._inner.resolve(host, port, family)
        if host in self._home:
            return found
        public = [each for each in found if is_outside(str(each["host"]))]
        if not public:
            where = ", ".join(sorted({str(each["host"]) for each in found}))
            log.error("%s is said to be at %s, which is no public address: not connected", host, where)
            raise OSError(f"{host} is at no public address")
        return public

    async def close(self) -> None:
        """End it."""
        await self._inner.close()
