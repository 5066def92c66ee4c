"""The pytest plugin: the fixtures `bot`, `skills` and `bot_settings`. Every project loads it, so it imports late."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dragoman import Skill
    from dragoman.settings import Settings

    from .bot import Bot

__all__ = ["bot", "bot_settings", "skills"]

# Its tests are inherited: their assertions explain themselves as those of a test module do.
pytest.register_assert_rewrite("dragoman.testing.contract.behaving", "dragoman.testing.contract.normalising")


@pytest.fixture
def skills(request: pytest.FixtureRequest) -> list[Skill]:
    """The skills of `bot`: those that the ``dragoman.toml`` of the project enables. Override it to name your own."""
    from dragoman.roles import BotContext
    from dragoman.settings import load

    file = _settings_file(request.config)
    if file is None:
        raise pytest.UsageError(
            "the fixture `bot` does not know which skills to test: there is no dragoman.toml in the root of the "
            "project. Write a fixture `skills` in the test module (or conftest.py) that returns a list of them"
        )
    return list(BotContext.of(load(file)).skills().values())


@pytest.fixture
def bot_settings(request: pytest.FixtureRequest) -> Settings:
    """The settings of `bot`: the project's ``dragoman.toml``, or the defaults. Override it to test with others::

    @pytest.fixture
    def bot_settings() -> Settings:
        return Settings.model_validate({"skills": {"weather": {"url": "http://127.0.0.1:1/"}}})
    """
    from dragoman.settings import Settings, load

    file = _settings_file(request.config)
    return load(file) if file else Settings()


@pytest.fixture
def bot(skills: list[Skill], bot_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """A bot with the fixture `skills`, to talk to; see `dragoman.testing.Bot`."""
    from .bot import Bot

    with Bot(skills, settings=bot_settings, folder=tmp_path_factory.mktemp("bot")) as made:
        yield made


def _settings_file(config: pytest.Config) -> Path | None:
    file = config.rootpath / "dragoman.toml"
    return file if file.is_file() else None
