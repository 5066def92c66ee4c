"""Who serves which version of a skill, and which of them is published."""

import time

from sqlalchemy import Engine, select, update

from dragoman import SkillManifest
from dragoman.store.catalogue import publish_manifests, publishers, retire_manifests, retire_skill
from dragoman.store.processes import DEAD, Process, beat, forget
from dragoman.store.schema import manifests, processes, serving
from dragoman.store.serving import UNSERVED, serve, servers

OLD, NEW = SkillManifest(name="news", summary="old"), SkillManifest(name="news", summary="new")
ONE, TWO = (
    Process("worker.default", id="one", host="here", pid=11),
    Process("worker.news", id="two", host="there", pid=12),
)


def begin(store: Engine, worker: Process, version: SkillManifest, *, alone: bool = True) -> None:
    """As a worker begins."""
    with store.begin() as connection:
        publish_manifests(connection, [version], None)
        beat(connection, worker)
        serve(connection, worker, [version], alone=alone)


def served(store: Engine, worker: Process, version: SkillManifest) -> list[str]:
    """As a worker says it every few seconds."""
    with store.begin() as connection:
        beat(connection, worker)
        return serve(connection, worker, [version])


def published(store: Engine) -> str:
    with store.begin() as connection:
        body = connection.execute(select(manifests.c.body)).scalar()
    return SkillManifest.model_validate_json(body).summary if body else ""


def later(store: Engine, seconds: float) -> None:
    """So much later; nobody's heart stops for that."""
    with store.begin() as connection:
        connection.execute(update(manifests).values(changed_at=manifests.c.changed_at - seconds))


def died(store: Engine, worker: Process) -> None:
    with store.begin() as connection:
        connection.execute(update(processes).where(processes.c.id == worker.id).values(beat_at=time.time() - DEAD - 1))


def test_of_two_versions_the_one_that_began_last_is_published(store: Engine) -> None:
    begin(store, ONE, OLD)
    begin(store, TWO, NEW)
    assert published(store) == "new"
    later(store, UNSERVED * 2)
    assert served(store, ONE, OLD) == []
    assert published(store) == "new"
    with store.begin() as connection:
        found = servers(connection, "news")
    assert [(server.process, server.pid, server.published) for server in found] == [
        ("two", 12, True),
        ("one", 11, False),
    ]


def test_when_the_new_version_is_gone_for_a_minute_the_old_one_is_published_again(store: Engine) -> None:
    begin(store, ONE, OLD)
    begin(store, TWO, NEW)
    died(store, TWO)
    later(store, UNSERVED / 2)
    assert served(store, ONE, OLD) == []  # it may only be starting anew
    assert published(store) == "new"
    later(store, UNSERVED)
    assert served(store, ONE, OLD) == ["news"]
    assert published(store) == "old"


def test_a_version_whose_worker_was_seen_has_its_minute_anew(store: Engine) -> None:
    begin(store, ONE, OLD)
    begin(store, TWO, NEW)
    later(store, UNSERVED * 2)
    served(store, ONE, OLD)
    died(store, TWO)
    assert served(store, ONE, OLD) == []
    assert published(store) == "new"


def test_a_skill_that_nobody_serves_stays_published(store: Engine) -> None:
    begin(store, TWO, NEW)
    with store.begin() as connection:
        forget(connection, TWO)
        assert servers(connection) == []
        assert connection.execute(select(serving)).all() == []
    later(store, UNSERVED * 100)
    assert published(store) == "new"


def test_what_a_worker_of_its_own_serves_is_not_the_bots_to_retire(store: Engine) -> None:
    begin(store, TWO, NEW)
    with store.begin() as connection:
        publish_manifests(connection, [SkillManifest(name="help")])
        assert publishers(connection) == {"news": "worker", "help": "bot"}
        retire_manifests(connection, ["help"])
        assert publishers(connection) == {"news": "worker", "help": "bot"}
        retire_manifests(connection, [])
        assert publishers(connection) == {"news": "worker"}


def test_a_skill_that_moves_to_a_worker_of_its_own_stays(store: Engine) -> None:
    with store.begin() as connection:
        publish_manifests(connection, [OLD])  # by `dragoman run`
    begin(store, ONE, OLD, alone=False)
    begin(store, TWO, NEW)
    with store.begin() as connection:
        retire_manifests(connection, [])
        assert publishers(connection) == {"news": "worker"}


def test_what_only_the_bots_own_workers_serve_goes_with_it(store: Engine) -> None:
    with store.begin() as connection:
        publish_manifests(connection, [OLD])
    begin(store, ONE, OLD, alone=False)
    with store.begin() as connection:
        retire_manifests(connection, [])
        assert publishers(connection) == {}


def test_a_skill_can_be_retired_by_name(store: Engine) -> None:
    begin(store, TWO, NEW)
    with store.begin() as connection:
        assert retire_skill(connection, "news")
        assert not retire_skill(connection, "news")
        assert servers(connection) == []
