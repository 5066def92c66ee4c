"""What is told elsewhere of a message: who said it, its words, its files. What has to be asked for is asked here."""

import contextlib
import time
from collections.abc import Sequence
from typing import Any, Final

from dragoman import Context, FileRef, SkillError

from .settings import BridgeSettings, Joined
from .wording import linked, shown, without_mentions

__all__ = ["author", "body", "bring", "translated"]

#: Seconds that one message may take to look up names in it, and to fetch its files.
NAMES: Final = 15.0
FILES: Final = 60.0


def author(ctx: Context[BridgeSettings], joined: Joined) -> str:
    """What stands in front of a message of whoever the event is of."""
    here, person = ctx.event.address, ctx.person
    assert person is not None
    name = person.name or ctx.look_up(person).name or person.id
    account = ctx.settings.labels.get(here.account, here.account)
    channel = ctx.event.channel_name or here.channel
    return ctx.settings.header(joined, shown(name), shown(account), shown(channel))


def translated(ctx: Context[Any], text: str) -> str:
    """The text, with plain names for whom it mentions."""
    until = time.monotonic() + NAMES

    def person(id: str) -> str:
        return ctx.look_up(id).name if time.monotonic() < until else ""

    def channel(id: str) -> str:
        return ctx.look_up_channel(id).name if time.monotonic() < until else ""

    return without_mentions(text, person, channel)


def body(text: str, about: tuple[str, str]) -> str:
    """The text of a message, and what is said of its files."""
    alone, left = about
    return "\n\n".join(filter(None, (text or alone, left))) or "(something that cannot be shown here)"


def bring(ctx: Context[BridgeSettings], files: Sequence[FileRef]) -> tuple[list[FileRef], list[str]]:
    """The files of a message that can be sent, and what is said instead of the others."""
    limit, until = ctx.settings.file_limit, time.monotonic() + FILES
    wanted = [file for file in files if (file.size or 0) <= limit]
    with contextlib.suppress(SkillError):
        ctx.files.fetch_all(wanted)  # at the same time; what became of each is asked below
    fetched: list[FileRef] = []
    left: list[str] = []
    for file in files:
        try:
            if file in wanted and time.monotonic() > until:
                raise SkillError("they have taken long enough")
            if file not in wanted or (file.size is None and len(ctx.files.read(file)) > limit):
                left.append(linked(file, "too large to be brought here"))
            else:
                fetched.append(ctx.files.fetch(file))
        except SkillError as error:
            ctx.log.warning("a file does not cross: %s", error)
            left.append(linked(file, "could not be brought here"))
    return fetched, left
