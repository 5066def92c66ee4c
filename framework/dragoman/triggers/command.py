"""``@skill.command()``: the first words of what is said to the bot, or a slash command."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final, Literal

from ..arguments import convert, parse
from ..cooldown import Cooldown
from ..errors import CatalogueError, SkillError
from ..event import Message, SlashCommand
from ..priority import Priority
from ..spelling import Spelling
from .trigger import Candidate, Declared, Index, Occasion, Place, Trigger

__all__ = ["CommandIndex", "CommandTrigger"]

#: What is said after a mention may be long; a command's name is not.
LONGEST_NAME: Final = 64
#: Discord's commands have at most two levels of sub-commands
#: (https://discord.com/developers/docs/interactions/application-commands#subcommands-and-subcommand-groups).
MOST_WORDS: Final = 3


class CommandTrigger(Trigger):
    """The first words of what is said to the bot. ``names``: the name, then its aliases; ``deploy start``."""

    kind: Literal["command"] = "command"
    names: tuple[str, ...]

    @classmethod
    def declare(
        cls, *names: str, name: str | None = None, allow: Sequence[str] = (), cooldown: Cooldown | None = None
    ) -> Declared:
        """Run the function when one of its names is said to the bot; its parameters are the grammar.

        Args:
            names: other names for it.
            name: its own name, instead of the function's: one to three words, such as ``deploy start``.
            allow: the roles that may use it; everybody if left out.
            cooldown: how often it may be used.
        """
        if any(callable(each) for each in names):
            raise SkillError("write @skill.command() with parentheses")
        said = tuple(dict.fromkeys((*([name] if name is not None else []), *names)))
        for each in said:
            words = each.split(" ")
            if not all(words) or len(words) > MOST_WORDS or each != each.casefold() or len(each.split()) != len(words):
                raise SkillError(f"the command {each!r} must be one to {MOST_WORDS} lower-case words, one space apart")
        # Without a name of its own, the function's comes in front: `named`.
        return Declared(cls(names=said if name is not None else ("", *said)), tuple(allow), cooldown)

    def named(self, function: str) -> CommandTrigger:
        """The same, with the function's name where none was given."""
        if self.names[0]:
            return self
        if function != function.casefold():
            raise SkillError(f"the command {function!r} must be lower case: say @skill.command(name=...)")
        return CommandTrigger(names=tuple(dict.fromkeys((function, *self.names[1:]))))

    @classmethod
    def index(cls, prefixes: Sequence[str]) -> Index:
        return CommandIndex(prefixes)


class CommandIndex(Index):
    """Names to handlers. ``prefixes``: what makes a message a command without the bot's name in front."""

    def __init__(self, prefixes: Sequence[str]) -> None:
        self._prefixes = sorted(prefixes, key=len, reverse=True)  # of "!" and "!!", the longer is meant
        self._places: dict[str, Place] = {}
        #: First words that are no command themselves: the sub-commands of each.
        self._families: dict[str, list[str]] = {}
        self._spelling = Spelling()

    def add(self, place: Place, trigger: CommandTrigger) -> None:
        problems = []
        for each in trigger.names:
            name = each.casefold()
            held = self._places.setdefault(name, place)
            if held.handler is not place.handler:
                problems.append(
                    f"the command {name!r} is claimed by {held} and by {place}: {held} keeps it; rename one of them"
                )
            self._spelling.add(name.split(" ", 1)[0])
            if " " in name and held.handler is place.handler:
                family = self._families.setdefault(name.split(" ", 1)[0], [])
                if name not in family:
                    family.append(name)
        if problems:
            raise CatalogueError("; ".join(problems))

    def find(self, occasion: Occasion) -> Iterator[Candidate]:
        event = occasion.event
        if isinstance(event, SlashCommand):
            occasion.addressed = True
            occasion.request = f"{event.name} {event.text}".strip()
        elif isinstance(event, Message):
            self._strip_prefix(occasion)
        if not occasion.addressed:
            return
        name, rest = self._longest(occasion.request)
        place = self._places.get(name)
        if place is None:
            # A sub-command that does not exist: nobody else is meant; `otherwise` says which there are.
            occasion.commanded = name in self._families
            return
        parameters = place.handler.parameters
        if isinstance(event, SlashCommand) and event.options is not None:
            arguments = partial(convert, name, parameters, event.options, now=occasion.now)
        else:
            arguments = partial(parse, name, parameters, rest, now=occasion.now)
        yield Candidate(place, arguments, Priority.COMMAND, command=name)

    def otherwise(self, occasion: Occasion) -> str | None:
        event = occasion.event
        if not occasion.addressed or not isinstance(event, Message | SlashCommand):
            return None
        if isinstance(event, Message) and event.replies_to and event.request.strip() == event.content.plain.strip():
            # People answer what the bot has said (to a reminder, to what it repeats of others) and ask nothing of it.
            return None
        word, rest = first_word(occasion.request)
        hint = " `help` lists what I can do." if "help" in self._places else ""
        if not word:
            return f"Yes?{hint}"
        if word in self._families:
            subs = [name.partition(" ")[2] for name in self._families[word]]
            said = first_word(rest)[0]
            known = ", ".join(f"`{sub}`" for sub in subs)
            if not said:
                return f"`{word}` needs one of {known} behind it."
            return f"`{word}` has no `{_shown(said)}`: there is {known}.{_near(said, subs)}"
        near = self._spelling.suggest(word)
        meant = f" Did you mean `{near}`?" if near else ""
        return f"I do not know `{_shown(word)}`.{meant}{hint}"

    def _strip_prefix(self, occasion: Occasion) -> None:
        for prefix in self._prefixes:
            without = occasion.request.removeprefix(prefix)
            if without and without != occasion.request:
                name, _ = self._longest(without)
                # A prefix alone does not make it talk to the bot ("!!!"): only a command that exists does.
                if occasion.addressed or name in self._places or name in self._families:
                    occasion.request, occasion.addressed = without, True
                return

    def _longest(self, request: str) -> tuple[str, str]:
        """The longest name that the text begins with (or its first word), and the rest of the text."""
        word, rest = first_word(request)
        name, behind = word, rest
        best = (word, rest)
        if word in self._families:
            for _ in range(MOST_WORDS - 1):
                more, behind = first_word(behind)
                if not more:
                    break
                name = f"{name} {more}"
                if name in self._places:
                    best = (name, behind)
        return best


def first_word(text: str) -> tuple[str, str]:
    """The first word, as commands are named, and the rest of the text."""
    word, rest = (*text.split(maxsplit=1), "", "")[:2]
    return word.casefold().removeprefix("/"), rest


def _shown(word: str) -> str:
    return word.replace("`", "'")[:LONGEST_NAME]


def _near(word: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(word[:LONGEST_NAME], names, n=1, cutoff=0.6)
    return f" Did you mean `{near[0]}`?" if near else ""
