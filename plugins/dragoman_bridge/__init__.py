"""Bridge: a bundled skill that joins channels of different platforms (or of one).

What a person says in one of them is said in the others with their name, and edits, deletions, reactions, files and
threads follow it. What programs say never crosses, this bot's own words least of all: so there is no way round for a
message to come back. It shows a skill that needs order, and one that remembers what belongs together::

    [[skills.bridge.bridges]]
    channels = ["acme:#general", "guild:#general"]

Messages to the bot cross as well, since nothing that people say should be missing elsewhere; ``commands = false`` keeps
them, and what the bot answers stays where it was asked.
"""

from typing import Any, Final

from dragoman import (
    CommandTrigger,
    Content,
    Context,
    Deleted,
    Edited,
    Handle,
    Message,
    Reaction,
    Skill,
    SkillError,
)

from .memory import Memory, Said
from .settings import BridgeSettings, Joined
from .telling import author, body, bring, translated
from .wording import attached, said

__all__ = ["BridgeSettings", "skill"]

#: Characters that every platform takes in one message. An adapter splits a longer text, and an edit of its first part
#: could not reach the rest.
SHORT: Final = 1500

skill = Skill(
    "bridge",
    summary="Join channels of different platforms",
    order="conversation",
    # More than the time for names and files.
    time_limit=120,
    settings=BridgeSettings,
)


@skill.on("message")
def cross(ctx: Context[BridgeSettings]) -> None:
    """Say in the other channels what somebody has said in one."""
    event, joined = ctx.event, _joined(ctx)
    if joined is None or not isinstance(event, Message) or not _by_a_person(ctx):
        return
    if not ctx.settings.commands and _is_command(ctx, event):
        return
    # A retry numbers what it says: everything that may turn out otherwise the next time is known before.
    memory = Memory(ctx, ctx.settings.keep)
    header = author(ctx, joined)
    text = translated(ctx, event.content.text)
    fetched, left = bring(ctx, event.content.files)
    about = (attached(fetched) if fetched else "", "\n".join(left))
    below = _roots(memory, event.address.thread, joined)
    words = said(header, body(text, about))
    copies: dict[str, tuple[str, ...]] = {}
    for place in joined.others:
        made = [ctx.send(place.address, words, below=below.get(place.key))]
        if fetched:
            # On their own: a platform that refuses a file does not refuse the words.
            made.append(ctx.send(place.address, Content(files=tuple(fetched)), below=below.get(place.key)))
        copies[place.key] = tuple(map(str, made))
    memory.remember(
        Said(
            place=joined.here.key,
            address=str(event.address),
            id=event.id,
            header=header,
            files=about,
            copies=copies,
            long=len(words) > SHORT,
        )
    )
    if event.address.thread is not None and (fresh := copies.keys() - below.keys()):
        known = {key: str(handle) for key, handle in below.items()}
        memory.begin(event.address.thread, known | {key: copies[key][0] for key in sorted(fresh)})


@skill.on("edited")
def follow(ctx: Context[BridgeSettings]) -> None:
    """Change the copies of what somebody has changed."""
    event, joined = ctx.event, _joined(ctx)
    if joined is None or not isinstance(event, Edited) or not _by_a_person(ctx):
        return
    memory = Memory(ctx, ctx.settings.keep)
    found = memory.original(event.id)
    if found is None:
        return
    words = said(found.header, body(translated(ctx, event.content.text), found.files))
    if len(words) <= SHORT and not found.long:
        for made in found.copies.values():
            ctx.edit(made[0], words)
        return
    # A retry of this run finds the copies that it has made.
    old = found.before if found.made_by == event.key else found.copies
    below = _roots(memory, event.address.thread, joined)
    new: dict[str, tuple[str, ...]] = {}
    for place, (first, *files) in old.items():
        ctx.delete(first)
        handle = ctx.send(Handle.parse(first).address, words, below=below.get(place))
        new[place] = (str(handle), *files)
    changes = {"copies": new, "before": old, "made_by": event.key, "long": len(words) > SHORT}
    memory.remember(found.model_copy(update=changes))


@skill.on("deleted")
def remove(ctx: Context[BridgeSettings]) -> None:
    """Take back the copies of what was deleted."""
    event = ctx.event
    if _joined(ctx) is None or not isinstance(event, Deleted):
        return
    memory = Memory(ctx, ctx.settings.keep)
    found = memory.original(event.id)
    if found is None:
        return
    for handle in (handle for made in found.copies.values() for handle in made):
        ctx.delete(handle)
    memory.remember(found.model_copy(update={"deleted_by": event.key}))


@skill.on("reaction")
def react(ctx: Context[BridgeSettings]) -> None:
    """Put somebody's emoji on all copies and on the original, or take it away after the last one who had put it.

    The bot has one emoji for all people elsewhere, so it is counted who has it there.
    """
    event, joined = ctx.event, _joined(ctx)
    if joined is None or not isinstance(event, Reaction) or ctx.person is None or not _by_a_person(ctx):
        return
    memory = Memory(ctx, ctx.settings.keep)
    found = memory.find(event.id)
    if found is None:
        return
    original, here = found
    who = f"{here} {ctx.person.id}"
    people = memory.reacted(original, event.emoji, who, added=event.added)
    if who not in people:
        return  # It was put there before anybody counted.
    for place, handle in original.everywhere.items():
        wanted = any(there and not key.startswith(f"{place} ") for key, there in people.items())
        if place != here and wanted == event.added:
            # Not every platform has every emoji.
            ctx.react(event.emoji, on=handle, remove=not event.added, optional=True)


def _joined(ctx: Context[BridgeSettings]) -> Joined | None:
    """Where the channel of the event stands.

    Raises:
        SkillError: nobody can say what it is called, so it may be a joined one: better late than lost.
    """
    here, name = ctx.event.address, ctx.event.channel_name
    found = ctx.settings.find(here, name)
    if found is None and not name and ctx.event.conversation == "channel" and ctx.settings.names(here.account):
        name = ctx.look_up_channel(here.channel).name
        if not name:
            raise SkillError(f"what is the channel {here} called? Join channels by their ids, and nobody needs to know")
        found = ctx.settings.find(here, name)
    return found


def _by_a_person(ctx: Context[Any]) -> bool:
    return ctx.person is not None and not ctx.person.bot


def _is_command(ctx: Context[BridgeSettings], event: Message) -> bool:
    """Whether it was said to the bot. A reply to what the bot has said is for whoever said that, unless it commands."""
    request = event.request.strip()
    if event.addressed and request != event.content.plain.strip():
        return True  # It names the bot.
    prefix = next((prefix for prefix in ctx.settings.prefixes if request.startswith(prefix)), "")
    if not prefix and not event.addressed:
        return False
    words = request.removeprefix(prefix).casefold().removeprefix("/").split()
    triggers = (handler.trigger for each in ctx.catalogue() for handler in each.handlers)
    names = (name.split() for trigger in triggers if isinstance(trigger, CommandTrigger) for name in trigger.names)
    return any(words[: len(name)] == name for name in names)


def _roots(memory: Memory, thread: str | None, joined: Joined) -> dict[str, Handle]:
    """What a thread hangs on in the other channels, as far as that is known."""
    if thread is None:
        return {}
    roots = {place: Handle.parse(handle) for place, handle in (memory.thread(thread) or {}).items()}
    found = memory.find(thread)
    if found is not None:
        roots |= found[0].everywhere
    return {place.key: roots[place.key] for place in joined.others if place.key in roots}
