"""What was said, to edit or delete it later."""

from collections.abc import Generator
from typing import Any, Self

from .action import Target
from .address import Address
from .errors import SkillError

__all__ = ["Handle"]


class Handle:
    """A message of the bot's (or of anybody: `of`). It is there at once; ``await`` it or do not, as you like.

    ``str(handle)`` can be stored, and given to `Context.edit` in any later run::

        ctx.store.set("notice", str(ctx.reply("One moment...")))
    """

    def __init__(self, address: Address, key: str) -> None:
        self.address = address
        self.target = Target(key=key)

    @classmethod
    def of(cls, address: Address, message: str) -> Self:
        """The handle of whatever message, by the platform's id: to react to it, or to say something below it."""
        handle = cls(address, "")
        handle.target = Target(id=message)
        return handle

    @property
    def key(self) -> str:
        """The key of the action that said it; empty if it is only known by the platform's id."""
        return self.target.key or ""

    def __str__(self) -> str:
        # An address is percent-escaped, so the first bar is ours; no key begins with one.
        message = self.key if self.target.id is None else f"|{self.target.id}"
        return f"{self.address}|{message}"

    def __repr__(self) -> str:
        return f"Handle({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, Handle) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``str(handle)`` back.

        Raises:
            SkillError: it is none.
        """
        address, bar, key = text.partition("|")
        try:
            if not bar or not key.removeprefix("|"):
                raise ValueError(text)
            place = Address.parse(address)
            return cls.of(place, key[1:]) if key.startswith("|") else cls(place, key)
        except ValueError:
            raise SkillError(f"{text!r} is not a message's handle: store str(handle) and give that back") from None

    def __await__(self) -> Generator[Any, None, Self]:
        # Nothing has to be waited for, and a handler that is an "async def" may still write "await".
        yield from ()
        return self
