"""The suites of the bundled skills run in memory and on every platform, unchanged."""

from collections.abc import Iterator
from typing import Final

import pytest

from dragoman import Skill
from dragoman.settings import Settings
from dragoman.testing import Bot
from support.on_platform import GROUNDS, Ground, OnPlatform

#: Whose tests are about what people see.
SUITES: Final = frozenset({"test_dice", "test_help", "test_karma", "test_poll", "test_remind"})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "bot" in metafunc.fixturenames and metafunc.module.__name__.rpartition(".")[2] in SUITES:
        metafunc.parametrize("ground", ["memory", *GROUNDS], indirect=True, scope="module")


@pytest.fixture(scope="module")
def ground(request: pytest.FixtureRequest) -> Iterator[Ground | None]:
    """The platform; ``None`` is none."""
    made = GROUNDS[request.param]() if getattr(request, "param", "memory") != "memory" else None
    yield made
    if made is not None:
        made.close()


@pytest.fixture
def bot(
    ground: Ground | None,
    skills: list[Skill],
    bot_settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Bot]:
    folder = tmp_path_factory.mktemp("bot")
    if ground is None:
        made = Bot(skills, settings=bot_settings, folder=folder)
    else:
        made = OnPlatform(ground, skills, settings=bot_settings, folder=folder)
    with made:
        yield made
