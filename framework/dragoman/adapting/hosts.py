"""Which addresses are inside: of this machine, its neighbours, a cloud's metadata. Pure."""

import ipaddress
import socket
from typing import Any

__all__ = ["is_outside"]

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_outside(host: str) -> bool:
    """Whether a host is not an address of the inside: names are, whatever is behind them, as are public addresses.

    As lenient as C libraries are about what an IPv4 address is: ``127.1``, ``0x7f000001``, ``017700000001`` and
    ``2130706433`` are all 127.0.0.1.
    """
    text = host.strip("[]").partition("%")[0]
    try:
        return _is_public(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        return _is_public(ipaddress.IPv4Address(socket.inet_aton(text)))
    except (OSError, UnicodeError):
        return text.rstrip(".").lower() != "localhost" and not text.rstrip(".").lower().endswith(".localhost")


def _is_public(address: IPAddress) -> bool:
    if not address.is_global or address.is_multicast or address.is_unspecified or address.is_reserved:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return all(_is_public(each) for each in _carried(address))
    return True


def _carried(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses that an IPv6 address leads to: mapped, 6to4, Teredo, NAT64 (RFC 6052)."""
    found: list[Any] = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in ipaddress.ip_network("64:ff9b::/96"):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [each for each in found if each is not None]
