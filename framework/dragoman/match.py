"""Which handlers an event is for: a pure function of the event and the catalogue.

Everything is verified here, before a task is sent: what is claimed twice, what cannot be matched and
what does not fit is a clear error with the culprits' names, or an answer to the person.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .arguments import convert, parse
from .errors import ArgumentsError, CatalogueError
from .event import Event, Message
from .manifest import CommandTrigger, HandlerManifest, HearTrigger, OnTrigger, SkillManifest
from .patterns import Pattern, PatternSet
from .priority import Priority

__all__ = ["Match", "Matched", "Routes", "verify"]

Place = tuple[SkillManifest, HandlerManifest]

#: What is said after a mention may be long; a command's name is not.
LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Match:
    """One handler that an event is for."""

    skill: str
    handler: str
    arguments: dict[str, Any]
    priority: Priority


@dataclass(frozen=True, slots=True)
class Matched:
    """What to do about an event: run handlers, and perhaps say something to the person at once."""

    matches: tuple[Match, ...] = ()
    answer: str | None = None


@dataclass(slots=True)
class Routes:
    """A catalogue, compiled. ``problems`` names what had to be left out; the elder of two claims is kept."""

    manifests: Sequence[SkillManifest]
    prefixes: Sequence[str] = ("!",)
    problems: list[str] = field(default_factory=list, init=False)
    _commands: dict[str, Place] = field(default_factory=dict, init=False)
    _hears: list[Place] = field(default_factory=list, init=False)
    _patterns: PatternSet = field(init=False)
    _on: dict[str, list[Place]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        patterns: list[Pattern] = []
        for skill in self.manifests:
            for handler in skill.handlers:
                match handler.trigger:
                    case CommandTrigger(names=names):
                        for name in names:
                            self._claim(name.casefold(), (skill, handler))
                    case HearTrigger(pattern=pattern, ignore_case=ignore_case):
                        try:
                            patterns.append(Pattern(pattern, ignore_case=ignore_case))
                            self._hears.append((skill, handler))
                        except CatalogueError as error:
                            self.problems.append(f"{_name((skill, handler))} cannot be heard: {error}")
                    case OnTrigger(event=event):
                        self._on.setdefault(event, []).append((skill, handler))
        self._patterns = PatternSet(patterns)

    def _claim(self, name: str, place: Place) -> None:
        held = self._commands.setdefault(name, place)
        if held[1] is not place[1]:
            self.problems.append(
                f"the command {name!r} is claimed by {_name(held)} and by {_name(place)}: {_name(held)} keeps it; "
                "rename one of them"
            )

    def match(self, event: Event) -> Matched:
        """Find the handlers of an event, with their arguments parsed and verified."""
        matches = [Match(s.name, h.name, {}, Priority.OVERHEARD) for s, h in self._on.get(event.kind, ())]
        # Programs that answer each other would never stop.
        if not isinstance(event, Message) or (event.person is not None and event.person.bot):
            return Matched(tuple(matches))
        request, addressed = event.request.strip(), event.addressed
        for prefix in self.prefixes:
            if request.startswith(prefix) and len(request) > len(prefix):
                request = request[len(prefix) :]
                # A prefix alone does not make it talk to the bot ("!!!"): only a command that exists does.
                addressed = addressed or _first(request)[0] in self._commands
                break
        if addressed:
            word, rest = _first(request)
            if word in self._commands:
                skill, handler = self._commands[word]
                try:
                    arguments = parse(word, handler.parameters, rest)
                except ArgumentsError as error:
                    return Matched(tuple(matches), f"{error}\nUsage: `{error.usage}`")
                matches.append(Match(skill.name, handler.name, arguments, Priority.COMMAND))
                return Matched(tuple(matches))
        heard = list(self._heard(event.content.plain))
        matches.extend(heard)
        if addressed and not heard:
            return Matched(tuple(matches), self._unknown(_first(request)[0]))
        return Matched(tuple(matches))

    def _heard(self, text: str) -> "list[Match]":
        found: list[Match] = []
        if not self._hears:
            return found
        for index, groups in self._patterns.search(text):
            skill, handler = self._hears[index]
            try:
                arguments = convert(handler.name, handler.parameters, groups)
            except ArgumentsError:
                continue  # The pattern fits but the value does not: nobody asked for anything.
            found.append(Match(skill.name, handler.name, arguments, Priority.OVERHEARD))
        return found

    def _unknown(self, word: str) -> str:
        hint = " `help` lists what I can do." if "help" in self._commands else ""
        if not word:
            return f"Yes?{hint}"
        shown = word.replace("`", "'")[:LONGEST_NAME]
        near = difflib.get_close_matches(word[:LONGEST_NAME], self._commands, n=1, cutoff=0.6)
        if near:
            return f"I do not know `{shown}`. Did you mean `{near[0]}`?{hint}"
        return f"I do not know `{shown}`.{hint}"


def verify(manifests: Sequence[SkillManifest]) -> None:
    """Raise CatalogueError if skills cannot be served together; for the start of a worker and ``check``."""
    if problems := Routes(manifests).problems:
        raise CatalogueError("; ".join(problems))


def _first(text: str) -> tuple[str, str]:
    """The first word, as commands are named, and the rest of the text."""
    word, rest = (*text.split(maxsplit=1), "", "")[:2]
    return word.casefold().removeprefix("/"), rest


def _name(place: Place) -> str:
    return f"{place[0].name}.{place[1].name}"
