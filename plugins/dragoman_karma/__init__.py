"""Karma: a bundled skill. It shows a pattern in what anybody says, and counting each message once."""

import re
from typing import Any, Final

from dragoman import Context, Message, Skill, User, literal

__all__ = ["skill"]

#: Somebody who is mentioned (platforms put a space behind that), or a word of two letters or more: nobody means to
#: praise the variable of "i++" or the language C.
THING: Final = r"(?:<@[^\s<>]+> ?|[^\W\d_][\w.-]*\w)"
HEARD: Final = rf"(?:^|[\s(]){THING}(?:\+\+|--)(?:$|[\s,.;:!?)])"
POINT: Final = re.compile(rf"(?<![^\s(])({THING})(\+\+|--)(?=$|[\s,.;:!?)])")
MENTION: Final = re.compile(r"<?@!?([^\s<>|]+)[^<>]*>?")
CODE: Final = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
NAMES: Final = frozenset({"notepad", "libstdc", "libc"})
#: Things in one message that count.
MOST: Final = 10
#: A thing remembers the last runs that changed it, so that a retry of one of them does not do so again.
REMEMBERED: Final = 20

skill = Skill("karma", summary="Points for people and things: `@ann++`, `coffee++`, `mondays--`")


@skill.hear(HEARD)
def give(ctx: Context) -> str | None:
    """Give a point, as in `@ann++ for the cake`, or take one, as in `mondays--`."""
    if not isinstance(ctx.event, Message):
        return None
    said = POINT.findall(CODE.sub(" ", ctx.event.content.plain))
    given = {thing: points for found, points in said if (thing := _thing(found)) not in NAMES}
    me = {f"@{ctx.person.id}", ctx.person.name.casefold()} if ctx.person else set()
    lines = [
        f"{_shown(thing)}: nobody can give points to themselves"
        if thing in me
        else f"{_shown(thing)}: {_points(_count(ctx, thing, 1 if points == '++' else -1))}"
        for thing, points in list(given.items())[:MOST]
    ]
    return "\n".join(lines) or None


@skill.command()
def karma(ctx: Context, what: str = "") -> str:
    """Show the points of somebody or something, or who has the most."""
    if what:
        thing = _thing(what)
        return f"{_shown(thing)}: {_points(ctx.store.get(_key(ctx, thing), [0, []])[0])}"
    prefix = _key(ctx, "")
    found = [(key.removeprefix(prefix), total) for key, (total, _) in ctx.store.items(prefix) if total]
    best = sorted(found, key=lambda each: -each[1])[:10]
    lines = [f"{place}. {_shown(thing)}: {_points(total)}" for place, (thing, total) in enumerate(best, 1)]
    return "\n".join(lines) or "Nobody has any points yet. Say such as `coffee++`."


def _count(ctx: Context, thing: str, points: int) -> int:
    def counted(value: list[Any]) -> list[Any]:
        total, runs = value
        return value if ctx.reference in runs else [total + points, [*runs, ctx.reference][-REMEMBERED:]]

    total: int = ctx.store.update(_key(ctx, thing), counted, [0, []])[0]
    return total


def _key(ctx: Context, thing: str) -> str:
    # Everybody in one workspace shares the points, and nobody else.
    return f"{ctx.event.address.account}/{ctx.event.address.tenant}/{thing}"[:256]


def _thing(found: str) -> str:
    """``@id`` for somebody, the word in lower case for anything else."""
    mention = MENTION.fullmatch(found.strip())
    return f"@{mention[1]}" if mention else found.strip().casefold()


def _shown(thing: str) -> str:
    return User(id=thing[1:]).mention if thing.startswith("@") else literal(thing)


def _points(total: int) -> str:
    return f"{total} point{'s' * (abs(total) != 1)}"
