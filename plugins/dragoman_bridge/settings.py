"""``[skills.bridge]``: which channels are joined, and how what crosses looks."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ByteSize, ConfigDict, Field, ValidationInfo, model_validator

from dragoman import Address, AddressError

__all__ = ["Bridge", "BridgeSettings", "Joined", "Place"]

#: A channel of an account, of whichever tenant.
ANY: Final = "*"
CHANNEL: Final = re.compile(r"(?P<account>[a-z0-9][a-z0-9_-]{0,62}):(?P<channel>#[^#\s]+|[^\s#@:/]+)")
#: What a format may say, in braces.
WORDS: Final = ("name", "account", "channel", "bridge")
WORD: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Place:
    """A channel as the settings have it. ``key`` is the same for every way to write the same name or id."""

    written: str
    address: Address

    @property
    def key(self) -> str:
        return str(self.address)


@dataclass(frozen=True)
class Joined:
    """A channel that is joined to others: where it stands in its bridge."""

    bridge: "Bridge"
    here: Place
    others: tuple[Place, ...]


def read_place(text: str) -> Place:
    """What a channel in the settings means.

    Raises:
        ValueError: it is no channel.
    """
    if text.startswith("1:") and "/" in text:
        try:
            address = Address.parse(text)
        except AddressError as error:
            raise ValueError(str(error)) from None
        if address.thread is not None:
            raise ValueError(f"{text!r} is a thread: leave out what stands behind the channel")
        return Place(text, address)
    found = CHANNEL.fullmatch(text)
    if found is None:
        raise ValueError(
            f'{text!r} is no channel: write an account and a name, such as "acme:#general", an account and an id, '
            'such as "acme:C0123", or an address, such as "1:acme/T1/C0123"'
        )
    channel = found["channel"].casefold() if found["channel"].startswith("#") else found["channel"]
    return Place(text, Address(account=found["account"], tenant=ANY, channel=channel))


def verify_channel(text: str, info: ValidationInfo) -> str:
    """A channel of an account that there is.

    Raises:
        ValueError: it is none.
    """
    account = read_place(text).address.account
    try:
        verify_account(account, info)
    except ValueError as error:
        raise ValueError(f"{text!r} is on {error}") from None
    return text


def verify_account(account: str, info: ValidationInfo) -> str:
    """An account that there is.

    Raises:
        ValueError: there is no such.
    """
    known = (info.context or {}).get("accounts") or (account,)
    if account not in known:
        near = difflib.get_close_matches(account, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there is {', '.join(known)}"
        raise ValueError(f"the account {account!r}, which has no section [accounts.{account}]; {hint}")
    return account


def verify_format(text: str) -> str:
    """What stands in front of a message.

    Raises:
        ValueError: it does not name the author, or has braces around something else.
    """
    unknown = [word for word in WORD.findall(text) if word not in WORDS]
    known = ", ".join(f"{{{word}}}" for word in WORDS)
    if unknown:
        raise ValueError(f"{{{unknown[0]}}} means nothing here: there is {known}")
    if "{name}" not in text:
        raise ValueError(f"nobody would know who said it: write {{name}} somewhere (there is {known})")
    return text


Format = Annotated[str, AfterValidator(verify_format)]


class Section(BaseModel):
    """Strict about its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Bridge(Section):
    """``[[skills.bridge.bridges]]``

    Attributes:
        channels: two or more, each as ``account:#name``, ``account:ID`` or an address.
        name: what a format calls it.
        format: instead of that of all bridges.
    """

    channels: tuple[Annotated[str, AfterValidator(verify_channel)], ...]
    name: str = ""
    format: Format | None = None

    @model_validator(mode="after")
    def joins_different_channels(self) -> "Bridge":
        if len(self.channels) < 2:
            raise ValueError('channels needs at least two: channels = ["acme:#general", "guild:#general"]')
        seen: set[str] = set()
        for place in self.places:
            if place.key in seen:
                raise ValueError(f"channels has {place.written!r} twice: take one of them out")
            seen.add(place.key)
        return self

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The channels, read."""
        return tuple(map(read_place, self.channels))


class BridgeSettings(Section):
    """``[skills.bridge]``

    Attributes:
        bridges: each joins some channels.
        format: what stands in front of a message: CommonMark, with ``{name}`` and perhaps ``{account}``, ``{channel}``
            and ``{bridge}``.
        labels: what ``{account}`` says, by account; left out, the account's name.
        commands: whether what people say to the bot crosses, too. What the bot answers never does.
        prefixes: how commands begin (``[bot] prefixes``); only looked at if commands do not cross.
        file_limit: how large a file may be that crosses; a larger one is a link. What a platform takes differs, on
            Discord from server to server (https://docs.discord.com/developers/reference#uploading-files).
        keep_days: how long it is known what crossed, so that edits, deletions, reactions and threads follow it.
    """

    bridges: tuple[Bridge, ...] = ()
    format: Format = "**{name}** ({account}): "
    labels: dict[Annotated[str, AfterValidator(verify_account)], str] = Field(default_factory=dict)
    commands: bool = True
    prefixes: tuple[Annotated[str, Field(min_length=1)], ...] = ("!",)
    file_limit: ByteSize = ByteSize(10_000_000)
    keep_days: Annotated[float, Field(gt=0, le=400)] = 30.0

    @model_validator(mode="after")
    def joins_a_channel_once(self) -> "BridgeSettings":
        seen: set[str] = set()
        for place in (place for bridge in self.bridges for place in bridge.places):
            if place.key in seen:
                raise ValueError(f"{place.written!r} is in two bridges: write all of their channels into one")
            seen.add(place.key)
        return self

    @property
    def keep(self) -> timedelta:
        """The same as a length of time."""
        return timedelta(days=self.keep_days)

    def find(self, here: Address, name: str) -> Joined | None:
        """Where a channel of that name stands; ``None`` if it is not joined to any other. Three look-ups at most."""
        known = self._joined
        return (
            known.get((here.account, here.tenant, here.channel))
            or known.get((here.account, ANY, here.channel))
            or (known.get((here.account, ANY, f"#{name.casefold()}")) if name else None)
        )

    def names(self, account: str) -> bool:
        """Whether a channel of that account is joined by its name."""
        return account in self._named

    def header(self, joined: Joined, name: str, account: str, channel: str) -> str:
        """What stands in front of a message; every word is CommonMark."""
        words = {"name": name, "account": account, "channel": channel, "bridge": joined.bridge.name}
        return WORD.sub(lambda found: words[found[1]], joined.bridge.format or self.format)

    @cached_property
    def _joined(self) -> Mapping[tuple[str, str, str], Joined]:
        return {
            (here.address.account, here.address.tenant, here.address.channel): Joined(
                bridge, here, tuple(place for place in bridge.places if place is not here)
            )
            for bridge in self.bridges
            for here in bridge.places
        }

    @cached_property
    def _named(self) -> frozenset[str]:
        return frozenset(account for account, _, channel in self._joined if channel.startswith("#"))

    def model_post_init(self, context: Any) -> None:
        """Read everything at the start, not at the first message."""
        _ = self._joined, self._named
