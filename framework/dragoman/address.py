"""Where a conversation is: account, tenant, channel and thread.

An address is data (it crosses exchanges) and also a short string, so that people can put it in a
settings file and a skill can store it and post there a month later::

    >>> here = Address(account="acme", tenant="T1", channel="C2", thread="1700000000.000100")
    >>> str(here)
    '1:acme/T1/C2/1700000000.000100'
    >>> Address.parse(str(here)) == here
    True
"""

from typing import Annotated, Final, Self
from urllib.parse import quote, unquote

from pydantic import Field

from .errors import AddressError
from .model import Frozen

__all__ = ["ANY_TENANT", "NOWHERE", "AccountName", "Address"]

VERSION = "1"

#: The tenant of a channel that is given by name only: the account's own.
ANY_TENANT: Final = "*"

# An account's name is one word of a routing key and part of a queue's name: no dots, stars or hashes.
AccountName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
PlatformId = Annotated[str, Field(min_length=1, max_length=256)]


class Address(Frozen):
    """A place that an event came from or an action goes to.

    ``tenant`` is the installation that the bot answers as (a Slack workspace, a Discord guild), which
    is not always the speaker's own. ``thread`` is the platform's id of the thread, or ``None`` for the
    channel itself. A ``channel`` such as ``#general``, or ``@U1`` for the direct conversation with somebody,
    is looked up by the gateway.
    """

    account: AccountName
    tenant: PlatformId
    channel: PlatformId
    thread: PlatformId | None = None

    def __str__(self) -> str:
        """The versioned short form; every part is percent-escaped, so no id can break it apart."""
        parts = [self.account, self.tenant, self.channel]
        if self.thread is not None:
            parts.append(self.thread)
        return f"{VERSION}:" + "/".join(quote(part, safe="") for part in parts)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the short form back.

        Raises:
            AddressError: the text is not an address, or of a version this Dragoman does not know.
        """
        version, colon, rest = text.partition(":")
        if not colon or version != VERSION:
            raise AddressError(f"{text!r} is not an address: it should start with '{VERSION}:', such as 1:acme/T1/C2")
        parts = [unquote(part) for part in rest.split("/")]
        if len(parts) not in (3, 4) or not all(parts):
            raise AddressError(f"{text!r} is not an address: write 1:account/tenant/channel[/thread]")
        try:
            return cls(
                account=parts[0],
                tenant=parts[1],
                channel=parts[2],
                thread=parts[3] if len(parts) == 4 else None,
            )
        except ValueError as error:
            raise AddressError(f"{text!r} is not an address: {error}") from None

    def in_thread(self, thread: str | None) -> Self:
        """The same channel, in another thread (``None``: in no thread)."""
        return self.model_copy(update={"thread": thread})


#: Where a schedule or a webhook happens, which belong to no conversation.
NOWHERE: Final = Address(account="nowhere", tenant="nowhere", channel="nowhere")
