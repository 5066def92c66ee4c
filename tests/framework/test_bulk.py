"""What somebody waits for, and what nobody does."""

from typing import Any

from dragoman import Context, Event, Scheduled
from support.samples import HERE, message, task
from support.services import FakeServices


def context(event: Event) -> Context:
    return Context(task(event), FakeServices())


def test_an_answer_to_a_person_goes_before_what_nobody_waits_for() -> None:
    def bulk(ctx: Context, *places: Any) -> list[bool]:
        ctx.reply("here")
        for place in places:
            ctx.send(place, "there")
        return [action.bulk for action in ctx.take()]

    event = message("roll")
    assert event.person is not None
    assert bulk(context(event), event.person, "#news", HERE) == [False, False, True, False]
    nobody = Scheduled(key="s", address=HERE, conversation="channel", skill="dice", handler="roll", due=1.0)
    assert bulk(context(nobody)) == [True]
    assert bulk(context(nobody.model_copy(update={"person": event.person}))) == [True]
