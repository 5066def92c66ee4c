"""Dice: a bundled skill, and a first example of one."""

import random
import re
from typing import Annotated

from pydantic import Field

from dragoman import Skill

__all__ = ["skill"]

DICE = re.compile(r"(\d{0,2})d(\d{1,4})([+-]\d{1,4})?", re.IGNORECASE)

skill = Skill("dice", summary="Roll dice")


@skill.command()
def roll(dice: str = "1d6", times: Annotated[int, Field(ge=1, le=20)] = 1) -> str:
    """Roll dice such as 2d20, or 3d6+2; several times if you like."""
    found = DICE.fullmatch(dice)
    if found is None or int(found[1] or 1) == 0 or int(found[2]) == 0:
        return f"`{dice[:40].replace('`', '')}` is not something I can roll. Try `2d20` or `3d6+2`."
    count, sides, plus = int(found[1] or 1), int(found[2]), int(found[3] or 0)
    return "\n".join(_once(count, sides, plus) for _ in range(times))


def _once(count: int, sides: int, plus: int) -> str:
    rolled = [random.randint(1, sides) for _ in range(count)]  # noqa: S311  # a game, not a secret
    total = sum(rolled) + plus
    if count == 1 and not plus:
        return f"🎲 **{total}**"
    extra = f" {'+' if plus > 0 else '-'} {abs(plus)}" if plus else ""
    return f"🎲 {' + '.join(map(str, rolled))}{extra} = **{total}**"
