"""The catalogue: what workers publish, everybody reads."""

import logging

import pytest
from sqlalchemy import Engine, update

from dragoman import SkillManifest
from dragoman.store.catalogue import Reader, publish_manifests, retire_manifests
from dragoman.store.schema import manifests
from support.samples import MANIFEST

ALPHA, BETA = SkillManifest(name="alpha"), SkillManifest(name="beta")


def publish(store: Engine, *found: SkillManifest) -> None:
    with store.begin() as connection:
        publish_manifests(connection, found)


def test_a_published_manifest_is_read_as_it_was(store: Engine) -> None:
    publish(store, MANIFEST)
    assert Reader(store).manifests == (MANIFEST,)


def test_an_empty_catalogue_has_no_manifests(store: Engine) -> None:
    reader = Reader(store)
    assert reader.manifests == ()
    assert not reader.refresh()


def test_a_reader_sees_what_changes_and_says_so_once(store: Engine) -> None:
    reader = Reader(store)
    assert reader.refresh()
    publish(store, ALPHA)
    assert reader.refresh()
    assert not reader.refresh()
    changed = ALPHA.model_copy(update={"summary": "changed"})
    publish(store, changed)
    assert reader.refresh()
    assert reader.manifests == (changed,)


def test_publishing_the_same_again_is_no_change(store: Engine) -> None:
    reader = Reader(store)
    publish(store, ALPHA)
    reader.refresh()
    publish(store, ALPHA)
    assert not reader.refresh()


def test_the_eldest_comes_first_and_stays_so_when_it_is_published_again(store: Engine) -> None:
    publish(store, BETA)
    publish(store, ALPHA)
    publish(store, BETA.model_copy(update={"summary": "changed"}))
    assert [manifest.name for manifest in Reader(store).manifests] == ["beta", "alpha"]


def test_retired_skills_are_gone(store: Engine) -> None:
    publish(store, ALPHA, BETA)
    with store.begin() as connection:
        retire_manifests(connection, ["alpha"])
    assert Reader(store).manifests == (ALPHA,)
    with store.begin() as connection:
        retire_manifests(connection, [])
    assert Reader(store).manifests == ()


def test_a_manifest_that_cannot_be_read_is_named_and_the_others_are_served(
    store: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    publish(store, ALPHA, BETA)
    with store.begin() as connection:
        newer = update(manifests).where(manifests.c.skill == "beta").values(body='{"v": 2, "name": "beta"}', digest="x")
        connection.execute(newer)
    with caplog.at_level(logging.ERROR):
        assert Reader(store).manifests == (ALPHA,)
    assert "'beta'" in caplog.text
