"""Remind: a bundled skill. It shows `ctx.later`, `ctx.store`, and times in the words and the zone of people.

A reminder is a timer (it survives restarts, and happens once) and an entry in the person's list, until its time.
"""

import re
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import Field

from dragoman import Context, Skill, User, literal, read_moment

__all__ = ["skill"]

MOST: Final = 100
OPENING: Final = re.compile(r"[\s:,]*(?:(?:to|that|about)\s+)?", re.IGNORECASE)

Reminder = Annotated[str, Field(description="when, and of what; or of what, and when")]
Entries = list[dict[str, Any]]

skill = Skill("remind", summary="Reminders that survive restarts")


@skill.command(name="remind me")
def me(ctx: Context, reminder: Reminder) -> str:
    """Remind you of something: `remind me tomorrow 9:00 to call Bo`, or `remind me to stretch in 2h`."""
    return _remind(ctx, reminder, us=False)


@skill.command(name="remind us")
def us(ctx: Context, reminder: Reminder) -> str:
    """Remind everybody here: `remind us on friday 15:00 to show the demo`."""
    return _remind(ctx, reminder, us=True)


@skill.command()
def reminders(ctx: Context) -> str:
    """List your reminders; in a channel, those that you asked for there."""
    mine = sorted(_pending(ctx, ctx.store.person.get("reminders", [])), key=lambda each: each["due"])
    here = [each for each in mine if ctx.event.conversation == "direct" or each["channel"] == ctx.event.address.channel]
    lines = [f"- **{each['number']}** {_when(ctx, each['due'])}: {literal(each['text'])}" for each in here]
    lines += [f"- {len(mine) - len(here)} elsewhere: ask me in a direct message"] * (len(mine) > len(here))
    return "\n".join(lines) or "You have no reminders."


@skill.command()
def forget(ctx: Context, number: Annotated[int, Field(ge=1, description="as `reminders` shows it")]) -> str:
    """Take a reminder back."""

    def forgotten(found: Entries) -> Entries:
        # Marked, not dropped: a retry of this run finds what it has forgotten.
        return [{**each, "by": ctx.reference} if each["number"] == number else each for each in _pending(ctx, found)]

    for each in ctx.store.person.update("reminders", forgotten, []):
        if "by" in each:
            ctx.cancel(each["timer"])
            return f"I will not remind you {_when(ctx, each['due'])}."
    return f"You have no reminder {number}. `reminders` lists them."


@skill.schedule()
def due(ctx: Context, text: str, us: bool) -> str:
    """The time has come: say it where it was asked for, in the same thread."""
    whom = f"{User(id=ctx.person.id, name=ctx.person.name).mention} " if ctx.person and not us else ""
    late = f" (late: it was for {_when(ctx, at)})" if ctx.now().timestamp() - (at := ctx.event.occurred) > 300 else ""
    return f"⏰ {whom}{literal(text)}{late}"


def _remind(ctx: Context, reminder: str, us: bool) -> str:
    # From when it was said, so that "in 2h" is the same in a retry.
    said = datetime.fromtimestamp(ctx.event.occurred or ctx.now().timestamp(), ctx.now().tzinfo)
    try:
        moment, text = _split(reminder, said)
    except ValueError as error:
        return f"{error}."
    at = moment.timestamp()
    if not text:
        return "What should I remind you of? Say such as `remind me tomorrow 9:00 to call Bo`."
    if at <= said.timestamp() or moment - said > timedelta(days=5 * 366):
        return f"I can remind you in the next five years, and that is {_when(ctx, at)}."
    timer = ctx.later(moment, due, text=text, us=us)

    def added(found: Entries) -> Entries:
        kept = _pending(ctx, found)
        number = max((each["number"] for each in kept), default=0) + 1
        entry = {"number": number, "timer": timer, "due": at, "text": text[:100], "channel": ctx.event.address.channel}
        return kept if len(kept) >= MOST or any(each["timer"] == timer for each in kept) else [*kept, entry]

    if all(each["timer"] != timer for each in ctx.store.person.update("reminders", added, [])):
        ctx.cancel(timer)
        return f"You have {MOST} reminders already. Take one back first: `reminders` lists them."
    unknown = "" if ctx.person and ctx.person.timezone else "; I do not know your time zone"
    return f"I will remind {'everybody here' if us else 'you'} {_when(ctx, at)} ({said.tzinfo}{unknown})."


def _split(reminder: str, now: datetime) -> tuple[datetime, str]:
    """The moment that it begins or ends with, and the rest; or a ValueError for the person."""
    words = [word.rstrip(":") for word in reminder.split()]
    if found := read_moment(words, now):
        return found[0], OPENING.sub("", "".join(reminder.split(maxsplit=found[1])[found[1] :]), count=1)
    for begin in range(max(1, len(words) - 12), len(words)):
        with suppress(ValueError):  # "to pay 3/4 of it tomorrow": that was no date
            if (found := read_moment(words[begin:], now)) and begin + found[1] == len(words):
                return found[0], OPENING.sub("", reminder.rsplit(maxsplit=found[1])[0], count=1)
    raise ValueError("When? Say such as `tomorrow 9:00`, `in 2h`, `friday 15:00` or `2031-03-01 14:00`")


def _pending(ctx: Context, found: Entries) -> Entries:
    now, run = ctx.now().timestamp(), ctx.reference
    return [each for each in found if each["due"] > now and each.get("by", run) == run]


def _when(ctx: Context, at: float) -> str:
    moment = datetime.fromtimestamp(at, ctx.now().tzinfo)
    days = (moment.date() - ctx.now().date()).days
    date = f"on {moment:%A}" if 1 < days < 7 else f"on {moment.day} {moment:%B %Y}"
    return f"{ {0: 'today', 1: 'tomorrow'}.get(days, date) } at {moment:%H:%M}"
