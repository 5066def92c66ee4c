"""A skill is told what the platform has refused for good: once, and never about what it says of that."""

import pytest
from sqlalchemy import Engine, select

from dragoman import Content, Context, DeliveryError, Event, LookUp, React, Send, Skill, Target, Undeliverable, wire
from dragoman.match import Routes
from dragoman.store.catalogue import publish_manifests
from dragoman.store.ledger import Finish, Routed, claim_runs, finish_runs, record_events, route_events
from dragoman.store.schema import events
from framework.gateway_rig import Rig, rig
from support.samples import HERE, message, task

__all__ = ["rig"]

REFUSED = DeliveryError("chat.postMessage: is_archived: the channel is archived", code="is_archived")


def dice(*, told: bool = True) -> Skill:
    skill = Skill("dice")

    @skill.command()
    def roll() -> str:
        return "5"

    if told:

        @skill.on_undeliverable()
        def lost(ctx: Context) -> None:
            pass

    return skill


def answer(engine: Engine, event: Event) -> Send:
    """The answer of a run of the skill for an event, as the ledger has it."""
    found = task(event)
    said = Send(key=f"{event.key}|dice.roll|0", address=HERE, content=Content(text="5"), run=found.run)
    with engine.begin() as connection:
        record_events(connection, [event])
        route_events(connection, [Routed(event, ((found, 2),), ())])
        claim_runs(connection, [(found.run, "me")])
        finish_runs(connection, [Finish(found.run, "me", (said,), first=True)])
    return said


def told(engine: Engine) -> list[Undeliverable]:
    with engine.connect() as connection:
        bodies = connection.execute(select(events.c.body)).scalars()
        return [event for body in bodies if isinstance(event := wire.decode_event(body), Undeliverable)]


async def refused(rig: Rig, action: Send) -> None:
    rig.adapter.failures = [REFUSED]
    async with rig.running():
        await rig.publish(action)
        await rig.until(lambda: rig.state(action.key) == "parked")


async def test_the_skill_gets_an_event_with_all_that_is_known(rig: Rig) -> None:
    with rig.engine.begin() as connection:
        publish_manifests(connection, [dice().manifest()])
    event = message("roll", key="e1")
    said = answer(rig.engine, event)
    await refused(rig, said)
    (found,) = told(rig.engine)
    assert (found.skill, found.handler, found.action, found.answered) == ("dice", "roll", said.key, "e1")
    assert (found.what, found.text, found.address) == ("send", "5", HERE)
    assert (found.code, found.reason) == ("is_archived", str(REFUSED))
    assert (found.person, found.conversation) == (event.person, event.conversation)
    assert rig.error(said.key) == f"is_archived: {REFUSED}"
    # It is on its way to the router, and not only in the ledger.
    assert rig.broker.depth(rig.broker.topology.router_queue().name) == 1


async def test_it_is_told_once_however_often_the_refusal_comes(rig: Rig) -> None:
    with rig.engine.begin() as connection:
        publish_manifests(connection, [dice().manifest()])
    said = answer(rig.engine, message("roll", key="e1"))
    await refused(rig, said)
    with rig.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE actions SET state = 'pending', due_at = 1")
    again = Rig(rig.engine, rig.broker, rig.blobs)
    await refused(again, said)
    assert len(told(rig.engine)) == 1


async def test_a_skill_that_does_not_ask_for_it_is_not_told(rig: Rig) -> None:
    with rig.engine.begin() as connection:
        publish_manifests(connection, [dice(told=False).manifest()])
    await refused(rig, answer(rig.engine, message("roll", key="e1")))
    assert told(rig.engine) == []


async def test_what_is_said_of_a_refusal_and_is_refused_makes_no_other_event(rig: Rig) -> None:
    with rig.engine.begin() as connection:
        publish_manifests(connection, [dice().manifest()])
    await refused(rig, answer(rig.engine, message("roll", key="e1")))
    (event,) = told(rig.engine)
    second = Rig(rig.engine, rig.broker, rig.blobs)
    await refused(second, answer(rig.engine, event))
    assert len(told(rig.engine)) == 1


@pytest.mark.parametrize(
    "action",
    [
        React(key="no", address=HERE, target=Target(id="m1"), emoji="shipit", optional=True),
        LookUp(key="no", address=HERE, channel="C404"),
    ],
)
async def test_where_nothing_is_amiss_nobody_is_told(rig: Rig, action: React | LookUp) -> None:
    with rig.engine.begin() as connection:
        publish_manifests(connection, [dice().manifest()])
    run = answer(rig.engine, message("roll", key="e1")).run
    rig.adapter.failures = [REFUSED]
    async with rig.running():
        await rig.publish(action.model_copy(update={"run": run}))
        await rig.until(lambda: rig.state("no") == "parked")
    assert told(rig.engine) == []


def test_the_event_goes_to_the_skill_whose_action_it_was_and_to_no_other() -> None:
    other = Skill("other")

    @other.on_undeliverable()
    def lost(ctx: Context) -> None:
        pass

    routes = Routes([dice().manifest(), other.manifest()])
    event = Undeliverable(
        key="u1",
        address=HERE,
        conversation="channel",
        skill="dice",
        handler="roll",
        action="a",
        what="send",
        code="x",
        reason="x",
        answered="e1",
    )
    assert [(match.skill, match.handler) for match in routes.match(event).matches] == [("dice", "lost")]
    assert routes.match(event.model_copy(update={"skill": "gone"})).matches == ()
