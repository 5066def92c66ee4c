"""Where to say something: from what an author writes to an address."""

import difflib
import re
from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError

from .address import ANY_TENANT, NOWHERE, Address
from .errors import SkillError
from .event import Person
from .people import User

__all__ = ["find_place"]

#: ``#general`` or ``acme:#general``.
CHANNEL: Final = re.compile(r"(?:(?P<account>[a-z0-9][a-z0-9_-]*):)?(?P<channel>#[^#\s]+)")


def find_place(place: Address | User | Person | str, here: Address, accounts: Sequence[str]) -> Address:
    """The address of what `Context.send` was given.

    Args:
        here: where the event happened.
        accounts: the bot's; empty if that is not known.

    Raises:
        SkillError: there is no such account, or it is not said on which.
        AddressError: it is no stored address.
    """
    try:
        address = _address(place, here, accounts)
    except ValidationError:
        raise SkillError(f"ctx.send: {str(place)[:60]!r} is no place that there could be") from None
    if accounts and address.account not in (*accounts, here.account):
        near = difflib.get_close_matches(address.account, accounts, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f" (there are: {', '.join(accounts)})"
        raise SkillError(f"ctx.send: there is no account {address.account!r} in the settings{hint}")
    return address


def _address(place: Address | User | Person | str, here: Address, accounts: Sequence[str]) -> Address:
    if isinstance(place, Address):
        return place
    if isinstance(place, User | Person):
        if here == NOWHERE:
            raise SkillError("ctx.send: of which account is this person? Give an Address")
        return Address(account=here.account, tenant=here.tenant, channel=f"@{place.id}")
    found = CHANNEL.fullmatch(place)
    if found is None:
        return Address.parse(place)
    account = found["account"]
    if account is None and here == NOWHERE:
        if len(accounts) != 1:
            name = next(iter(accounts), "acme")
            raise SkillError(f"ctx.send: on which account is {place}? Write such as {name}:{place}")
        account = accounts[0]
    if account is None or account == here.account:
        return Address(account=here.account, tenant=here.tenant, channel=found["channel"])
    return Address(account=account, tenant=ANY_TENANT, channel=found["channel"])
