"""What a skill keeps: `Store` is ``ctx.store``, over whatever implements `Rows`.

Values are JSON. Every call reads or writes at once, in a transaction of its own: what a handler has stored stays
stored when it fails later, and a retry of the handler does it again.
"""

import copy
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import quote

from .address import NOWHERE, Address
from .blocking import off_the_loop
from .errors import SkillError, StoreError
from .event import EventBase
from .values import read_value, write_value

__all__ = ["LONGEST_KEY", "PATIENCE", "Row", "Rows", "Scope", "Store"]

#: Characters of a key.
LONGEST_KEY: Final = 256
#: Seconds that `Scope.update` goes on trying while others change the same value.
PATIENCE: Final = 30.0
#: The pause between two tries is random, and at most so many seconds.
FIRST_PAUSE: Final = 0.002
LONGEST_PAUSE: Final = 0.1

# Of the operating system: processes that were forked from one another must not draw the same pauses.
_RANDOM = random.SystemRandom()


class Row(NamedTuple):
    """A stored value: its JSON, a version that no other write of this key ever has, and its end in unix seconds."""

    value: str
    version: int
    expires_at: float | None


class Rows(Protocol):
    """Where the data are. What has expired is not there, for every method. Called from many threads at once.

    ``value`` is JSON in ASCII. Methods raise StoreError when the data cannot be reached.
    """

    def read(self, skill: str, scope: str, key: str) -> Row | None:
        """What is there."""
        ...

    def write(self, skill: str, scope: str, key: str, value: str, expires_at: float | None) -> None:
        """Put it there, whatever was there before."""
        ...

    def swap(self, skill: str, scope: str, key: str, version: int | None, value: str, expires_at: float | None) -> bool:
        """Put it there only if what is there still has this version (``None``: nothing is there); whether it was."""
        ...

    def delete(self, skill: str, scope: str, key: str) -> bool:
        """Take it away; whether something was there."""
        ...

    def items(self, skill: str, scope: str, prefix: str) -> list[tuple[str, str]]:
        """(key, value) of the keys that begin with the prefix, in the order of their code points."""
        ...


class Scope:
    """The data of a skill for one conversation, for one person, or its own; keys and JSON values.

    No method may be called on an event loop; in an ``async def`` handler write
    ``await asyncio.to_thread(ctx.store.get, "key")``.
    """

    def __init__(
        self,
        rows: Rows,
        skill: str,
        scope: str = "",
        *,
        clock: Callable[[], float] = time.time,
        called: str = "ctx.store",
        patience: float = PATIENCE,
    ) -> None:
        self._rows = rows
        self._skill = skill
        self._scope = scope
        self._clock = clock
        self._called = called
        self._patience = patience

    def get(self, key: str, default: Any = None) -> Any:
        """What is stored under a key."""
        off_the_loop(f"{self._called}.get", '"key"')
        row = self._rows.read(self._skill, self._scope, self._key(key))
        return default if row is None else read_value(row.value)

    def set(self, key: str, value: Any, *, expires: timedelta | None = None) -> None:
        """Store a value, for ever or for a time.

        Raises:
            SkillError: the value is not JSON, or larger than 256 KiB; or the key is longer than 256 characters.
        """
        off_the_loop(f"{self._called}.set", '"key", value')
        text = write_value(value, f"{self._called}.set({key!r})")
        self._rows.write(self._skill, self._scope, self._key(key), text, self._end(expires))

    def delete(self, key: str) -> bool:
        """Forget a value; whether there was one."""
        off_the_loop(f"{self._called}.delete", '"key"')
        return self._rows.delete(self._skill, self._scope, self._key(key))

    def items(self, prefix: str = "") -> list[tuple[str, Any]]:
        """The keys that begin with a prefix, sorted, each with its value."""
        off_the_loop(f"{self._called}.items", '"prefix"')
        if prefix:
            self._key(prefix)
        return [(key, read_value(value)) for key, value in self._rows.items(self._skill, self._scope, prefix)]

    def update(
        self, key: str, function: Callable[[Any], Any], default: Any = None, *, expires: timedelta | None = None
    ) -> Any:
        """Replace a value by what a function makes of it, and lose no change that somebody else makes meanwhile.

        ``ctx.store.update("count", lambda count: count + 1, 0)``

        Args:
            function: is given the value (or the default) and returns the new one. It is called again when the
                value was changed meanwhile, so it should do nothing but calculate.
            expires: from now; ``None``: as long as the value would have been kept without the update.

        Returns:
            The new value.

        Raises:
            SkillError: as in `set`.
            StoreError: others have changed the value all the time, for 30 seconds.
        """
        called = f"{self._called}.update"
        off_the_loop(called, '"key", function')
        self._key(key)
        tries, until = 0, time.monotonic() + self._patience
        while True:
            row = self._rows.read(self._skill, self._scope, key)
            # The function may change what it is given, and may be called again.
            value = function(copy.deepcopy(default) if row is None else read_value(row.value))
            text = write_value(value, f"{called}({key!r})")
            kept = None if row is None else row.expires_at
            end = kept if expires is None else self._end(expires)
            version = None if row is None else row.version
            if self._rows.swap(self._skill, self._scope, key, version, text, end):
                return read_value(text)
            if time.monotonic() >= until:
                raise StoreError(
                    f"{called}({key!r}) of skill {self._skill!r} was overtaken for {self._patience:g} seconds: "
                    "too many handlers change this one value; spread it over several keys"
                )
            # Longer after each try, so that however many compete, somebody always gets through, and random, so
            # that it is not always the same.
            time.sleep(_RANDOM.uniform(0.0, min(FIRST_PAUSE * 2.0 ** min(tries, 10), LONGEST_PAUSE)))
            tries += 1

    def _key(self, key: str) -> str:
        if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY:
            shown = repr(key) if len(repr(key)) <= 60 else f"{repr(key)[:60]}..."
            raise SkillError(f"{self._called}: a key is a text of 1 to {LONGEST_KEY} characters, not {shown}")
        if "\0" in key or not _encodes(key):
            raise SkillError(f"{self._called}: the key {key!r} holds characters that no database can keep")
        return key

    def _end(self, expires: timedelta | None) -> float | None:
        if expires is None:
            return None
        if not isinstance(expires, timedelta) or expires <= timedelta():
            raise SkillError(
                f"{self._called}: expires= is a time from now, such as timedelta(hours=1), not {expires!r}"
            )
        return self._clock() + expires.total_seconds()


