"""What the parts of a bot are given by its settings."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from dragoman import PluginError, SettingsError, Skill
from dragoman.roles import BotContext, memory_of
from dragoman.sections import PoolSettings
from dragoman.settings import Settings

BOT = {"skills": ["dice"], "plugins": ["guard"]}


def bot(root: Path, **sections: object) -> BotContext:
    return BotContext.of(
        Settings.model_validate({"bot": BOT, "broker": {"url": "memory://"}, "root": root, **sections})
    )


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = bot(tmp_path).open_store()
    yield engine
    engine.dispose()


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A bot's folder with a skill that cannot be loaded."""
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills" / "h5_broken.py").write_text("value = 1 / 0\n")
    return tmp_path


def test_every_part_that_plugins_work_in_has_them(tmp_path: Path, engine: Engine) -> None:
    made = bot(tmp_path)
    assert made.plugins.names == ("dragoman:guard",)
    assert made.environment({}).around == made.plugins.around
    router, gateway = made.router(engine), made.gateway(engine, {})
    assert router._routing._filter == made.plugins.event
    assert gateway._filter == made.plugins.action


def test_a_broken_skill_is_logged_and_its_settings_are_nobodys_mistake(
    broken: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert list(bot(broken, skills={"mine": {"a": 1}}).skills()) == ["dice"]
    assert "h5_broken.py is broken in line 1, `value = 1 / 0`" in caplog.text


def test_who_asks_is_told_instead_of_the_log(broken: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    problems: dict[str, str] = {}
    assert list(bot(broken).skills(problems)) == ["dice"]
    assert list(problems) == ["h5_broken.py"]
    assert caplog.records == []


def test_a_strict_bot_does_not_start_with_a_broken_skill(broken: Path) -> None:
    strict = BotContext.of(bot(broken).settings.strictly())
    with pytest.raises(PluginError, match=r"h5_broken\.py"):
        strict.skills()


def test_settings_of_a_skill_that_is_not_enabled_are_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"\[skills.mine\]: no such skill is enabled"):
        bot(tmp_path, skills={"mine": {"a": 1}}).skills()


def test_the_smallest_memory_that_was_asked_for_counts_for_a_pool() -> None:
    small, large, any_size = Skill("a", max_memory="100MB"), Skill("b", max_memory="300MB"), Skill("c")
    assert memory_of([small, large, any_size], None) == 100_000_000
    assert memory_of([large], PoolSettings.model_validate({"max_memory": "200MB"})) == 200_000_000
    assert memory_of([any_size], PoolSettings()) is None
