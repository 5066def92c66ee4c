"""Poll: a bundled skill. It shows reactions, the edit of an earlier message, and a count that many change at once."""

from collections import Counter
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import Field

from dragoman import Context, Reaction, Skill, literal

__all__ = ["skill"]

NUMBERS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "keycap_ten")
#: A poll that nobody closes is forgotten.
OPEN: Final = timedelta(days=30)
#: Votes nearer to each other than this may be shown in the wrong order.
CALM: Final = timedelta(seconds=5)

#: What the conversation's store has under "poll <reference>".
Poll = dict[str, Any]

skill = Skill("poll", summary="Ask, and count the votes")


@skill.command()
def poll(
    ctx: Context,
    question: Annotated[str, Field(description="in quotes if it is more than one word")],
    options: Annotated[list[str], Field(description="2 to 10 answers; in quotes those of more than one word")],
) -> str | None:
    """Ask everybody here; they vote with the number emoji: `poll "Lunch?" pizza sushi "the usual"`."""
    # People forget the quotes, and then the question ends with the first question mark.
    end = next((number for number, option in enumerate(options, 1) if option.endswith("?")), 0)
    if not question.endswith("?") and len(options) >= end + 2:
        question, options = " ".join([question, *options[:end]]), options[end:]
    question, options = " ".join(question.split()), list(dict.fromkeys(" ".join(each.split()) for each in options))
    if not question or not all(options) or not 2 <= len(options) <= len(NUMBERS):
        return f'A poll has a question and 2 to {len(NUMBERS)} different answers: `poll "Lunch?" pizza sushi`.'
    found: Poll = {"question": question, "options": options, "votes": {}, "closed": "", "at": ctx.event.occurred}
    message = ctx.reply(_shown(found))
    for emoji in NUMBERS[: len(options)]:
        ctx.react(emoji, on=message)
    found |= {"message": str(message), "author": ctx.person.id if ctx.person else ""}
    ctx.store.conversation.set(f"poll {ctx.reference}", found, expires=OPEN)
    return None


@skill.command(name="poll close")
def close(ctx: Context) -> str:
    """Close your last poll here, and say how it ended."""
    me = ctx.person.id if ctx.person else ""
    # A retry of this run finds the one that it has closed.
    mine = [
        (found["closed"], found["at"], key)
        for key, found in ctx.store.conversation.items("poll ")
        if found["author"] == me and found["closed"] in ("", ctx.reference)
    ]
    if not mine:
        return "You have no open poll here."
    found = ctx.store.conversation.update(max(mine)[-1], lambda found: {**found, "closed": ctx.reference})
    ctx.edit(found["message"], _shown(found))
    counted = _counted(found)
    most = max(counted.values(), default=0)
    winners = [literal(option) for number, option in enumerate(found["options"]) if counted[number] == most]
    votes = f"with {most} vote{'s' * (most != 1)}{' each' * (len(winners) > 1)}"
    result = f"{' and '.join(winners)}, {votes}" if most else "nobody has voted"
    return f"**{literal(found['question'])}** {result}."


@skill.on("reaction")
def vote(ctx: Context) -> None:
    """Count somebody's vote, or take it back."""
    event, person = ctx.event, ctx.person
    if not isinstance(event, Reaction) or event.emoji not in NUMBERS or person is None or person.bot:
        return  # Most reactions end here, before anything is looked up.
    option = NUMBERS.index(event.emoji)
    open_polls = ((key, found) for key, found in ctx.store.conversation.items("poll ") if not found["closed"])
    key, found = next((each for each in open_polls if ctx.about(each[1]["message"])), ("", None))
    if found is None or option >= len(found["options"]):
        return

    def counted(found: Poll) -> Poll:
        # Reactions may be handled in any order, and more than once: the last that happened counts.
        if not found["closed"] and found["votes"].get(f"{option}/{person.id}", [0.0])[0] <= event.occurred:
            found["votes"][f"{option}/{person.id}"] = [event.occurred, event.added]
        return found

    found = ctx.store.conversation.update(key, counted, found)
    ctx.edit(found["message"], _shown(found))
    if sum(abs(at - event.occurred) < CALM.total_seconds() for at, _ in found["votes"].values()) > 1:
        # Somebody else's vote is counted at the same moment, and the older of the two edits may come last.
        ctx.later(CALM, show, key=key)


@skill.schedule()
def show(ctx: Context, key: str) -> None:
    """Show the count once more, when it is calm."""
    if found := ctx.store.conversation.get(key):
        ctx.edit(found["message"], _shown(found))


def _counted(found: Poll) -> Counter[int]:
    return Counter(int(ballot.split("/")[0]) for ballot, (_, added) in found["votes"].items() if added)


def _shown(found: Poll) -> str:
    counted = _counted(found)
    lines = [
        f":{NUMBERS[number]}: {literal(option)}" + (f" **{counted[number]}**" if counted[number] else "")
        for number, option in enumerate(found["options"])
    ]
    return f"**{literal(found['question'])}**{' (closed)' if found['closed'] else ''}\n\n" + "\n".join(lines)
