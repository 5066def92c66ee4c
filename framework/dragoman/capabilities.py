"""What an adapter's platform can do, declared: for people who choose, and for the page that lists it.

An adapter says for each capability that it is there (`yes`, with limits), or what happens instead (`no`). The contract
for adapters (`dragoman.testing.AdapterContract`) holds the declaration to what the adapter does.
"""

from typing import Any

from pydantic import ConfigDict, Field

from .model import Frozen

__all__ = ["Ability", "Capabilities", "no", "yes"]


class Ability(Frozen):
    """Whether something is there; ``note`` says its limits, or what happens instead."""

    there: bool
    note: str = ""

    def __bool__(self) -> bool:
        return self.there

    def __str__(self) -> str:
        return ": ".join(filter(None, ("yes" if self.there else "no", self.note)))


def yes(note: str = "") -> Ability:
    """It is there; ``note``: its limits."""
    return Ability(there=True, note=note)


def no(instead: str = "") -> Ability:
    """It is not there; ``instead``: what happens."""
    return Ability(there=False, note=instead)


def _ability(description: str) -> Any:
    return Field(default_factory=no, description=description)


class Capabilities(Frozen):
    """All of them, each with a default of "no". The descriptions are the rows of the table in the documentation."""

    model_config = ConfigDict(extra="forbid")

    # What comes in.
    messages: Ability = _ability("what people say in channels")
    direct: Ability = _ability("direct messages with the bot")
    groups: Ability = _ability("conversations of several people that are no channel")
    threads: Ability = _ability("threads, and answers in them")
    edits: Ability = _ability("people's edits are heard of")
    deletions: Ability = _ability("deletions are heard of")
    reactions: Ability = _ability("people's reactions are heard of")
    joins: Ability = _ability("who joins")
    profiles: Ability = _ability("changes of people's names, roles and time zones")
    bots: Ability = _ability("messages of other programs")
    attachments: Ability = _ability("files that people attach, and their bytes")
    slash: Ability = _ability("a command is also a slash command of the platform")
    people: Ability = _ability("what is known of people")
    again: Ability = _ability("what could not be taken, or was missed, comes again")
    # What goes out.
    sends: Ability = _ability("the longest text of one message (a longer one is split, never cut)")
    changes: Ability = _ability("the bot changes what it said")
    takes_back: Ability = _ability("the bot takes back what it said")
    reacts: Ability = _ability("the bot puts emoji on messages, and takes its own away")
    uploads: Ability = _ability("the bot sends files")
    typing: Ability = _ability("the bot shows that it is busy")
    once: Ability = _ability("a message that may have been sent is not sent twice")
    by_name: Ability = _ability("channels are found by name, people are written to directly")
