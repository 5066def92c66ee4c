"""From events to runs: people and channels are completed from the directory, and cooldowns hold."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from dragoman import CatalogueError, ChannelInfo, Cooldown, Event, Person, Scheduled, Skill
from dragoman.match import Routes
from dragoman.routing import BELIEVED, Routing
from dragoman.store.directory import write_channel, write_person
from dragoman.store.engine import open_store
from dragoman.store.ledger import Routed, route_events
from support.samples import EVENTS, HERE, message

dice = Skill("dice")


@dice.command(cooldown=Cooldown(times=1, per=60))
def roll() -> None: ...


@dice.hear("luck", cooldown=Cooldown(times=1, per=60))
def luck() -> None: ...


ROUTES = Routes([dice.manifest()])


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield engine
    engine.dispose()


def tell(engine: Engine, person: Person, now: float = 1.0) -> None:
    with engine.begin() as connection:
        write_person(connection, HERE.account, HERE.tenant, person, now)


def routed(engine: Engine, routing: Routing, *events: Event) -> list[Routed]:
    decided = [routing.decide(ROUTES, event) for event in routing.complete(events)]
    with engine.begin() as connection:
        found = routing.settle(connection, decided)
        route_events(connection, found)
    return found


def said(text: str, key: str = "e1", person: str = "U1") -> Event:
    event = message(text, addressed="luck" not in text, plain=text)
    return event.model_copy(update={"key": key, "person": Person(id=person)})


def test_somebody_is_completed_from_the_directory(engine: Engine) -> None:
    tell(engine, Person(id="U1", name="Ann", timezone="Asia/Tokyo", roles=("admin",), locale="ja"))
    (event,) = Routing(engine).complete([said("roll")])
    assert event.person == Person(id="U1", name="Ann", timezone="Asia/Tokyo", roles=("admin",), locale="ja")


def test_what_the_platform_said_with_the_event_is_kept_where_the_directory_knows_nothing(engine: Engine) -> None:
    tell(engine, Person(id="U1", timezone="Asia/Tokyo"))
    event = said("roll").model_copy(update={"person": Person(id="U1", name="Ann", locale="en", bot=True)})
    (completed,) = Routing(engine).complete([event])
    assert completed.person == Person(id="U1", name="Ann", locale="en", bot=True, timezone="Asia/Tokyo")


def test_a_role_that_was_taken_away_does_not_come_back_with_an_old_event(engine: Engine) -> None:
    tell(engine, Person(id="U1", timezone="America/New_York"))
    old = Person(id="U1", roles=("admin",), timezone="Europe/Berlin")
    (completed,) = Routing(engine).complete([said("roll").model_copy(update={"person": old})])
    assert completed.person == Person(id="U1", timezone="America/New_York")


def test_a_full_memory_forgets_nobody_of_the_batch(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.routing.MOST", 1)
    for name in ("U1", "U2", "U3"):
        tell(engine, Person(id=name, roles=("admin",)))
    routing = Routing(engine)
    routing.complete([said("roll", person="U1"), said("roll", person="U2")])
    found = routing.complete([said("roll", person=name) for name in ("U1", "U2", "U3")])
    assert [event.person.roles if event.person else None for event in found] == [("admin",)] * 3


def test_a_channel_gets_its_name(engine: Engine) -> None:
    with engine.begin() as connection:
        info = ChannelInfo(id=HERE.channel, tenant=HERE.tenant, name="general")
        write_channel(connection, HERE.account, info, 1.0)
    (event,) = Routing(engine).complete([said("roll")])
    assert event.channel_name == "general"


def test_somebody_unknown_is_left_as_they_are_and_looked_for_again(engine: Engine) -> None:
    routing = Routing(engine)
    assert routing.complete([said("roll"), EVENTS["deleted"]])[0].person == Person(id="U1")
    tell(engine, Person(id="U1", name="Ann"))
    assert routing.complete([said("roll")])[0].person == Person(id="U1", name="Ann")


def test_what_is_known_is_believed_for_a_while(engine: Engine) -> None:
    clock = Clock()
    routing = Routing(engine, clock=clock)
    tell(engine, Person(id="U1", name="Ann"))
    routing.complete([said("roll")])
    tell(engine, Person(id="U1", name="Anna"), 2.0)
    assert routing.complete([said("roll")])[0].person == Person(id="U1", name="Ann")
    clock.now += BELIEVED + 1
    assert routing.complete([said("roll")])[0].person == Person(id="U1", name="Anna")


def test_a_filter_drops_or_changes_events_before_they_are_matched(engine: Engine) -> None:
    routing = Routing(engine, filter=lambda event: None if event.key == "drop" else event)
    dropped, kept = routed(engine, routing, said("roll", "drop"), said("roll", "keep"))
    assert (dropped.tasks, dropped.answers) == ((), ())
    assert len(kept.tasks) == 1


def test_a_cooldown_lets_one_through_and_answers_the_other_politely(engine: Engine) -> None:
    first, second = routed(engine, Routing(engine, clock=Clock()), said("roll", "e1"), said("roll", "e2"))
    assert (len(first.tasks), first.answers) == (1, ())
    assert second.tasks == ()
    (answer,) = second.answers
    assert "roll" in answer.content.text  # type: ignore[union-attr]  # it is a Send


def test_a_cooldown_is_each_persons_own(engine: Engine) -> None:
    found = routed(engine, Routing(engine, clock=Clock()), said("roll", "e1"), said("roll", "e2", person="U2"))
    assert [len(each.tasks) for each in found] == [1, 1]


def test_a_cooldown_on_what_is_only_overheard_is_silent(engine: Engine) -> None:
    first, second = routed(engine, Routing(engine, clock=Clock()), said("luck", "e1"), said("luck", "e2"))
    assert len(first.tasks) == 1
    assert (second.tasks, second.answers) == ((), ())


def test_the_same_event_again_counts_once(engine: Engine) -> None:
    routing = Routing(engine, clock=Clock())
    first = routed(engine, routing, said("roll", "e1"))
    assert routed(engine, routing, said("roll", "e1")) == first


def test_a_cooldown_holds_for_another_router_and_ends(engine: Engine) -> None:
    clock = Clock()
    routed(engine, Routing(engine, clock=clock), said("roll", "e1"))
    other = Routing(engine, clock=clock)
    assert routed(engine, other, said("roll", "e2"))[0].tasks == ()
    clock.now += 61
    assert len(routed(engine, other, said("roll", "e3"))[0].tasks) == 1


def test_a_time_that_nobody_serves_any_more_is_an_error_and_not_lost_unseen(engine: Engine) -> None:
    event = Scheduled(key="t1", address=HERE, conversation="channel", skill="dice", handler="gone", due=1.0)
    with pytest.raises(CatalogueError, match=r"no skill has the schedule dice\.gone any more"):
        Routing(engine).decide(ROUTES, event)


def test_what_the_latest_of_a_conversation_leaves_out_is_not_run(engine: Engine) -> None:
    builds = Skill("builds", order="conversation", policy="latest")

    @builds.command()
    def build() -> None: ...

    routing, routes = Routing(engine), Routes([builds.manifest()])
    events = routing.complete([message("build", key=key, addressed=True) for key in ("one", "two")])
    with engine.begin() as connection:
        written = routing.settle(connection, [routing.decide(routes, event) for event in events])
        due = route_events(connection, written)
    assert [task.policy for item in written for task, _ in item.tasks] == ["latest", "latest"]
    assert [len(each) for each in due] == [0, 1]


def test_a_skill_that_is_taken_out_of_service_gets_no_new_runs_and_who_asks_is_told(engine: Engine) -> None:
    routing = Routing(engine)
    routing.draining = frozenset({"dice"})
    asked, overheard = routed(engine, routing, said("roll", "e1"), said("good luck", "e2"))
    assert not asked.tasks
    assert [answer.content.text for answer in asked.answers] == ["`roll` is being taken out of service."]  # type: ignore[union-attr]
    assert not overheard.tasks
    assert not overheard.answers
    # It has cost nobody a use of it.
    routing.draining = frozenset()
    (again,) = routed(engine, routing, said("roll", "e3"))
    assert again.tasks


def test_a_time_of_a_skill_that_is_taken_out_of_service_is_not_lost_unseen(engine: Engine) -> None:
    timed = Skill("timed")

    @timed.schedule()
    def morning() -> None: ...

    routing = Routing(engine)
    routing.draining = frozenset({"timed"})
    due = EVENTS["schedule"].model_copy(update={"skill": "timed", "handler": "morning", "arguments": {}})
    with pytest.raises(CatalogueError, match="the skill timed is being taken out of service"):
        routing.decide(Routes([timed.manifest()]), due)
