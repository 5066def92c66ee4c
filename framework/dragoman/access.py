"""Who may do what: the rules of ``dragoman.toml``, the bot's own roles, and a handler's ``allow``.

The rules are tried in order and the first that matches decides. If none does, the handler's ``allow`` decides: its
roles, or everybody if it has none. What nobody asks for (a schedule, a webhook) is not subject to any of this.

::

    [roles]
    deployers = ["acme:U2", "ann"]

    [[rules]]
    allow = false
    commands = ["deploy*"]
    channels = ["direct", "#random"]
    reason = "Only in #ops, please."

Texts are compared as globs (``*``, ``?``, ``[abc]``), whatever their case.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import translate
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from .event import EventBase, Person
    from .manifest import HandlerManifest

__all__ = ["UNASKED", "Access", "Considered", "Decision", "GlobText", "Globs", "Rule", "shown"]

#: Events that no person caused.
UNASKED: Final = frozenset({"schedule", "webhook"})


def verify_glob(text: str) -> str:
    """A glob that can match something.

    Raises:
        ValueError: it is empty, or a bracket in it is not closed or holds nothing.
    """
    if not text.strip():
        raise ValueError("an empty text matches nothing: write '*' for everything")
    without_sets = re.sub(r"\[!?\]?[^\]]*\]", "", text)
    if "[" in without_sets:
        raise ValueError("a '[' is never closed: write '[[]' for the bracket itself")
    if "(?!)" in translate(text):
        raise ValueError("a range such as [z-a] matches nothing: write it as [a-z]")
    return text


#: A text with ``*``, ``?`` and ``[abc]``.
GlobText = Annotated[str, AfterValidator(verify_glob)]

#: Several, and at least one.
Globs = Annotated[tuple[GlobText, ...], Field(min_length=1)]

Noun = Literal["people", "channels", "roles", "commands", "accounts"]
NOUNS: Final[tuple[Noun, ...]] = ("people", "channels", "roles", "commands", "accounts")


class Rule(BaseModel):
    """``[[rules]]``: a list that is left out matches everything; all that are given must match.

    Attributes:
        allow: what is decided if the rule matches.
        people: ids, or ``account:id``. No names: on most platforms people choose theirs, and could choose an
            operator's.
        channels: ids, ``#name``, either with ``account:`` in front, or ``direct`` for direct messages.
        roles: of the platform, or of ``[roles]``. Somebody without any role matches none, not even ``*``.
        commands: names and aliases (a command's name stands for its sub-commands too), or ``skill.handler``.
        accounts: names of accounts.
        reason: said to a person who may not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    allow: bool
    people: Globs | None = None
    channels: Globs | None = None
    roles: Globs | None = None
    commands: Globs | None = None
    accounts: Globs | None = None
    reason: Annotated[str, Field(min_length=1)] | None = None

    def globs(self) -> Iterator[tuple[Noun, tuple[str, ...]]]:
        """The lists that are given."""
        for noun in NOUNS:
            if (globs := getattr(self, noun)) is not None:
                yield noun, globs

    def __str__(self) -> str:
        lists = " and ".join(f"{noun} {', '.join(globs)}" for noun, globs in self.globs())
        return f"allow = {str(self.allow).lower()} for {lists or 'everything'}"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is allowed.

    Attributes:
        reason: which rule decided, for those who run the bot.
        say: for the person, if it is not allowed; else empty.
    """

    allowed: bool
    reason: str
    say: str = ""


@dataclass(frozen=True, slots=True)
class Considered:
    """A rule that was tried. ``number`` is its place in the file, from 1; ``why`` says why it matched or did not."""

    number: int
    rule: Rule
    matches: bool
    why: str


class _Globs:
    """A list of globs, compiled."""

    __slots__ = ("_patterns", "texts")

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = tuple(texts)
        self._patterns = [re.compile(translate(text.casefold())) for text in self.texts]

    def match(self, candidates: Sequence[str]) -> str | None:
        """The first glob that one of the candidates fits."""
        for text, pattern in zip(self.texts, self._patterns, strict=True):
            if any(pattern.match(candidate.casefold()) for candidate in candidates):
                return text
        return None


@dataclass(frozen=True, slots=True)
class Access:
    """The rules and the bot's own roles, compiled."""

    rules: Sequence[Rule] = ()
    roles: Mapping[str, Sequence[str]] = field(default_factory=dict)
    _rules: tuple[tuple[Rule, dict[Noun, _Globs]], ...] = field(init=False, repr=False, compare=False)
    _roles: dict[str, _Globs] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        compiled = tuple((rule, {noun: _Globs(globs) for noun, globs in rule.globs()}) for rule in self.rules)
        object.__setattr__(self, "_rules", compiled)
        object.__setattr__(self, "_roles", {name: _Globs(globs) for name, globs in self.roles.items()})

    def roles_of(self, person: "Person | None", account: str) -> frozenset[str]:
        """The roles that somebody has, in lower case: the platform's, and those of ``[roles]``. Nobody has none."""
        if person is None:
            return frozenset()
        ids = _ids(person, account)
        own = (name for name, globs in self._roles.items() if globs.match(ids) is not None)
        return frozenset(role.casefold() for role in (*person.roles, *own))

    def decide(self, person: "Person | None", event: "EventBase", skill: str, handler: "HandlerManifest") -> Decision:
        """Whether ``person`` may have this handler run for this event."""
        if event.kind in UNASKED:
            return Decision(True, f"nobody asked for it: a {event.kind} is subject to no rule")
        name = shown(handler)
        for tried in self.consider(person, event, skill, handler):
            if tried.matches:
                reason = f"rule {tried.number} of dragoman.toml: {tried.rule}"
                if tried.rule.allow:
                    return Decision(True, reason)
                here = " here" if tried.rule.channels is not None else ""
                return Decision(False, reason, tried.rule.reason or f"You may not use `{name}`{here}.")
        if not handler.allow:
            return Decision(True, f"no rule matches; {name} is for everybody")
        has = self.roles_of(person, event.address.account)
        wanted = f"{name} is for the role{'s' if len(handler.allow) > 1 else ''} {_listed(handler.allow, 'and')}"
        reason = f"no rule matches; {wanted}, and {_call(person)} has {_listed(sorted(has), 'and') or 'none'}"
        if has & {role.casefold() for role in handler.allow}:
            return Decision(True, reason)
        return Decision(False, reason, f"You may not use `{name}`: it is for {_listed(handler.allow, 'or')}.")

    def consider(
        self, person: "Person | None", event: "EventBase", skill: str, handler: "HandlerManifest"
    ) -> Iterator[Considered]:
        """Try the rules in order, up to and with the first that matches."""
        account = event.address.account
        have: dict[Noun, Sequence[str]] = {
            "people": _ids(person, account) if person is not None else ("",),
            "channels": _channels(event),
            "roles": sorted(self.roles_of(person, account)) if self._rules else (),
            "commands": _commands(skill, handler),
            "accounts": (account,),
        }
        for number, (rule, lists) in enumerate(self._rules, start=1):
            fitting: list[str] = []
            for noun, globs in lists.items():
                found = globs.match(have[noun])
                if found is None:
                    told = ", ".join(filter(None, have[noun])) or "none"
                    yield Considered(number, rule, False, f"{noun} {', '.join(globs.texts)}: not {told}")
                    break
                fitting.append(f"{noun} {found}")
            else:
                yield Considered(number, rule, True, " and ".join(fitting) or "it is for everything")
                return


def shown(handler: "HandlerManifest") -> str:
    """What people call a handler: a command's name, or the handler's own."""
    return handler.names[0] if handler.names else handler.name


def _ids(person: "Person", account: str) -> tuple[str, ...]:
    """What somebody is matched by: what nobody can choose."""
    return person.id, f"{account}:{person.id}"


def _channels(event: "EventBase") -> tuple[str, ...]:
    forms = [event.address.channel]
    if event.conversation == "direct":
        forms.append("direct")
    elif event.channel_name:
        forms.append(f"#{event.channel_name}")
    return tuple(dict.fromkeys((*forms, *(f"{event.address.account}:{form}" for form in forms))))


def _commands(skill: str, handler: "HandlerManifest") -> tuple[str, ...]:
    whole = (word for name in handler.names for word in name.split()[:1])
    return tuple(dict.fromkeys((*handler.names, *whole, f"{skill}.{handler.name}")))


def _call(person: "Person | None") -> str:
    return (person.name or person.id) if person is not None else "an unknown person"


def _listed(texts: Sequence[str], word: str) -> str:
    return f" {word} ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))
