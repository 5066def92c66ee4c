"""The operator's channel, ``[bot] operator``: where the bot says what is wrong with itself."""

import re
from typing import Final

from .action import Action, Send, action_key
from .address import ANY_TENANT, Address
from .content import Content
from .errors import AddressError

__all__ = ["find_channel", "tell"]

CHANNEL: Final = re.compile(r"(?P<account>[a-z0-9][a-z0-9_-]{0,62})[/:](?P<channel>#[^#\s]+)")


def find_channel(text: str) -> Address:
    """The address of a channel such as ``acme/#ops``, or of a stored address such as ``1:acme/T1/C1``.

    Raises:
        AddressError: it is neither.
    """
    found = CHANNEL.fullmatch(text)
    if found is not None:
        return Address(account=found["account"], tenant=ANY_TENANT, channel=found["channel"])
    try:
        return Address.parse(text)
    except AddressError:
        raise AddressError(f"{text!r} is no channel: write an account and a channel, such as acme/#ops") from None


def tell(channel: Address, about: str, text: str) -> Action:
    """Something to say in the operator's channel.

    Args:
        about: what has happened, and when: the same is said once.
    """
    return Send(key=action_key(f"operator/{about}", "dragoman", 0), address=channel, content=Content(text=text))