class Store(Scope):
    """What a skill keeps for itself; `conversation` and `person` are kept apart from it, and from one another.

    Args:
        event: what the handler runs for: says which conversation, and which person.
        patience: seconds that `update` goes on trying.
    """

    def __init__(
        self,
        rows: Rows,
        skill: str,
        event: EventBase,
        *,
        clock: Callable[[], float] = time.time,
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(rows, skill, clock=clock, patience=patience)
        self._event = event

    @property
    def conversation(self) -> Scope:
        """What the skill keeps for the channel of the event (all threads of it together).

        Raises:
            SkillError: the event belongs to no conversation.
        """
        return self._of_channel(self._event.address, "ctx.store.conversation")

    def conversation_of(self, address: Address | str) -> Scope:
        """What the skill keeps for another channel; the address may be the stored string of one."""
        if isinstance(address, str):
            address = Address.parse(address)
        return self._of_channel(address, "ctx.store.conversation_of(...)")

    @property
    def person(self) -> Scope:
        """What the skill keeps for whoever the event is of.

        Raises:
            SkillError: the event has no person.
        """
        if self._event.person is None:
            raise SkillError(f"ctx.store.person: nobody is named by this {self._event.kind} event")
        return self._of_person(self._event.person.id, "ctx.store.person")

    def person_of(self, user: "Somebody | str") -> Scope:
        """What the skill keeps for somebody else of the same platform, such as a `User` that a command was given."""
        return self._of_person(user if isinstance(user, str) else user.id, "ctx.store.person_of(...)")

    def _of_channel(self, address: Address, called: str) -> Scope:
        self._somewhere(address, called)
        return self._scoped("c", called, address.account, address.tenant, address.channel)

    def _of_person(self, person: str, called: str) -> Scope:
        here = self._event.address
        self._somewhere(here, called)
        return self._scoped("p", called, here.account, here.tenant, person)

    def _scoped(self, kind: str, called: str, *parts: str) -> Scope:
        # Escaped, so that no platform's id can break it apart.
        scope = f"{kind}:" + "/".join(quote(part, safe="", errors="surrogatepass") for part in parts)
        return Scope(self._rows, self._skill, scope, clock=self._clock, called=called, patience=self._patience)

    def _somewhere(self, address: Address, called: str) -> None:
        if address.account == NOWHERE.account and address.tenant == NOWHERE.tenant:
            raise SkillError(
                f"{called}: a {self._event.kind} event belongs to no conversation; "
                "keep it in ctx.store, or name one: ctx.store.conversation_of(address)"
            )


class Somebody(Protocol):
    """Whoever has an id: a `User`, a `Person`."""

    @property
    def id(self) -> str: ...


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
